// Measures how many bytes of heap a read of TcpInfoReader allocates: the growth of the heap while no garbage is
// collected (a PerformanceObserver checks that).

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { readerRun } from './benchmark-cases.mjs';

const READS = 20_000;

/** Bytes per read with three getters, without the first calls, in which code is compiled. */
export async function bytesPerRead() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect(server.address());
  await once(socket, 'connect');
  const run = readerRun(socket);
  for (let i = 0; i < 20; i++) run(READS);

  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  const grown = [];
  while (grown.length < 5) {
    collections = 0;
    const before = process.memoryUsage().heapUsed;
    run(READS);
    const after = process.memoryUsage().heapUsed;
    // The observer gets its entries later.
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (collections === 0) grown.push((after - before) / READS);
  }
  observer.disconnect();
  socket.destroy();
  server.close();
  return Math.min(...grown);
}
