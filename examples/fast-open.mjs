// TCP Fast Open: the SYN carries the first write, which saves a round trip to a server that this machine has talked to
// before. The data may arrive twice: send only requests that may be repeated. Linux, with `sysctl net.ipv4.tcp_fastopen=3`
// (1 for clients, 2 for servers).
//
//   node fast-open.mjs

import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { connect, listen } from 'socket-options';

const server = net.createServer((socket) => socket.end('an answer'));
listen(server, { host: '127.0.0.1', port: 0, socketOptions: { fastOpen: 128 } });
await once(server, 'listening');
const { port } = server.address();

// The first connection gets a cookie from the server. The second one sends it, and the request, with its SYN.
for (const order of ['first', 'second']) {
  const socketOptions = { fastOpenConnect: true };
  // With a cookie, 'connect' comes before any packet: only the timeout finds a server that does not answer.
  const socket = connect({ host: '127.0.0.1', port, connectTimeout: 5_000, socketOptions });
  socket.end('a request');
  console.log(`${order} connection: ${await text(socket)}`);
}
server.close();
