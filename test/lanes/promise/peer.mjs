// A program on the peer's host: prints its pid, then obeys commands. It accepts connections of every manner (manners.mjs),
// connects to our host, and can block its event loop.

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { MANNERS, portOf, setBufferSize } from './manners.mjs';

const HALF_OPEN = { allowHalfOpen: true };
const BACKLOG = 65_535;

/** Answers `/idle` and `/empty` at once, `/empty` without a body. It never answers other requests. */
function answer(request, response) {
  if (request.url === '/idle') response.end('idle');
  if (request.url === '/empty') response.end();
}

const listen = async (server, port) => {
  server.on('tlsClientError', () => {});
  await once(server.listen(port, '0.0.0.0', BACKLOG), 'listening');
};

const serveWith = (manner) => (socket) => {
  socket.on('error', () => {});
  manner.serve(socket);
};

const words = {
  /** `offset`: of the ports, for a second program on this host. */
  async listen(certificate, offset = 0) {
    for (const [name, manner] of Object.entries(MANNERS)) {
      if (manner.http !== undefined) {
        const server =
          manner.http === 1
            ? http.createServer({ keepAliveTimeout: 0 }, answer)
            : http2.createServer(answer);
        server.on('clientError', (_error, socket) => socket.destroy());
        server.on('sessionError', () => {});
        await listen(server, offset + portOf(name));
        setBufferSize(server, manner);
        continue;
      }
      const options = { ...HALF_OPEN, pauseOnConnect: true };
      const servers = [net.createServer(options, serveWith(manner))];
      if (certificate !== undefined) {
        servers.push(tls.createServer({ ...HALF_OPEN, ...certificate }, serveWith(manner)));
      }
      for (const [index, server] of servers.entries()) {
        await listen(server, offset + portOf(name, index === 1));
        setBufferSize(server, manner);
      }
    }
  },
  /** Connects to our host from the address of a flow. */
  async connect({ from, to, port, manner }) {
    const socket = net.connect({ ...HALF_OPEN, host: to, port, localAddress: from });
    socket.on('error', () => {});
    socket.on('connect', () => MANNERS[manner].serve(socket));
  },
  /** Blocks the event loop, without using the processor. */
  block(milliseconds) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  },
};

process.stdout.write(`${process.pid}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...args] = JSON.parse(line);
  const result = await words[word](...args);
  process.stdout.write(`${JSON.stringify(result ?? null)}\n`);
}
process.exit(0);
