// A program that does not know this package. An argument of node and a variable of the environment tune its sockets: they
// fail within 20 s after their peer vanished.
//
//   SOCKET_OPTIONS=20s node --import socket-options/register register-app.mjs db.example 5432

import net from 'node:net';

const [host = 'localhost', port = '5432'] = process.argv.slice(2);

const socket = net.connect({ host, port: Number(port) });
socket.on('connect', () => console.log(`connected to ${socket.remoteAddress}`));
socket.on('data', (data) => console.log(`received ${data.length} bytes`));
socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
socket.on('close', () => console.log('closed'));
