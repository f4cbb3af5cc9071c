// The other ends of connect-many.mjs, in a process of their own: a descriptor is counted where it is, and
// so is CPU time.

import { createServer } from 'node:net';

const sockets = [];
const server = createServer({ pauseOnConnect: true }, (socket) => {
  process.send({ accepted: sockets.push(socket) });
});
const echo = createServer({ noDelay: true }, (socket) => socket.pipe(socket));
echo.listen(0, '127.0.0.1', () => {
  server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () =>
    process.send({ port: server.address().port, echoPort: echo.address().port }),
  );
});
process.on('disconnect', () => process.exit());
