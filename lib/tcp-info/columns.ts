// The state of thousands of connections: one native call for many of them, a column for each field.

import { binding } from '../core/addon';
import { errnoOf } from '../core/errors';
import type { Handle, SocketLike } from '../core/socket';
import { descriptorOfHandle, findDescriptors, handleOrDescriptor } from '../core/socket';
import { typedArrayKind, typedArrayLength } from '../core/typed-arrays';
import { rangeError, typeError, validateArray, validateOneOf } from '../core/validate';
import { newRow, rowFields } from './row';
import { system } from './system';
import type { TcpInfoField } from './tcp-info';

/** A column for each field, a row for each socket. */
export type TcpInfoColumns<Field extends TcpInfoField = TcpInfoField> = {
  readonly [Name in Field]: Float64Array;
} & {
  /** 0, or why a socket could not be read: a negative libuv code, as `errno` of Node's errors. */
  readonly errno: Int32Array;
};

// A sheet is memory that JS and the addon share: `struct Entry` of native/tcp_info.cc for each socket.
const ENTRY = 320;
const ENTRY_WORDS = ENTRY / 4;
const ENTRY_DOUBLES = ENTRY / 8;
const LENGTH = 2;
const IDENTITY = 4;
const INFO = 6;

/**
 * How many sockets a native call reads at most: what it read is still in a near cache when it is looked
 * at, and what is done on the main thread for those that another read takes about 0.1 ms.
 */
const SHEET = 256;

interface Sheet {
  readonly buffer: ArrayBuffer;
  readonly sockets: Float64Array;
  readonly words: Int32Array;
  readonly unsigned: Uint32Array;
  /** The row of each entry. */
  readonly rows: Uint32Array;
}

function newSheet(sockets: number): Sheet {
  const buffer = new ArrayBuffer(sockets * ENTRY);
  return {
    buffer,
    sockets: new Float64Array(buffer),
    words: new Int32Array(buffer),
    unsigned: new Uint32Array(buffer),
    rows: new Uint32Array(sockets),
  };
}

/** Kept from call to call; as large as the largest so far. Only touched where no code of a caller runs. */
let kept = newSheet(0);

/**
 * What a call works on. Whatever the caller passed was looked at once to make it, and is not looked at
 * again: no getter, no proxy and no later change moves a row.
 */
interface Reading {
  readonly sockets: readonly (Handle | number)[];
  /** The places in `rowFields` of what is wanted, and a column for each. */
  readonly fields: readonly number[];
  readonly columns: readonly Float64Array[];
  readonly errno: Int32Array;
  readonly result: TcpInfoColumns;
}

/**
 * Reads the state of many connections at once into columns: one native call for a thousand of them.
 *
 * ```js
 * const { rtt, probes, errno } = readTcpInfos(sockets, ['rtt', 'probes']);
 * ```
 *
 * Row i is of `sockets[i]`. A column is a Float64Array with NaN where {@link TcpInfo} has null; that of
 * `state` holds the index in {@link tcpStates}. A socket that cannot be read, because it is closed or no
 * TCP socket, does not fail the rest: its `errno` is the negative libuv code, its row NaN.
 *
 * About a microsecond for each socket. Without `fields` all of them are read. With `out`, what an
 * earlier call returned, its columns are filled again and returned; they may be longer.
 * @throws TypeError, RangeError for wrong arguments
 */
export function readTcpInfos<Field extends TcpInfoField = TcpInfoField>(
  sockets: readonly SocketLike[],
  fields?: readonly Field[],
  out?: TcpInfoColumns<Field>,
): TcpInfoColumns<Field> {
  const reading = newReading(sockets, fields, out);
  findDescriptors(reading.sockets);
  const rows = reading.sockets.length;
  const descriptors = new Float64Array(rows);
  for (let row = 0; row < rows; row++) descriptors[row] = descriptorIn(reading, row);
  checkRoom(reading);
  if (kept.rows.length < Math.min(rows, SHEET)) kept = newSheet(Math.min(rows, SHEET));
  const { readTcpInfos: readSheet } = binding();
  for (let from = 0; from < rows; from += SHEET) {
    const count = Math.min(rows - from, SHEET);
    for (let i = 0; i < count; i++) {
      put(kept, i, from + i, descriptors[from + i] as number, 0, 0);
    }
    readSheet(kept.buffer, count);
    take(kept, reading, count);
  }
  return reading.result;
}

