// Runs the decoders of lib/connections/ on mutated tables: sock_diag messages (corpus/, and the output of the native
// reader in the file FUZZ_EMITTED), pcblist_n of macOS, and the MIB tables of Windows. A decoder must end without an
// exception, must not read beyond its bytes, and must return valid connections.
import { deepStrictEqual, ok } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIPv4, isIPv6 } from 'node:net';
import { fileURLToPath } from 'node:url';
import { source } from '../../../scripts/source.mjs';
import { mutate } from './random.mjs';
import { fuzz } from './target.mjs';

const require = createRequire(import.meta.url);
const { tcpStates } = require('../../../dist/index.js');
const decoders = await source([
  'connections/darwin',
  'connections/filter',
  'connections/linux/linux',
  'connections/linux/messages',
  'connections/win32',
]);
const folder = fileURLToPath(new URL('corpus/', import.meta.url));

const netlink = readdirSync(folder)
  .filter((name) => name.endsWith('.netlink'))
  .sort()
  .map((name) => new Uint8Array(readFileSync(folder + name)));

/** The output of the native reader in this run. */
function emitted() {
  const path = process.env.FUZZ_EMITTED;
  if (path === undefined || !existsSync(path)) return [];
  const file = readFileSync(path);
  const pieces = [];
  for (let at = 0; at + 4 <= file.length; ) {
    const length = file.readUInt32LE(at);
    pieces.push(new Uint8Array(file.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return pieces;
}

/** macOS: a header, six records for each of two sockets (IPv4 and IPv6), a header. */
function macTable() {
  const parts = [];
  const record = (length, kind, members = {}) => {
    const bytes = Buffer.alloc((length + 7) & ~7, 1);
    bytes.writeUInt32LE(length, 0);
    bytes.writeUInt32LE(kind, 4);
    for (const [at, value] of Object.entries(members)) bytes[at] = value;
    parts.push(bytes);
  };
  const header = () => record(24, 2);
  header();
  for (const [version, state] of [
    [1, 4],
    [2, 1],
  ]) {
    record(108, 0x10, { 44: version });
    record(76, 0x01);
    record(36, 0x02);
    record(36, 0x04);
    record(136, 0x08);
    record(204, 0x20, { 36: state, 37: 0, 38: 0, 39: 0 });
  }
  header();
  return new Uint8Array(Buffer.concat(parts));
}

/** Windows: a count, then rows. */
function windowsTable(size, state) {
  const bytes = new Uint8Array(4 + 4 * size).fill(7);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4, true);
  for (let row = 0; row < 4; row++) view.setUint32(4 + row * size + state, 1 + row * 3, true);
  return bytes;
}

const filters = [
  {},
  { tcpInfo: true, owners: true },
  { state: ['LISTEN', 'ESTABLISHED'], family: 'IPv6' },
  { port: [80, 443], localAddress: '127.0.0.0/8' },
  { remotePort: 0, remoteAddress: 'fe80::/10' },
].map((filter) => decoders.parseFilter(filter, 'filter'));

/** Decodes sock_diag messages to flags and connections. */
function decodeDiag(bytes, filter) {
  const messages = new decoders.DiagMessages();
  messages.load(bytes);
  const found = [];
  const keys = [];
  while (messages.next()) {
    ok(found.length < 1_000, 'more sockets than fit into the bytes');
    keys.push(messages.endpointKey);
    if (decoders.matchesFilter(filter, messages)) {
      found.push(decoders.connectionFromMessage(messages, filter.tcpInfo, null));
    }
  }
  const { done, errno, interrupted, dropped, overruns } = messages;
  ok(Number.isInteger(errno) && errno <= 0, `errno ${errno}`);
  return { found, keys, done, errno, interrupted, dropped, overruns };
}

/** Splits messages as long as their lengths are valid. */
function* splitMessages(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; bytes.length - at >= 16; ) {
    const length = view.getUint32(at, true);
    if (length < 16 || length > bytes.length - at) return;
    yield bytes.slice(at, at + length);
    at += (length + 3) & ~3;
  }
}

/** The result for a message must not depend on other messages. */
function checkAlone(bytes, filter) {
  const alone = [...splitMessages(bytes)].flatMap((message) => decodeDiag(message, filter).found);
  deepStrictEqual(alone, decodeDiag(bytes, filter).found, 'the bytes of another message were read');
}

const targets = [
  { seeds: [...netlink, ...emitted()], decode: decodeDiag, check: checkAlone },
  {
    seeds: [macTable()],
    decode: (bytes, filter) => ({ found: decoders.decodePcbList(bytes, filter) }),
  },
  ...[
    ['IPv4', 24, 0],
    ['IPv6', 56, 48],
  ].map(([family, size, state]) => ({
    seeds: [windowsTable(size, state)],
    decode: (bytes, filter) => ({
      found: decoders.decodeTcpTable(bytes, family, filter),
    }),
  })),
];

function checkConnection(connection) {
  const { family, state, localAddress, remoteAddress, localPort, remotePort } = connection;
  const isAddress = family === 'IPv4' ? isIPv4 : isIPv6;
  ok(family === 'IPv4' || family === 'IPv6', family);
  ok(tcpStates.includes(state), state);
  for (const address of [localAddress, remoteAddress]) ok(isAddress(address), address);
  for (const port of [localPort, remotePort]) {
    ok(Number.isInteger(port) && port >= 0 && port <= 65_535, `port ${port}`);
  }
  for (const name of ['receiveQueue', 'sendQueue', 'uid', 'inode', 'interfaceIndex']) {
    const value = connection[name];
    ok(value === null || (Number.isInteger(value) && value >= 0), `${name} ${value}`);
  }
}

/** Copies the bytes between other bytes, at any alignment. */
function surround(bytes, poison, offset) {
  const memory = new Uint8Array(bytes.length + 64).fill(poison);
  memory.set(bytes, offset);
  return memory.subarray(offset, offset + bytes.length);
}

/** Decodes twice, between different other bytes: the results must be the same. */
function check({ decode, check: more }, bytes, filter, offset) {
  const results = [0x00, 0xff].map((poison) => decode(surround(bytes, poison, offset), filter));
  deepStrictEqual(results[0], results[1], 'bytes outside of the table were read');
  for (const connection of results[0].found) checkConnection(connection);
  more?.(bytes, filter);
}

await fuzz((random, note) => {
  const target = random.pick(targets);
  const seed = random.pick(target.seeds);
  const filter = random.pick(filters);
  const offset = random.below(9);
  // Sometimes the unchanged table, cut off at each length.
  if (random.oneIn(50)) {
    for (let length = 0; length <= Math.min(seed.length, 2_500); length++) {
      check(target, seed.slice(0, length), filter, offset);
    }
    return seed.length + 1;
  }
  const bytes = mutate(random, seed, target.seeds);
  note(Buffer.from(bytes).toString('base64').slice(0, 3_500));
  check(target, bytes, filter, offset);
  return 1;
});
