// The peers of fleet.mjs: a server for each kind, in a process of its own. Listens on the ports of its arguments.

import { createServer } from 'node:net';

/** Sockets that do not read, or that keep silent. */
const slow = [];

const servers = {
  good: (socket) => socket.pipe(socket),
  dead: (socket) => socket.resume(),
  supervised: (socket) => socket.resume(),
  lossy: (socket) => socket.resume(),
  /** Begins to read when the message 'read' comes. */
  slow: (socket) => slow.push(socket.pause()),
  /** Closes at once: the client does not. */
  closing: (socket) => socket.resume().end(),
  /** Sends what the client does not read. */
  talking: (socket) => socket.resume().write(Buffer.alloc(10_000)),
};

const ports = JSON.parse(process.argv[2]);
for (const [kind, port] of Object.entries(ports)) {
  const server = createServer({ allowHalfOpen: kind === 'closing' }, (socket) => {
    socket.on('error', () => {});
    servers[kind](socket);
  });
  await new Promise((resolve) =>
    server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, resolve),
  );
}
process.on('message', () => {
  for (const socket of slow) socket.resume();
});
process.on('disconnect', () => process.exit());
process.send('ready');
