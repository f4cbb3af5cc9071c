// Reads the state of many connections into one column per field, with one native call per batch.

import { binding } from '../core/addon';
import type { SocketLike } from '../core/socket';
import { descriptorsOf, handleOrDescriptor } from '../core/socket';
import type { Handle } from '../core/socket-internals';
import { typedArrayKind, typedArrayLength } from '../core/typed-arrays';
import { rangeError, typeError, validateArray, validateOneOf, valueError } from '../core/validate';
import { BATCH_SIZE, Batch } from './batch';
import { tcpInfoFields } from './generated/field-names';
import { prepareColumns, system } from './system';
import type { TcpInfoField } from './tcp-info';

/** A column for each field, with an element for each socket. NaN where {@link TcpInfo} has null. */
export type TcpInfoColumns<Field extends TcpInfoField = TcpInfoField> = {
  readonly [Name in Field]: Float64Array;
} & {
  /** 0 for each socket that was read; otherwise a negative libuv code, as `errno` of Node's errors. */
  readonly errno: Int32Array;
};

/**
 * Reused by all synchronous calls, because no code of the caller runs while it is in use. It has the size of the largest
 * batch so far.
 */
let sharedBatch = new Batch(0);

/** The validated columns of a call. Each argument was read only once, so that a getter or a proxy cannot replace it. */
export interface Columns {
  /** The number of sockets. */
  readonly count: number;
  /** The requested fields, as indices in `tcpInfoFields`, and a column for each. */
  readonly fields: readonly number[];
  readonly values: readonly Float64Array[];
  readonly errno: Int32Array;
  readonly result: TcpInfoColumns;
}

/**
 * Reads the state of many connections into columns, with one native call per 256 sockets.
 *
 * Element i of each column belongs to `sockets[i]`. NaN stands for null. The column `state` holds the index in {@link
 * tcpStates}. If a socket cannot be read, because it is closed or not TCP, its `errno` is the negative libuv code and
 * its elements are NaN. The other sockets are still read. It takes about 1 µs per socket.
 * @example
 * ```ts
 * const { rtt, probes, errno } = readTcpInfos(sockets, ['rtt', 'probes']);
 * ```
 * @param sockets The TCP sockets: at most 10 000 000.
 * @param fields The fields to read. Default: all.
 * @param out The result of an earlier call, to be filled again. Its columns may be longer than needed. Default: new
 *   columns.
 * @returns The columns, in the units of {@link TcpInfo}: milliseconds and bytes. `out` if it was passed.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for an argument, an element or a column of the wrong type,
 *   `ERR_INVALID_ARG_VALUE` for an unknown field, and for an `out` that `readTcpInfosAsync()` is still filling.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a column of `out` that is too short, or too many `fields` or `sockets`.
 * @systems Linux, FreeBSD: `TCP_INFO`. macOS: `TCP_CONNECTION_INFO`. Windows 10.1703: `SIO_TCP_INFO`.
 * @see tcp(7), RFC 4898; {@link readTcpInfosAsync} does not block the event loop
 */
export function readTcpInfos<Field extends TcpInfoField = TcpInfoField>(
  sockets: readonly SocketLike[],
  fields?: readonly Field[],
  out?: TcpInfoColumns<Field>,
): TcpInfoColumns<Field> {
  const wanted = validateFields(fields);
  const given = validateSockets(sockets) as SocketLike[];
  const count = given.length;
  const found: (Handle | number)[] = [];
  for (let index = 0; index < count; index++)
    found.push(handleOrDescriptor(given[index] as SocketLike));
  const columns = validateColumns(count, wanted, out);
  const descriptors = descriptorsOf(found);
  validateLengths(columns);
  if (sharedBatch.size < Math.min(count, BATCH_SIZE)) {
    sharedBatch = new Batch(Math.min(count, BATCH_SIZE));
  }
  const { readTcpInfos: readBatch } = binding();
  for (let start = 0; start < count; start += BATCH_SIZE) {
    const size = Math.min(count - start, BATCH_SIZE);
    for (let entry = 0; entry < size; entry++) {
      const index = start + entry;
      sharedBatch.write(entry, index, descriptors[index] as number, 0, 0);
    }
    readBatch(sharedBatch.buffer, size);
    fillColumns(sharedBatch, columns, size);
  }
  return columns.result;
}

/** More than a process can have. A longer array is a sparse array or a Proxy. */
const MOST_SOCKETS = 10_000_000;

/** Returns a copy of the array. */
export function validateSockets(sockets: unknown): unknown[] {
  return validateArray(sockets, 'sockets', 'an array of sockets', MOST_SOCKETS);
}

/** The results that calls of `readTcpInfosAsync()` are filling. */
export const beingFilled = new WeakSet<object>();

/** Returns the columns of `out`, or new ones, for `count` sockets. */
export function validateColumns(count: number, fields: readonly number[], out: unknown): Columns {
  const names = fields.map((field) => tcpInfoFields[field] as string);
  const given = out === undefined ? newColumns(count, names) : out;
  if (typeof given !== 'object' || given === null) {
    throw typeError('out', 'what an earlier call returned', out);
  }
  if (beingFilled.has(given)) {
    throw valueError('out', 'must not be the result of a call that is not done', given);
  }
  return {
    count,
    fields,
    errno: columnIn(given, 'errno', 'Int32Array') as Int32Array,
    values: names.map((name) => columnIn(given, name, 'Float64Array') as Float64Array),
    result: given as TcpInfoColumns,
  };
}

/** Returns the fields as indices in `tcpInfoFields`. */
export function validateFields(fields: unknown): number[] {
  if (fields === undefined) return [...tcpInfoFields.keys()];
  return validateArray(fields, 'fields', 'an array of names of TcpInfo').map((field, index) =>
    tcpInfoFields.indexOf(validateOneOf(field, `fields[${index}]`, tcpInfoFields)),
  );
}

function newColumns(length: number, names: readonly string[]): object {
  const columns: Record<string, unknown> = { errno: new Int32Array(length) };
  for (const name of names) columns[name] = new Float64Array(length);
  return columns;
}

function columnIn(out: object, name: string, kind: 'Int32Array' | 'Float64Array'): unknown {
  const column = (out as Record<string, unknown>)[name];
  if (typedArrayKind(column) !== kind)
    throw typeError(`out.${name}`, `of type ${kind}, as an earlier call returned it`, column);
  return column;
}

/** Checks the lengths again: the columns may have been detached, or have shrunk, since the call. */
export function validateLengths({ count, fields, values, errno }: Columns): void {
  const check = (name: string | undefined, column: Float64Array | Int32Array) => {
    const length = typedArrayLength(column);
    if (length < count) throw rangeError(`out.${name}.length`, `>= ${count}`, length);
  };
  check('errno', errno);
  for (let k = 0; k < values.length; k++) {
    check(tcpInfoFields[fields[k] as number], values[k] as Float64Array);
  }
}

/** Decodes the first `size` entries of a batch into the columns. */
export function fillColumns(batch: Batch, { values, fields, errno }: Columns, size: number): void {
  const { rows } = batch;
  for (let entry = 0; entry < size; entry++) {
    errno[rows[entry] as number] = Math.min(batch.length(entry), 0);
  }
  prepareColumns(batch, size);
  for (let k = 0; k < values.length; k++) {
    system.fillColumn(fields[k] as number, batch, size, values[k] as Float64Array);
  }
}
