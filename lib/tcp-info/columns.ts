// The state of thousands of connections: one native call for many of them, a column for each field.

import {
  binding,
  descriptorIfOpen,
  errnoOf,
  findDescriptors,
  rangeError,
  typeError,
  valueError,
} from '../given';
import type { SocketLike } from '../socket';
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
}

function newSheet(sockets: number): Sheet {
  const buffer = new ArrayBuffer(sockets * ENTRY);
  return {
    buffer,
    sockets: new Float64Array(buffer),
    words: new Int32Array(buffer),
    unsigned: new Uint32Array(buffer),
  };
}

/** Kept from call to call; as large as the largest so far. */
let kept = newSheet(0);

type Columns = Record<string, Float64Array> & { errno: Int32Array };

export function readTcpInfos(
  sockets: readonly SocketLike[],
  fields?: readonly TcpInfoField[],
  out?: TcpInfoColumns,
): TcpInfoColumns {
  const wanted = checkedFields(sockets, fields);
  const columns = columnsFor(sockets.length, wanted, out);
  if (kept.sockets.length < Math.min(sockets.length, SHEET) * ENTRY_DOUBLES) {
    kept = newSheet(Math.min(sockets.length, SHEET));
  }
  const sheet = kept;
  const { readTcpInfos: readSheet } = binding();
  findDescriptors(sockets, 0, sockets.length);
  for (let from = 0; from < sockets.length; from += SHEET) {
    const count = Math.min(sockets.length - from, SHEET);
    fill(sheet, sockets, from, count);
    readSheet(sheet.buffer, count);
    take(sheet, columns, wanted, from, count);
  }
  return columns as unknown as TcpInfoColumns;
}

export async function readTcpInfosAsync(
  sockets: readonly SocketLike[],
  fields?: readonly TcpInfoField[],
  out?: TcpInfoColumns,
): Promise<TcpInfoColumns> {
  const wanted = checkedFields(sockets, fields);
  // What the caller does to the array meanwhile is not to move rows.
  const all = sockets.slice();
  const columns = columnsFor(all.length, wanted, out);
  const sheet = newSheet(Math.min(all.length, SHEET));
  const { sweepTcpInfos, readTcpInfos: readSheet } = binding();
  for (let from = 0; from < all.length; from += SHEET) {
    const count = Math.min(all.length - from, SHEET);
    findDescriptors(all, from, count);
    fill(sheet, all, from, count);
    await new Promise<void>((resolve) => {
      if (sweepTcpInfos(sheet.buffer, count, resolve)) return;
      // Where no thread can be sure of a socket, it is read here, and other work let in between.
      readSheet(sheet.buffer, count);
      setImmediate(resolve);
    });
    take(sheet, columns, wanted, from, count);
  }
  return columns as unknown as TcpInfoColumns;
}

function checkedFields(sockets: unknown, fields: unknown): readonly string[] {
  if (!Array.isArray(sockets)) throw typeError('sockets', 'an array of sockets', sockets);
  if (fields === undefined) return rowFields;
  if (!Array.isArray(fields)) {
    throw typeError('fields', 'an array of names of TcpInfo', fields);
  }
  for (const field of fields) {
    if (!rowFields.includes(field as TcpInfoField)) {
      throw valueError('fields', 'must hold names of TcpInfo', field);
    }
  }
  return fields;
}

function columnsFor(rows: number, fields: readonly string[], out: unknown): Columns {
  if (out === undefined) {
    const columns: Record<string, unknown> = { errno: new Int32Array(rows) };
    for (const field of fields) columns[field] = new Float64Array(rows);
    return columns as Columns;
  }
  if (typeof out !== 'object' || out === null) {
    throw typeError('out', 'what an earlier call returned', out);
  }
  const columns = out as Record<string, unknown>;
  checkColumn(columns.errno, Int32Array, 'errno', rows);
  for (const field of fields) checkColumn(columns[field], Float64Array, field, rows);
  return out as Columns;
}

function checkColumn(
  column: unknown,
  type: typeof Int32Array | typeof Float64Array,
  name: string,
  rows: number,
): void {
  if (!(column instanceof type)) throw typeError(`out.${name}`, `a ${type.name}`, column);
  if (column.length < rows) throw rangeError(`out.${name}.length`, `>= ${rows}`, column.length);
}

/** Writes the descriptors of `count` sockets into the sheet. */
function fill(sheet: Sheet, sockets: readonly SocketLike[], from: number, count: number): void {
  for (let i = 0; i < count; i++) {
    sheet.sockets[i * ENTRY_DOUBLES] = descriptorIfOpen(sockets[from + i] as SocketLike);
  }
}

/** Takes what the addon read over into the columns. */
function take(
  sheet: Sheet,
  columns: Columns,
  fields: readonly string[],
  from: number,
  count: number,
): void {
  const { sockets, words, unsigned } = sheet;
  const { errno } = columns;
  const closed = errnoOf('EBADF') as number;
  for (let i = 0; i < count; i++) {
    const isOpen = (sockets[i * ENTRY_DOUBLES] as number) >= 0;
    const length = isOpen ? (words[i * ENTRY_WORDS + LENGTH] as number) : closed;
    errno[from + i] = Math.min(length, 0);
    // Of a refused one, every field is NaN.
    words[i * ENTRY_WORDS + LENGTH] = Math.max(length, 0);
  }
  const wanted = fields.map((field) => columns[field] as Float64Array);
  const { fillRow } = system;
  const indices = fields.map((field) => rowFields.indexOf(field as TcpInfoField));
  for (let start = 0; start < count; start += BLOCK) {
    const size = Math.min(count - start, BLOCK);
    for (let i = 0; i < size; i++) {
      const entry = (start + i) * ENTRY_WORDS;
      fillRow(unsigned, entry + INFO, words[entry + LENGTH] as number, rows[i] as Float64Array);
    }
    for (let k = 0; k < wanted.length; k++) {
      const column = wanted[k] as Float64Array;
      const index = indices[k] as number;
      for (let i = 0; i < size; i++) {
        column[from + start + i] = (rows[i] as Float64Array)[index] as number;
      }
    }
  }
}

/** Rows that are made before they are turned into columns: as many as the nearest cache holds. */
const BLOCK = 64;
const rows = Array.from({ length: BLOCK }, newRow);
