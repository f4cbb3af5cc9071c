// The addon itself, without lib/: its functions with random records, counts, lengths, descriptors and
// batches. Options that make the kernel write through a pointer are left out: lib/ refuses them. Runs
// in a network namespace of its own, on sockets that nobody else uses.

import dgram from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { fuzz } from './target.mjs';

const require = createRequire(import.meta.url);
const addon = require(`${process.env.SOCKET_OPTIONS_PREBUILD}/build/Release/socket_options.node`);

const { scratch } = addon;
const head = { socket: new Float64Array(scratch, 0, 1), count: new Int32Array(scratch, 8, 1) };
const RECORDS_END = 16 * 1024;
const words = new Int32Array(scratch, 16, (RECORDS_END - 16) / 4);
const ENTRY = 320;

const { values, levels } = addon.constants();
const known = Object.keys(levels).map((name) => [name, levels[name], values[name]]);
/**
 * Options with which the kernel reads or writes beyond the value, or opens a descriptor: level and
 * number. lib/options/unsafe-options.ts refuses them, which is not here to do it.
 */
const UNSAFE = ['1/26', '1/50', '1/51', '1/52', '1/77', '6/35', '6/41'];
const isHarmless = (level, option) =>
  // Netfilter has its tables at numbers from 64 on.
  !UNSAFE.includes(`${level}/${option}`) &&
  !((level === 0 || level === 41) && option >= 64) &&
  [0, 1, 6, 17, 41].includes(level);
const harmless = known.filter(([, level, option]) => isHarmless(level, option));

const server = net.createServer((socket) => socket.on('error', () => {}));
await once(server.listen(0, '127.0.0.1'), 'listening');
const client = net.connect(server.address().port, '127.0.0.1').on('error', () => {});
await once(client, 'connect');
const udp = dgram.createSocket('udp6');
udp.bind(0, '::1');
await once(udp, 'listening');
const sockets = [client._handle.fd, server._handle.fd];
const others = [-1, 0, 1_000_000, 2 ** 31 - 1, -(2 ** 31)];
const strange = [...others, Number.NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, 0.5];

const descriptor = (random) => (random.oneIn(3) ? random.pick(strange) : random.pick(sockets));

/** A level and an option, mostly existing ones. */
function option(random) {
  if (random.oneIn(4)) {
    const pair = [random.pick([0, 1, 6, 17, 41]), random.below(90)];
    return isHarmless(...pair) ? pair : [6, 1];
  }
  return random.pick(harmless).slice(1);
}

const LENGTHS = [
  0, 1, 2, 3, 4, 4, 4, 5, 8, 16, 64, 104, 255, 4_096, 16_352, 16_356, 16_357, 16_384,
];
const length = (random) =>
  random.oneIn(6) ? random.next() | 0 : random.oneIn(8) ? -1 : random.pick(LENGTHS);

/** Writes records with possibly wrong lengths, and makes a call that reads them. */
function records(random) {
  let at = 0;
  const count = random.below(40);
  if (random.oneIn(3)) words.fill(random.next());
  for (let i = 0; i < count && at + 3 < words.length; i++) {
    const [level, name] = option(random);
    const size = length(random);
    words.set([level, name, size], at);
    if (at + 3 < words.length) words[at + 3] = random.oneIn(2) ? random.below(100) : random.next();
    at += 3 + (random.oneIn(4) ? random.below(5_000) : (Math.max(size, 0) + 3) >> 2);
  }
  head.socket[0] = descriptor(random);
  head.count[0] = random.oneIn(4) ? random.pick([-1, 2 ** 31 - 1, 1_000, 5_000]) : count;
  const call = random.pick(['setOptions', 'getOptions']);
  // After the records there are arbitrary bytes, which may only contain harmless options.
  if (!walkIsHarmless()) return 'not harmless';
  addon[call]();
  return call;
}

/** The addon's own walk, done here before: whether every record in it may be tried. */
function walkIsHarmless() {
  let at = 0;
  for (let i = 0; i < head.count[0] && at + 3 <= words.length; i++) {
    const [level, name, size] = words.subarray(at, at + 3);
    if (!isHarmless(level, name)) return false;
    if (size < 0 || size > (words.length - at - 3) * 4) break;
    at += 3 + ((size + 3) >> 2);
  }
  return true;
}

/** A batch: of any size, also none, with any sockets, and a count that need not be true. */
function batch(random) {
  const entries = random.pick([0, 1, 3, 64, 256, 300]);
  const buffer = new ArrayBuffer(Math.max(0, entries * ENTRY + random.pick([0, 0, 0, -1, 1, 8])));
  for (let at = 0; at + 24 <= buffer.byteLength; at += ENTRY) {
    new Float64Array(buffer, at, 1)[0] = descriptor(random);
    new Uint32Array(buffer, at + 8, 4).set([random.next(), random.next(), 0, random.below(2)]);
  }
  const count = random.pick([entries, entries + 1, 0, -1, 2 ** 31, 2 ** 32 - 1, Number.NaN, '3']);
  return [random.oneIn(12) ? random.pick(strangers) : buffer, count];
}
/** Values that are no ArrayBuffer, Uint8Array or function. */
const strangers = [undefined, null, 1, 'x', {}, new Uint8Array(8), new SharedArrayBuffer(640)];
const detached = () => {
  const buffer = new ArrayBuffer(640);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
};

