// Runs in a network namespace: opens thousands of connections over loopback, and measures how long it takes to
// read the state of all of them. Prints JSON for connections.mjs, which starts it.

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { getOption, listConnections, readTcpInfos, readTcpInfosAsync } from '../dist/index.js';
import { connectMany } from './connect-many.mjs';
import { longestBlock } from './longest-block.mjs';
import { median } from './median.mjs';
import { cpuMs, cpuMsSince, shuffled } from './timing.mjs';

const baseline = createRequire(import.meta.url)('./build/Release/baseline.node');
const ssOptions = { encoding: 'latin1', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'ignore'] };
const here = fileURLToPath(import.meta.url);
/** Rows of a read whose slices are measured. */
const ROWS_OF_SLICES = 100_000;
const FOUR = ['rtt', 'probes', 'unackedSegments', 'timeSinceLastAckReceived'];

if (process.argv[2] === 'search') await search(Number(process.argv[3]));
else await main(Number(process.argv[2]), Number(process.argv[3]));

async function main(count, rounds) {
  const { sockets } = await connectMany(count);
  const results = await measure(sockets, rounds);
  // The package decides when it is loaded whether it searches for descriptors.
  const env = { ...process.env, SOCKET_OPTIONS_SEARCH: '1' };
  const output = execFileSync(process.execPath, [here, 'search', String(count)], {
    encoding: 'utf8',
    env,
  });
  const report = JSON.stringify({ ...results, search: JSON.parse(output) });
  process.stdout.write(report, () => process.exit());
}

/** The time to find the sockets behind handle objects, as on Windows: one by one, and all at once. */
async function search(count) {
  const { sockets } = await connectMany(count);
  const each = sockets.slice(0, 100).map((socket) => wallMs(() => getOption(socket, 'noDelay')));
  const all = wallMs(() => readTcpInfos(sockets, []));
  process.stdout.write(JSON.stringify({ one: median(each), all }), () => process.exit());
}

async function measure(sockets, rounds) {
  const fds = sockets.map((socket) => socket._handle.fd);
  const plain = Int32Array.from(fds);
  const all = readTcpInfos(fds);
  const four = readTcpInfos(fds, FOUR);
  if (all.errno.some((errno) => errno !== 0)) throw new Error('a socket could not be read');

  const cpu = {
    baseline: () => baseline.tcpInfoSweep(plain),
    all: () => readTcpInfos(fds, undefined, all),
    four: () => readTcpInfos(fds, FOUR, four),
    sockets: () => readTcpInfos(sockets, FOUR, four),
  };
  const wall = {
    ss: () => execFileSync('ss', ['-tinH'], { maxBuffer: 2 ** 28 }),
    ssParsed: () => parse(execFileSync('ss', ['-tinHoe'], ssOptions)),
    list: () => listConnections({ state: 'ESTABLISHED', tcpInfo: true }),
  };
  if (wall.list().length !== wall.ssParsed().length) throw new Error('ss lists other connections');
  for (let i = 0; i < 5; i++) for (const run of Object.values(cpu)) run();
  const async = {
    asyncAll: () => readTcpInfosAsync(sockets, undefined, all),
    asyncFour: () => readTcpInfosAsync(sockets, FOUR, four),
  };
  for (let i = 0; i < 5; i++) for (const run of Object.values(async)) await run();
  // Measured first: garbage of the other cases would be collected meanwhile.
  const slices = await measureSlices(sockets, fds, rounds);

  const times = Object.fromEntries([...Object.keys(cpu), ...Object.keys(wall)].map((k) => [k, []]));
  for (const name of Object.keys(async)) times[name] = { total: [], main: [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(Object.keys(cpu))) times[name].push(cpuMs(cpu[name]));
    for (const name of shuffled(Object.keys(async))) {
      const start = process.cpuUsage();
      const startOfThread = baseline.threadCpuMs();
      await async[name]();
      times[name].main.push(baseline.threadCpuMs() - startOfThread);
      times[name].total.push(cpuMsSince(start));
    }
    // These take much longer than the others.
    if (round % 4 === 0) {
      for (const name of shuffled(Object.keys(wall))) times[name].push(wallMs(wall[name]));
    }
  }
  return { times, ...slices, allWallMs: wallOf(() => cpu.all(), rounds) };
}

function wallOf(run, rounds) {
  const times = [];
  for (let i = 0; i < rounds; i++) times.push(wallMs(run));
  return median(times);
}

function wallMs(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** The longest slices of reads of 100 000 rows, in milliseconds. Each socket has several rows. */
async function measureSlices(sockets, fds, rounds) {
  const repeat = (items) =>
    Array.from({ length: ROWS_OF_SLICES }, (_, row) => items[row % items.length]);
  const [many, numbers] = [repeat(sockets), repeat(fds)];
  const out = await readTcpInfosAsync(many);
  await readTcpInfosAsync(many, undefined, out);
  const slices = [];
  const numberSlices = [];
  for (let round = 0; round < Math.min(rounds, 21); round++) {
    slices.push(await longestBlock(() => readTcpInfosAsync(many, undefined, out)));
    numberSlices.push(await longestBlock(() => readTcpInfosAsync(numbers, undefined, out)));
  }
  return { slices, numberSlices };
}

/** The output of ss(8) as objects with about the content of listConnections(). */
function parse(output) {
  const found = [];
  for (const line of output.split('\n')) {
    if (line === '') continue;
    if (line[0] !== '\t') {
      const [state, receiveQueue, sendQueue, local, peer, ...rest] = line.trim().split(/\s+/);
      found.push({ state, receiveQueue: +receiveQueue, sendQueue: +sendQueue, local, peer, rest });
      continue;
    }
    const info = {};
    for (const word of line.trim().split(' ')) {
      const colon = word.indexOf(':');
      if (colon > 0) info[word.slice(0, colon)] = Number.parseFloat(word.slice(colon + 1));
    }
    found.at(-1).info = info;
  }
  return found;
}
