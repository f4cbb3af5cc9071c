// npm run test:memory: the process must not grow with a million calls of each operation and a hundred workers.
// Runs with --expose-gc --max-semi-space-size=1. --calls=N makes a shorter run. --leaks-only is for LeakSanitizer,
// which finds leaks itself but grows by its own bookkeeping.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Heartbeat, PeerRegistry } from '../../../dist/heartbeat.js';
import * as face from '../../../dist/index.js';
import { TcpMetrics } from '../../../dist/metrics.js';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    'leaks-only': { type: 'boolean', default: false },
  },
});
const CALLS = Number(values.calls);
const judge = !values['leaks-only'];

/**
 * The growth that the heap and malloc may cause themselves. A million calls that leak the smallest allocation of
 * malloc, 32 bytes, grow by four times as much.
 */
const ALLOWED_BYTES = 8 * 2 ** 20;

const server = net.createServer((socket) => socket.on('error', () => {}));
await once(server.listen(0, '127.0.0.1'), 'listening');
const client = net.connect(server.address().port, '127.0.0.1');
await once(client, 'connect');

const refuse = (call) => {
  try {
    call();
  } catch {
    return;
  }
  throw new Error('this was to be refused');
};
const { constants } = face;
const keepAlive = { enable: true, initialDelay: 30_000, interval: 5_000, count: 3 };
const bytes = Buffer.from('reno');
const reader = new face.TcpInfoReader();
const gone = 1_000_000;
const nobody = {
  family: 'IPv4',
  ...{ localAddress: '127.0.0.1', localPort: 1, remoteAddress: '127.0.0.1', remotePort: 1 },
  ...{ interfaceIndex: 0, cookie: '1' },
};

let planned = 0;
// With a user timeout, no setting of the kernel is read for the socket.
const tuned = net.connect(server.address().port, '127.0.0.1');
await once(tuned, 'connect');
face.setDeadPeerTimeout(tuned, 20_000);
const lost = Object.assign(new Error('lost'), { code: 'ETIMEDOUT' });

const streams = [client, tuned];
const listeners = () => streams.reduce((sum, one) => sum + one.listenerCount('close'), 0);
const listenersBefore = listeners();
const rhythm = { interval: 1_000, timeout: 5_000, send: () => {} };
const beating = new Heartbeat(client, { ...rhythm, timeout: null, isAlive: false });
const lasting = new AbortController();
const registry = new PeerRegistry();
let claimed = 0;

const operations = {
  'Heartbeat.beat': () => beating.beat(),
  getOption: () => face.getOption(client, 'userTimeout'),
  'getOption, a string': () => face.getOption(client, 'congestionControl'),
  'getOption, a cookie': () => face.getOption(client, 'cookie'),
  'getOptions, all': () => face.getOptions(client),
  'getOptions, two': () => face.getOptions(client, ['noDelay', 'linger']),
  setOptions: () => face.setOptions(client, { userTimeout: 30_000, noDelay: true }),
  'setOptions, every kind': () =>
    face.setOptions(client, {
      congestionControl: 'reno',
      linger: { enable: false, timeout: 0 },
      maxPacingRate: 1e12,
      pathMtuDiscovery: 'do',
    }),
  'setOptions, refused value': () => refuse(() => face.setOptions(client, { userTimeout: -1 })),
  'setOptions, refused by the kernel': () =>
    refuse(() => face.setOptions(client, { fastOpenConnect: true })),
  getKeepAlive: () => face.getKeepAlive(client),
  setKeepAlive: () => face.setKeepAlive(client, keepAlive),
  'setKeepAlive, a boolean': () => face.setKeepAlive(client, true),
  "setKeepAlive, 'system'": () => face.setKeepAlive(client, 'system'),
  'setKeepAlive, no such descriptor': () => refuse(() => face.setKeepAlive(gone, keepAlive)),
  getRawOption: () => face.getRawOption(client, constants.IPPROTO_TCP, constants.TCP_KEEPIDLE),
  'getRawOption, bytes': () =>
    face.getRawOption(client, constants.IPPROTO_TCP, constants.TCP_INFO, 512),
  setRawOption: () => face.setRawOption(client, constants.IPPROTO_TCP, constants.TCP_KEEPIDLE, 9),
  'setRawOption, bytes': () =>
    face.setRawOption(client, constants.IPPROTO_TCP, constants.TCP_CONGESTION, bytes),
  getTcpInfo: () => face.getTcpInfo(client),
  'getTcpInfo, no such descriptor': () => refuse(() => face.getTcpInfo(gone)),
  getKernelTcpInfo: () => face.getKernelTcpInfo(client),
  'getKernelTcpInfo, details': () => face.getKernelTcpInfo(client, { details: true }),
  'getMptcpInfo, plain TCP': () => face.getMptcpInfo(client),
  'getMptcpInfo, no such descriptor': () => refuse(() => face.getMptcpInfo(gone)),
  'TcpInfoReader, one': () => reader.read(client).rtt,
  'TcpInfoReader, new ones': () => new face.TcpInfoReader().read(client),
  'readTcpInfos, two': () => face.readTcpInfos([client, server], ['rtt', 'state']),
  isReusable: () => face.isReusable(client),
  'isReusable, no such descriptor': () => face.isReusable(gone),
  setDeadPeerTimeout: () => face.setDeadPeerTimeout(client, 20_000),
  'setDeadPeerTimeout, null': () => face.setDeadPeerTimeout(client, null),
  getDeadPeerBounds: () => face.getDeadPeerBounds(tuned),
  explainDisconnect: () => face.explainDisconnect(lost),
  tuneSockets: () => face.tuneSockets({ client: { deadPeerTimeout: 20_000 } }).close(),
  isSupported: () => face.isSupported('connectTimeout'),
  supportedOptions: () => face.supportedOptions(),
  getSysctl: () => face.getSysctl('net.ipv4.tcp_retries2'),
  'getSysctl, missing': () => face.getSysctl('net.ipv4.no_such_setting'),
};

