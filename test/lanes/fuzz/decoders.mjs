// The decoders of lib/tcp-info/ for every system, of every length from 0 to 400; what reads options
// and settings. A decoder must not throw, must not read beyond the length, and the object and the values
// that are made of one structure must agree.
import { deepStrictEqual, ok } from 'node:assert';
import { createRequire } from 'node:module';
import { source } from '../../../scripts/source.mjs';
import { fuzz } from './target.mjs';

const require = createRequire(import.meta.url);
const socketOptions = require('../../../dist/index.js');

const records = new ArrayBuffer(512);
/** The modules over records of our own: for lib/options/codec.ts. */
const {
  Batch,
  newValues,
  prepareColumns,
  systems,
  tcpInfoOf,
  parseAddress,
  formatAddress,
  isInPrefix,
  parsePrefix,
  codecs,
  rows,
} = await source(
  [
    'tcp-info/system',
    'tcp-info/batch',
    'tcp-info/values',
    'core/address',
    'options/codec',
    'catalogue/catalogue',
  ],
  {
    'core/record-buffer': { words: new Int32Array(records), bytes: new Uint8Array(records) },
    'core/constants': { constantTables: () => ({ values: socketOptions.constants, levels: {} }) },
  },
);

const LONGEST = 400;
const WORDS = LONGEST / 4 + 40;

/** The structure at a word of some memory, and `poison` everywhere else, up to its last byte. */
function memory(bytes, length, at, poison) {
  const words = new Uint32Array(WORDS).fill(poison);
  new Uint8Array(words.buffer).set(bytes.subarray(0, length), at * 4);
  return words;
}

function sameTwice(decode, label) {
  const [one, other] = [0, 0xffff_ffff].map(decode);
  deepStrictEqual(one, other, `${label}: bytes beyond the length were read`);
  return one;
}

function checkNumbers(object, label) {
  for (const [name, value] of Object.entries(object)) {
    if (name === 'state')
      ok(value === null || socketOptions.tcpStates.includes(value), `${label} ${value}`);
    else ok(value === null || Number.isFinite(value), `${label}: ${name} is ${value}`);
  }
}

/** The bytes of a structure that a batch has room for. */
const BATCH_ROOM = 296;

/** The values of one socket, each decoded as a column. */
function byColumn(system, words, length) {
  const batch = new Batch(1);
  batch.words.set(words.subarray(0, BATCH_ROOM / 4), batch.structureAt(0));
  batch.setLength(0, Math.min(length, BATCH_ROOM));
  prepareColumns(batch, 1, system);
  const column = new Float64Array(1);
  return newValues().map((_, field) => {
    system.fillColumn(field, batch, 1, column);
    return column[0];
  });
}

function checkSystem(name, bytes, length, at) {
  const { decode, decodeStructure, fillValues } = systems[name];
  const label = `${name}, ${length} bytes`;
  const info = sameTwice((poison) => decode(memory(bytes, length, at, poison), at, length), label);
  checkNumbers(info, label);
  const values = sameTwice((poison) => {
    const values = newValues();
    fillValues(memory(bytes, length, at, poison), at, length, values);
    return values;
  }, `${label} as values`);
  deepStrictEqual(tcpInfoOf(values), info, `${label}: the values and the object differ`);
  const columns = sameTwice(
    (poison) => byColumn(systems[name], memory(bytes, length, at, poison).subarray(at), length),
    `${label} by column`,
  );
  if (length <= BATCH_ROOM) deepStrictEqual(columns, values, `${label}: the columns differ`);
  const kernel = sameTwice(
    (poison) => decodeStructure(memory(bytes, length, at, poison).subarray(at), length),
    `${label} under the kernel's names`,
  );
  checkNumbers(kernel, label);
}

/** Small numbers, as kernels have them, and any. */
function structure(random) {
  const bytes = random.bytes(LONGEST);
  if (random.oneIn(2)) for (let i = 0; i < LONGEST; i++) bytes[i] &= random.pick([0, 0, 1, 0xff]);
  // The state: mostly one that there is.
  if (random.oneIn(2)) bytes[0] = random.below(14);
  return bytes;
}

/** An address as text is the same bytes again; a prefix has its own address in it. */
function checkAddress(random) {
  const size = random.pick([4, 16]);
  const bytes = random.bytes(size).map((byte) => (random.oneIn(2) ? 0 : byte));
  const text = formatAddress(bytes, 0, size);
  deepStrictEqual(Uint8Array.from(parseAddress(text)), bytes, text);
  const prefix = parsePrefix(`${text}/${random.below(size * 8 + 1)}`);
  ok(prefix !== undefined && isInPrefix(prefix, bytes, 0, size), text);
  for (const other of ['', '/', '.', ':', text.slice(1), `${text}/`, `${text}/x`, `${text}%1`]) {
    parsePrefix(other);
    parseAddress(other);
  }
}

const LETTERS = 'netipv4/.-_0 \0%é\n~'.split('');

/** A setting is its text, or `null` with a reason, or its name is refused. */
function checkSetting(random) {
  const real = random.pick([
    'net.ipv4.tcp_retries2',
    'net/ipv4/tcp_rmem',
    'kernel.ostype',
    'net.ipv4',
  ]);
  let name = random.oneIn(3) ? '' : real;
  for (let times = random.below(4); times > 0; times--) {
    const at = random.below(name.length + 1);
    name = name.slice(0, at) + random.pick(LETTERS) + name.slice(at + random.below(2));
  }
  if (random.oneIn(20)) name = name.repeat(20);
  try {
    const { value, reason } = socketOptions.getSysctl(name);
    ok(typeof value === 'string' ? reason === null : typeof reason === 'string', name);
  } catch (error) {
    ok(error.code === 'ERR_INVALID_ARG_VALUE', `${name}: ${error.stack}`);
  }
}

const platformOptions = Object.values(rows()).flatMap((row) =>
  ['linux', 'darwin', 'win32', 'freebsd']
    .filter((system) => row[system])
    .map((system) => ({ row, platformOption: row[system], name: row[system].name })),
);

/** Of what the kernel wrote, `length` bytes, the rest of the room is zeros; beyond it there is anything. */
function checkCodec(random) {
  const option = random.pick(platformOptions);
  const codec = codecs[option.row.kind];
  const written = random.bytes(codec.room);
  const at = random.below(16);
  for (let length = 0; length <= codec.room; length++) {
    sameTwice((poison) => {
      new Uint32Array(records).fill(poison);
      const room = new Uint8Array(records, at * 4, codec.room);
      room.fill(0);
      room.set(written.subarray(0, length));
      return codec.decode(at, length, option);
    }, `${option.name}, ${length} bytes`);
  }
  return codec.room + 1;
}

await fuzz((random, note) => {
  const bytes = structure(random);
  const at = random.below(8);
  const name = random.pick(Object.keys(systems));
  note(`${name} at ${at}: ${Buffer.from(bytes).toString('base64')}`);
  for (let length = 0; length <= LONGEST; length++) checkSystem(name, bytes, length, at);
  checkAddress(random);
  checkSetting(random);
  return LONGEST + 3 + checkCodec(random);
});
