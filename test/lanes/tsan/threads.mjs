// Uses everything that runs in its own thread, from several threads at once: watches of closed connections, and
// asynchronous reads of sockets that are closed meanwhile.

import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { isMainThread, Worker } from 'node:worker_threads';
import { readTcpInfosAsync, watchClosedConnections } from '../../../dist/index.js';

const ROUNDS = Number(process.env.TSAN_ROUNDS ?? 10);
const SOCKETS = 200;
const ROWS = 10_000;

const server = net.createServer((peer) => peer.on('error', () => {}).resume());
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();

const connect = () =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(socket)).on('error', () => {});
  });

/** The new sockets of this process: netlink and stop sockets of watches. */
function socketsOpened(by) {
  const links = () =>
    new Map(
      readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          return [[readlinkSync(`/proc/self/fd/${fd}`), Number(fd)]];
        } catch {
          return [];
        }
      }),
    );
  const before = links();
  const made = by();
  const opened = [...links()].filter(([link]) => link.startsWith('socket:') && !before.has(link));
  return { made, fds: opened.map(([, fd]) => fd) };
}

let told = 0;
let rows = 0;
for (let round = 0; round < ROUNDS; round++) {
  // A watch that is read, and one whose limit is reached.
  const watches = [watchClosedConnections(), watchClosedConnections({ limit: 1 })];
  for (const watch of watches) watch.on('closed', () => told++);
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, connect));
  const many = Array.from({ length: ROWS }, (_, row) => sockets[row % SOCKETS]);
  const numbers = many.map((socket) => socket._handle.fd);
  const sweeps = [
    readTcpInfosAsync(many, ['rtt']),
    readTcpInfosAsync(numbers),
    readTcpInfosAsync(many),
  ];
  for (const socket of sockets) {
    if (round % 2 === 0) socket.resetAndDestroy();
    else socket.end();
    if (Math.random() < 0.1) await new Promise(setImmediate);
  }
  for (const { errno } of await Promise.all(sweeps)) rows += errno.length;
  if (isMainThread && round % 5 === 0) {
    // A watch that loses a descriptor.
    const { made, fds } = socketsOpened(() => watchClosedConnections());
    const failed = new Promise((resolve) => made.once('error', resolve));
    closeSync(fds[round % 2]);
    (await connect()).destroy();
    await failed;
  }
  for (const watch of watches) watch.close();
  for (const socket of sockets) socket.destroy();
}
server.close();

if (isMainThread) {
  const ended = (worker) =>
    new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  const workers = [0, 1].map(() => new Worker(new URL(import.meta.url)));
  // A worker that is terminated while it works.
  const cut = new Worker(new URL(import.meta.url));
  setTimeout(() => cut.terminate(), 300);
  const codes = await Promise.all([...workers, cut].map(ended));
  if (codes[0] !== 0 || codes[1] !== 0) throw new Error(`a worker ended with ${codes}`);
  if (told === 0) throw new Error('no watch told of a connection');
  console.log(`${told} closed connections told, ${rows} rows read in the main thread`);
}
