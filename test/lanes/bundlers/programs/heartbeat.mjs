// A heartbeat on a peer that reads but never answers. Prints why the peer is dead.

import net from 'node:net';
import { Heartbeat } from 'socket-options/heartbeat';

const server = net.createServer((socket) => socket.on('error', () => {}).resume());
server.listen(0, '127.0.0.1', () => {
  const socket = net.connect(server.address().port, '127.0.0.1', () => {
    let reason;
    const heartbeat = new Heartbeat(socket, { interval: 50, timeout: 200, send: 'ping' });
    heartbeat.on('dead', (death) => {
      reason = death.reason;
    });
    socket.on('error', ({ code }) => console.log(JSON.stringify({ code, reason })));
    socket.on('close', () => server.close());
    socket.resume();
  });
});
