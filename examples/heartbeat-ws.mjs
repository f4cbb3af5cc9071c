// A WebSocket server that ends clients whose program hangs, although their system still answers the kernel.
//
//   npm install socket-options ws
//   node heartbeat-ws.mjs 8080

import { Heartbeat } from 'socket-options/heartbeat';
import { WebSocketServer } from 'ws';

const [port = '8080', interval = '10000'] = process.argv.slice(2);

const server = new WebSocketServer({ port: Number(port) }, () => {
  console.log(`listening on ws://localhost:${server.address().port}/`);
});

server.on('connection', (ws, { socket }) => {
  const client = `${socket.remoteAddress} port ${socket.remotePort}`;
  const heartbeat = new Heartbeat(socket, {
    interval: Number(interval),
    timeout: 2.5 * Number(interval),
    send: () => ws.ping(),
  });
  ws.on('pong', () => {
    heartbeat.answer();
    console.log(`${client}: answered after ${heartbeat.rtt} ms`);
  });
  // 'silent': its system answers, its program does not. 'vanished': nothing answers.
  heartbeat.on('dead', ({ reason }) => console.log(`${client}: dead (${reason})`));
  ws.on('error', (error) => console.log(`${client}: ${error.message}`));
  ws.on('close', (code) => console.log(`${client}: closed with code ${code}`));
});