/** Each call takes as long as ten of the calls above. */
const heartbeats = {
  'Heartbeat, made and closed': () => new Heartbeat(streams[claimed++ & 1], rhythm).close(),
  'Heartbeat, with a signal': () => {
    new Heartbeat(client, { ...rhythm, isAlive: () => true, signal: lasting.signal }).close();
  },
  'PeerRegistry, superseded, released': () => {
    const [older, newer] = streams;
    const identity = String(claimed++);
    registry.claim(identity, older, { onSuperseded: () => {} });
    registry.claim(identity, newer);
    registry.release(newer);
    if (registry.size !== 0) throw new Error('somebody has stayed');
  },
};

/** Each call takes as long as a hundred of the calls above, and some free their memory in a later turn. */
const slowOperations = {
  listConnections: () => face.listConnections({ tcpInfo: true }),
  'setDeadPeerTimeout, too small': () => refuse(() => face.setDeadPeerTimeout(client, 2_000)),
  'planDeadPeerTimeout, each another': () => face.planDeadPeerTimeout(20_000 + planned++),
  'listConnections, by port and own': () => face.listConnections({ port: 1, ownProcess: true }),
  'destroyConnection, gone': () => refuse(() => face.destroyConnection(nobody)),
  diagnoseConnections: () => face.diagnoseConnections(),
  listConnectionsAsync: () => face.listConnectionsAsync({ tcpInfo: true }),
  'watchClosedConnections, closed': async () => {
    face.watchClosedConnections().close();
    await new Promise(setImmediate);
  },
};

const { port } = server.address();
const closedOf = (emitter) => new Promise((resolve) => emitter.once('close', resolve));
/** Node frees closed handles in a later turn of the event loop. */
const turn = () => new Promise(setImmediate);
const opens = { host: '127.0.0.1', port };
const noDevice = { bindToDevice: 'no-such-device' };

/** Each call opens a socket, or reads many files. */
const openings = {
  getSystemDefaults: () => face.getSystemDefaults(),
  'openSocket, refused': () =>
    refuse(() => face.openSocket({ type: 'tcp4', socketOptions: noDevice })),
  connect: async () => {
    const socket = face.connect({ ...opens, socketOptions: { synRetries: 3 } });
    const closed = closedOf(socket);
    socket.once('connect', () => socket.resetAndDestroy());
    await closed;
  },
  'connect, refused': async () => {
    const socket = face.connect({ ...opens, socketOptions: noDevice }).on('error', () => {});
    await closedOf(socket);
  },
  'connect, destroyed': () =>
    closedOf(face.connect({ ...opens, socketOptions: { synRetries: 3 } }).destroy()),
  listen: async () => {
    const one = net.createServer();
    face.listen(one, { ...opens, port: 0, socketOptions: { freeBind: true } });
    await once(one, 'listening');
    await closedOf(one.close());
    await turn();
  },
  'listen, refused': async () => {
    const one = net.createServer();
    const failed = new Promise((resolve) => one.once('error', resolve));
    face.listen(one, { ...opens, port: 0, socketOptions: noDevice });
    await failed;
    await turn();
  },
  bind: async () => {
    const one = dgram.createSocket('udp4');
    face.bind(one, { port: 0, address: '127.0.0.1', socketOptions: { freeBind: true } });
    await once(one, 'listening');
    one.close();
    await closedOf(one);
    await turn();
  },
  'bind, refused': async () => {
    const one = dgram.createSocket('udp4');
    refuse(() => face.bind(one, { port: 0, socketOptions: noDevice }));
    one.close();
    await closedOf(one);
    await turn();
  },
};

