// Worker threads: tuneSockets() applies to the sockets of its own thread, so each thread calls it.
//
//   node worker.mjs db.example 5432

import { once } from 'node:events';
import net from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { getDeadPeerBounds, tuneSockets } from 'socket-options';

const [host = 'localhost', port = '5432'] = isMainThread ? process.argv.slice(2) : workerData;

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { workerData: [host, port] });
  worker.on('message', (message) => console.log(`worker: ${message}`));
  worker.on('error', (error) => {
    console.error(`worker: ${error.message}`);
    process.exitCode = 1;
  });
  worker.on('exit', () => console.log('worker: ended'));
} else {
  tuneSockets({ client: { deadPeerTimeout: 20_000 } });
  const socket = net.connect({ host, port: Number(port) });
  await once(socket, 'connect');
  const { worst } = getDeadPeerBounds(socket);
  parentPort.postMessage(
    `connected; if the peer vanishes, the socket fails within ${worst / 1_000} s`,
  );
  socket.resume();
}
