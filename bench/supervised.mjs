// In a network namespace of its own: what supervision of thousands of idle sockets costs. Prints JSON for supervision.mjs,
// which starts it.

import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectMany } from './connect-many.mjs';
import { sliceRecorder } from './slices.mjs';

const [socketCount, connectionCount, timeout, measuredMs] = process.argv.slice(2).map(Number);

/** So many connections begin together. */
const BATCH = 50;

const slices = sliceRecorder();
const { setDeadPeerTimeout } = await import('../dist/index.js');

const { sockets } = await connectMany(socketCount);
for (const socket of sockets) socket.resume();
const connections = Array.from({ length: connectionCount }, (_, index) =>
  index < socketCount ? sockets[index] : viewOf(sockets[index % socketCount]),
);
const without = await slices.measure(measuredMs);
const supervised = await measureSupervised();
const ended = connections.filter(({ destroyed }) => destroyed).length;
process.stdout.write(JSON.stringify({ without, supervised, ended }), () => process.exit());

/**
 * Connections begin at times spread evenly over the timeout, as in a program: the kernel probes sockets that began together in
 * one burst, and charges the burst to the program that runs at that moment.
 */
async function measureSupervised() {
  const began = performance.now();
  for (const [index, connection] of connections.entries()) {
    setDeadPeerTimeout(connection, timeout);
    const due = began + (timeout * (index + 1)) / connections.length;
    if (index % BATCH === BATCH - 1 && due > performance.now())
      await sleep(due - performance.now());
  }
  // The first looks come at other times than the later ones.
  await sleep(timeout);
  return slices.measure(measuredMs);
}

/**
 * A descriptor limit of 20 000 is common, so that many connections share a descriptor here: each look reads the kernel, but
 * more of what it reads is in the CPU's caches.
 */
function viewOf(socket) {
  const { fd } = socket._handle;
  const handle = { fd, getpeername() {}, setKeepAlive: () => 0 };
  const view = Object.create(Socket.prototype);
  Object.defineProperties(view, {
    _handle: { value: handle },
    connecting: { value: false },
    destroyed: { get: () => socket.destroyed },
    destroy: { value: (error) => socket.destroy(error) },
  });
  return view;
}