/**
 * The same as {@link readTcpInfos}, off the main thread and in parts of 256 sockets. Each part holds
 * the event loop up for less than a millisecond.
 *
 * A row is always of the socket that it had at the call. A socket that is closed meanwhile gets `UV_EBADF`
 * as `errno`, also where its descriptor belongs to another socket by then. So everything that is passed
 * is looked at once, at the call:
 *
 * - an object of Node: 0.05 µs. Its handle is asked again when its part is read.
 * - a number or `{ fd }`: one getsockopt(2), 0.6 µs, because a number does not show that it was closed. On
 *   Linux it is identified by the socket's cookie (`SO_COOKIE`). Where sockets have none (macOS,
 *   Windows, Linux before 4.11), it is read at the call.
 *
 * Pass objects of Node where there are many: 100 000 numbers hold the event loop up for 60 ms. Where sockets
 * have no cookie, objects of Node are read on the main thread, in the same parts.
 *
 * Rejects with what {@link readTcpInfos} throws, also where a column of `out` was detached or shrunk
 * meanwhile.
 */
export async function readTcpInfosAsync<Field extends TcpInfoField = TcpInfoField>(
  sockets: readonly SocketLike[],
  fields?: readonly Field[],
  out?: TcpInfoColumns<Field>,
): Promise<TcpInfoColumns<Field>> {
  const reading = newReading(sockets, fields, out);
  checkRoom(reading);
  const sheet = newSheet(Math.min(reading.sockets.length, SHEET));
  const { sweepTcpInfos } = binding();
  // Now, for a number says nothing about whose it is later. A handle of Node does.
  const { rows, identities } = identify(sheet, reading);
  for (let from = 0; from < rows.length; from += SHEET) {
    const count = Math.min(rows.length - from, SHEET);
    findDescriptors(rows.slice(from, from + count).map((row) => reading.sockets[row] as Handle));
    for (let i = 0; i < count; i++) {
      const row = rows[from + i] as number;
      const [low, high] = [identities[2 * row] as number, identities[2 * row + 1] as number];
      put(sheet, i, row, descriptorIn(reading, row), low, high);
    }
    await new Promise<void>((resolve) => {
      // Where no thread can be sure of a socket, it was read here, and other work is let in between.
      if (!sweepTcpInfos(sheet.buffer, count, resolve)) setImmediate(resolve);
    });
    checkRoom(reading);
    take(sheet, reading, count);
  }
  return reading.result;
}

/** The rows that still have to be read, and the identities of the sockets that came as numbers. */
interface Roster {
  readonly rows: number[];
  /** Two words for each row. */
  readonly identities: Int32Array;
}

/**
 * Identifies the sockets that are given as numbers. What cannot be identified is read at once: it is no
 * socket, or this system gives sockets no identity.
 */
function identify(sheet: Sheet, reading: Reading): Roster {
  const { sockets } = reading;
  const roster: Roster = { rows: [], identities: new Int32Array(2 * sockets.length) };
  let count = 0;
  for (let row = 0; row < sockets.length; row++) {
    const socket = sockets[row] as Handle | number;
    if (typeof socket === 'number') put(sheet, count++, row, socket, 0, 0);
    else roster.rows.push(row);
    if (count === SHEET) {
      identifyEntries(sheet, reading, count, roster);
      count = 0;
    }
  }
  identifyEntries(sheet, reading, count, roster);
  return roster;
}

function identifyEntries(sheet: Sheet, reading: Reading, count: number, roster: Roster): void {
  const { identifySockets, readTcpInfos: readSheet } = binding();
  const { rows, sockets, words } = sheet;
  identifySockets(sheet.buffer, count);
  let others = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    const low = words[i * ENTRY_WORDS + IDENTITY] as number;
    const high = words[i * ENTRY_WORDS + IDENTITY + 1] as number;
    if (low === 0 && high === 0) {
      put(sheet, others++, row, sockets[i * ENTRY_DOUBLES] as number, 0, 0);
    } else {
      roster.rows.push(row);
      roster.identities[2 * row] = low;
      roster.identities[2 * row + 1] = high;
    }
  }
  readSheet(sheet.buffer, others);
  take(sheet, reading, others);
}

