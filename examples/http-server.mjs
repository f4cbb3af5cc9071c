// An HTTP server: the connections of clients that vanished end after a minute, and not after hours.
//
//   node http-server.mjs 8080
//   curl http://localhost:8080/

import http from 'node:http';
import { explainDisconnect, setDeadPeerTimeout } from 'socket-options';

const [port = '8080'] = process.argv.slice(2);

const server = http.createServer((request, response) => {
  response.end(`${request.method} ${request.url}\n`);
});

server.on('connection', (socket) => {
  const client = `${socket.remoteAddress} port ${socket.remotePort}`;
  let end = 'closed';
  console.log(`${client}: connected`);
  socket.on('error', (error) => {
    end = explainDisconnect(error).message;
  });
  socket.on('close', () => console.log(`${client}: ${end}`));
});

server.listen(Number(port), () => {
  // For every connection that the server accepts.
  setDeadPeerTimeout(server, 60_000);
  console.log(`listening on http://localhost:${server.address().port}/`);
});