const metrics = new TcpMetrics({ interval: 1_000, peer: () => 'peer' });

/** Each call of the first opens a connection that is measured at both ends. */
const measured = {
  'a connection with metrics': async () => {
    const socket = net.connect(opens);
    const closed = closedOf(socket);
    socket.once('connect', () => socket.resetAndDestroy());
    await closed;
  },
  'text of metrics': () => metrics.text(),
  'TcpMetrics, closed': () => new TcpMetrics({ peer: () => 'peer' }).close(),
};

function settle() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  return process.memoryUsage.rss();
}

const PARTS = 5;

/**
 * The growth of the process in bytes: the median of five parts of the calls, or their sum if that is less. A leak is in
 * each part and in the sum. Memory that the compiler or the collector takes once is in one part only. Memory that the
 * collector takes and gives back is not in the sum.
 */
async function growth(operation, calls) {
  const parts = [];
  let before = settle();
  for (let part = 0; part < PARTS; part++) {
    for (let i = 0; i < calls / PARTS; i++) {
      const pending = operation();
      if (pending instanceof Promise) await pending;
    }
    // One collection between two parts: memory that is freed late is then at both ends of a part.
    const after = settle();
    parts.push(after - before);
    before = after;
  }
  const sum = parts.reduce((all, part) => all + part);
  return Math.min(parts.sort((a, b) => a - b)[PARTS >> 1] * PARTS, sum);
}

const descriptors = () => readdirSync('/proc/self/fd').length;

let failures = 0;
function report(name, calls, grown, time) {
  const ok = !judge || grown <= ALLOWED_BYTES;
  if (!ok) failures++;
  const growth = `${(grown / 1_024).toFixed(0)} kB`;
  console.log(
    `${ok ? 'ok    ' : 'GROWN '} ${name.padEnd(34)} ${String(calls).padStart(8)} ${growth.padStart(9)}  ${time.toFixed(1)} s`,
  );
}

console.log(`       ${'operation'.padEnd(34)}    calls     grown`);
const openBefore = descriptors();
async function measure(all, calls) {
  for (const [name, operation] of Object.entries(all)) {
    const start = performance.now();
    // Caches and compiled code of the first calls are no leak.
    for (let i = 0; i < calls / 10; i++) await operation();
    report(name, calls, await growth(operation, calls), (performance.now() - start) / 1_000);
  }
}
await measure(operations, CALLS);
beating.close();
await measure(heartbeats, Math.ceil(CALLS / 10));
// Before the connections of the next group fill the kernel's list: it keeps them for a minute.
await measure(slowOperations, Math.ceil(CALLS / 100));
await measure(openings, Math.ceil(CALLS / 10));
await measure(measured, Math.ceil(CALLS / 10));
metrics.close();

// A thousand sockets for each read.
{
  const sockets = Array(1_000).fill(client);
  const sweeps = Math.ceil(CALLS / 1_000);
  const start = performance.now();
  const sweep = () => face.readTcpInfosAsync(sockets);
  for (let i = 0; i < sweeps / 10; i++) await sweep();
  const grown = await growth(sweep, sweeps);
  const time = (performance.now() - start) / 1_000;
  report('readTcpInfosAsync, a thousand', sweeps, grown, time);
}

const fixture = fileURLToPath(new URL('../../fixtures/worker.mjs', import.meta.url));
async function worker() {
  const thread = new Worker(fixture, { workerData: { rounds: 10 } });
  await once(thread, 'exit');
}
const start = performance.now();
for (let i = 0; i < 20; i++) await worker();
const before = settle();
for (let i = 0; i < 100; i++) await worker();
// Arenas and stacks of threads come and go in megabytes; leaked environments would be more.
const grown = settle() - before;
const perWorker = grown / 100;
const workersOk = !judge || perWorker < 64 * 2 ** 10;
if (!workersOk) failures++;
console.log(
  `${workersOk ? 'ok    ' : 'GROWN '} ${'a worker, started and stopped'.padEnd(34)} ${'100'.padStart(8)} ${`${(grown / 1_024).toFixed(0)} kB`.padStart(9)}  ${((performance.now() - start) / 1_000).toFixed(1)} s`,
);

const left = descriptors() - openBefore;
if (left > 0) failures++;
console.log(`${left > 0 ? 'LEFT  ' : 'ok    '} descriptors left open: ${left}`);
const more = listeners() - listenersBefore;
if (more !== 0) failures++;
console.log(`${more !== 0 ? 'LEFT  ' : 'ok    '} listeners left on sockets: ${more}`);
client.destroy();
tuned.destroy();
server.close();
process.exitCode = failures === 0 ? 0 : 1;