async function sweep(random) {
  const [buffer, count] = random.oneIn(10) ? [detached(), 2] : batch(random);
  await new Promise((resolve) => {
    // The batch is not touched meanwhile: lib/ never lets it go.
    if (!addon.sweepTcpInfos(buffer, count, resolve)) resolve();
    else if (random.oneIn(20)) globalThis.gc?.();
  });
  return 'sweepTcpInfos';
}

const anyBytes = (random) =>
  random.oneIn(6)
    ? random.pick([...strangers, new Float64Array(2), new Uint8Array(0)])
    : random.bytes(random.pick([0, 1, 15, 16, 20, 72, 100, 4_096, 40_000]));

/** Queries of sock_diag for everything, for nothing, and random ones. */
function query(random) {
  if (random.oneIn(3)) return anyBytes(random);
  const bytes = new Uint8Array(72);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 72, true);
  view.setUint16(4, 20, true);
  view.setUint16(6, 0x301, true);
  bytes[16] = random.pick([2, 10]);
  bytes[17] = 6;
  bytes[18] = random.next();
  view.setUint32(20, random.oneIn(2) ? 0xffff_ffff : random.next(), true);
  if (random.oneIn(3)) bytes[random.below(72)] = random.next();
  return bytes;
}

function table(random) {
  const number = addon.openConnectionTable(query(random));
  for (let reads = random.below(6); reads > 0; reads--) {
    const memory = random.oneIn(4) ? anyBytes(random) : new Uint8Array(random.below(40_000));
    addon.readConnectionTable(random.oneIn(6) ? random.next() | 0 : number, memory);
  }
  addon.closeConnectionTable(random.oneIn(6) ? random.next() | 0 : number);
  addon.closeConnectionTable(number);
  addon.closeConnectionTable(number);
  return 'openConnectionTable';
}

function watch(random) {
  const limits = [1, 2, 1_024, 0, -1, Number.NaN];
  const call = random.oneIn(8) ? random.pick(strangers) : () => {};
  const number = addon.watchClosedConnections(random.pick(limits), call);
  if (number > 0) addon.holdWatch(number, random.oneIn(2));
  addon.holdWatch(random.next() | 0, true);
  for (let reads = random.below(3); reads > 0; reads--) {
    addon.readConnectionTable(number, anyBytes(random));
  }
  addon.closeConnectionTable(number);
  return 'watchClosedConnections';
}

function search(random) {
  const begun = addon.beginSearch();
  if (random.oneIn(4)) addon.beginSearch();
  for (let looks = random.pick([0, 1, 3, 70]); looks > 0; looks--) addon.sampleHandles();
  const room = random.pick([0, 1, 2, 3, 100, 5_000]);
  if (random.oneIn(4)) addon.endSearch(random.pick([...strangers, new Float32Array(4)]));
  addon.endSearch(new Float64Array(room));
  return begun ? 'endSearch' : 'beginSearch';
}

function setting(random) {
  const bytes = new Uint8Array(scratch, 16, RECORDS_END - 16);
  if (random.oneIn(2)) bytes.set(random.bytes(300));
  else bytes.set(Buffer.from(random.pick(['net/ipv4/tcp_rmem', '../../proc/self/maps', 'net'])));
  addon.readSetting(random.pick([0, 3, 17, 20, 255, 256, 257, -1, 2 ** 32 - 1, Number.NaN, 'x']));
  return 'readSetting';
}

function single(random) {
  head.socket[0] = descriptor(random);
  addon.readTcpInfo();
  addon.readQueues();
  addon.isReusable();
  addon.getDefault(...option(random));
  addon.setKeepAliveValues(descriptor(random), random.oneIn(2), random.next(), random.next());
  return 'readTcpInfo';
}

function batches(random) {
  addon.readTcpInfos(...batch(random));
  addon.identifySockets?.(...batch(random));
  return 'readTcpInfos';
}

function destroy(random) {
  // With families that do not exist: a valid query would close connections.
  const bytes = anyBytes(random);
  if (bytes instanceof Uint8Array && bytes.length > 16) bytes[16] = 99;
  addon.destroyConnection(bytes);
  return 'destroyConnection';
}

const calls = [
  records,
  records,
  records,
  batches,
  sweep,
  table,
  watch,
  search,
  setting,
  single,
  destroy,
];

await fuzz(async (random, note) => {
  const call = random.pick(calls);
  note(call.name);
  await call(random);
  return 1;
});
