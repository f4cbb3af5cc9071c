// In a network namespace of its own: how many milliseconds it takes to read the state of all sockets. Prints JSON for
// series.mjs, which starts it. This process holds a part of the sockets; processes that it starts hold the others.

import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { listConnections, readTcpInfos, readTcpInfosAsync } from '../dist/index.js';
import { connectMany } from './connect-many.mjs';
import { median } from './median.mjs';
import { shuffled } from './timing.mjs';

const [mode, ...numbers] = process.argv.slice(2);
const [count, perProcess, rounds] = numbers.map(Number);

if (mode === 'hold') {
  await connectMany(count);
  process.send('open');
  process.on('disconnect', () => process.exit());
} else {
  const results = await measure();
  process.stdout.write(JSON.stringify(results), () => process.exit());
}

async function measure() {
  // The other half of the sockets are the other ends.
  const own = Math.min(count / 2, perProcess);
  const { sockets } = await connectMany(own);
  for (let left = count / 2 - own; left > 0; left -= perProcess) {
    const holder = fork(fileURLToPath(import.meta.url), ['hold', Math.min(left, perProcess)]);
    await once(holder, 'message');
  }
  const fds = Array.from({ length: count }, (_, index) => sockets[index % own]._handle.fd);
  const views = Array.from({ length: count }, (_, index) => sockets[index % own]);
  const columns = readTcpInfos(fds);
  if (columns.errno.some((errno) => errno !== 0)) throw new Error('a socket could not be read');

  const cases = {
    readTcpInfos: () => readTcpInfos(fds, undefined, columns),
    readTcpInfosAsync: () => readTcpInfosAsync(views, undefined, columns),
    listConnections: () => {
      const found = listConnections({ state: 'ESTABLISHED', tcpInfo: true }).length;
      if (found !== count) throw new Error(`${found} of ${count} sockets are listed`);
    },
    ss: () => execFileSync('ss', ['-tinH'], { maxBuffer: 2 ** 28 }),
  };
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (const name of shuffled(Object.keys(cases))) {
      // So that garbage of the case before is not collected in this one's time.
      globalThis.gc();
      const took = await activeMs(cases[name]);
      if (round >= 0) times[name].push(took);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
}

/** For how long the event loop was not idle: all the time of a synchronous call. */
async function activeMs(run) {
  const before = performance.eventLoopUtilization();
  await run();
  return performance.eventLoopUtilization(before).active;
}
