// A port of this machine that answers no SYN, as the address of a machine that is off: its accept queue is full.

import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';

export interface SilentPort {
  /** On every address of this machine of IPv4. */
  readonly port: number;
  close(): Promise<void>;
}

/** Listens, and never accepts. Linux drops a SYN for a full queue: net/ipv4/tcp_input.c, tcp_conn_request(). */
const LISTENER = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ port: 0, host: '0.0.0.0', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

export async function openSilentPort(): Promise<SilentPort> {
  const listener = new Worker(LISTENER, { eval: true });
  const [port] = (await once(listener, 'message')) as [number];
  // A queue for one connection takes two.
  const queued = [0, 1].map(() => net.connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.all(queued.map((socket) => once(socket, 'connect')));
  return {
    port,
    close: async () => {
      for (const socket of queued) socket.destroy();
      await listener.terminate();
    },
  };
}
