// The peer's host: servers of Multipath TCP in this Node, and one of plain TCP. It obeys commands of hosts.mjs.

import { once } from 'node:events';
import net from 'node:net';
import { getMptcpInfo, listen } from '../../../dist/index.js';
import { obey } from '../../fixtures/dead-peers/two-hosts.mjs';
import { PORTS } from './ports.mjs';

const accepted = new Map();

function server({ pauseOnConnect = false } = {}) {
  return net.createServer({ pauseOnConnect, allowHalfOpen: false }, (socket) => {
    accepted.set(socket.remotePort, socket);
    socket.on('error', () => {});
    if (!pauseOnConnect) socket.on('data', (data) => socket.write(data));
  });
}

await obey({
  async listen() {
    const mptcp = { mptcp: true };
    const host = '::';
    await Promise.all([
      once(listen(server(), { port: PORTS.echo, host, socketOptions: mptcp }), 'listening'),
      once(
        listen(server({ pauseOnConnect: true }), {
          port: PORTS.silent,
          host,
          socketOptions: { ...mptcp, recvBufferSize: 32_768 },
        }),
        'listening',
      ),
      once(server().listen(PORTS.plain, host), 'listening'),
    ]);
  },
  /** What the peer knows of the connection from this port. */
  info: (port) => getMptcpInfo(accepted.get(port)),
  /** Reads what a connection of the silent server has received, and stops again. */
  read: (port) => {
    accepted.get(port).resume();
  },
  stopReading: (port) => {
    accepted.get(port).pause();
  },
});
