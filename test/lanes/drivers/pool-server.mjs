// A Node HTTP server that closes connections after a time without data. Its parent controls it by messages.

import http from 'node:http';

const [idle] = process.argv.slice(2).map(Number);
/** By the second byte of the address that the client chose. */
const connections = {};

// Not `keepAliveTimeout`, to which new versions of Node add a second.
const server = http.createServer({ keepAliveTimeout: 0 }, (_, response) => {
  // With this header Node sends no `Keep-Alive: timeout=`, as many servers and load balancers do not.
  response.setHeader('Connection', 'keep-alive');
  response.end('ok');
});
server.setTimeout(idle);
server.on('connection', ({ localAddress }) => {
  const [, network] = localAddress.split('.');
  connections[network] = (connections[network] ?? 0) + 1;
});
// All of 127.0.0.0/8.
server.listen(0, '0.0.0.0', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ connections }));