/** Looks at everything that the caller passed, once. */
function newReading(sockets: unknown, fields: unknown, out: unknown): Reading {
  if (!Array.isArray(sockets)) throw typeError('sockets', 'an array of sockets', sockets);
  const wanted = checkedFields(fields);
  const found: (Handle | number)[] = [];
  const { length } = sockets;
  for (let row = 0; row < length; row++) found.push(handleOrDescriptor(sockets[row]));
  const names = wanted.map((field) => rowFields[field] as string);
  const given = out === undefined ? newColumns(found.length, names) : out;
  if (typeof given !== 'object' || given === null) {
    throw typeError('out', 'what an earlier call returned', out);
  }
  return {
    sockets: found,
    fields: wanted,
    errno: columnIn(given, 'errno', 'Int32Array') as Int32Array,
    columns: names.map((name) => columnIn(given, name, 'Float64Array') as Float64Array),
    result: given as TcpInfoColumns,
  };
}

function checkedFields(fields: unknown): number[] {
  if (fields === undefined) return [...rowFields.keys()];
  return validateArray(fields, 'fields', 'an array of names of TcpInfo').map((field) =>
    rowFields.indexOf(validateOneOf(field, 'fields', rowFields)),
  );
}

function newColumns(rows: number, names: readonly string[]): object {
  const columns: Record<string, unknown> = { errno: new Int32Array(rows) };
  for (const name of names) columns[name] = new Float64Array(rows);
  return columns;
}

function columnIn(out: object, name: string, kind: 'Int32Array' | 'Float64Array'): unknown {
  const column = (out as Record<string, unknown>)[name];
  if (typedArrayKind(column) !== kind) throw typeError(`out.${name}`, `a ${kind}`, column);
  return column;
}

/** Whether the columns still have a place for each row: they may have been detached, or have shrunk. */
function checkRoom({ sockets, fields, columns, errno }: Reading): void {
  const rows = sockets.length;
  const check = (name: string | undefined, column: Float64Array | Int32Array) => {
    const length = typedArrayLength(column);
    if (length < rows) throw rangeError(`out.${name}.length`, `>= ${rows}`, length);
  };
  check('errno', errno);
  for (let k = 0; k < columns.length; k++) {
    check(rowFields[fields[k] as number], columns[k] as Float64Array);
  }
}

function descriptorIn({ sockets }: Reading, row: number): number {
  const socket = sockets[row] as Handle | number;
  return typeof socket === 'number' ? socket : descriptorOfHandle(socket);
}

/** Writes an entry of a sheet. */
function put(sheet: Sheet, i: number, row: number, socket: number, low: number, high: number) {
  sheet.rows[i] = row;
  sheet.sockets[i * ENTRY_DOUBLES] = socket;
  sheet.words[i * ENTRY_WORDS + IDENTITY] = low;
  sheet.words[i * ENTRY_WORDS + IDENTITY + 1] = high;
}

/** Takes what the addon read over into the columns. */
function take(sheet: Sheet, { columns, fields, errno }: Reading, count: number): void {
  const { sockets, words, unsigned, rows } = sheet;
  const closed = errnoOf('EBADF') as number;
  for (let i = 0; i < count; i++) {
    const isOpen = (sockets[i * ENTRY_DOUBLES] as number) >= 0;
    const length = isOpen ? (words[i * ENTRY_WORDS + LENGTH] as number) : closed;
    errno[rows[i] as number] = Math.min(length, 0);
    // Of a refused one, every field is NaN.
    words[i * ENTRY_WORDS + LENGTH] = Math.max(length, 0);
  }
  const { fillRow } = system;
  for (let start = 0; start < count; start += BLOCK) {
    const size = Math.min(count - start, BLOCK);
    for (let i = 0; i < size; i++) {
      const entry = (start + i) * ENTRY_WORDS;
      fillRow(unsigned, entry + INFO, words[entry + LENGTH] as number, block[i] as Float64Array);
    }
    for (let k = 0; k < columns.length; k++) {
      const column = columns[k] as Float64Array;
      const field = fields[k] as number;
      for (let i = 0; i < size; i++) {
        column[rows[start + i] as number] = (block[i] as Float64Array)[field] as number;
      }
    }
  }
}

/** Rows that are made before they are turned into columns: as many as the nearest cache holds. */
const BLOCK = 64;
const block = Array.from({ length: BLOCK }, newRow);
