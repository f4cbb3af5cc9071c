// Reads the state of many connections into one column per field, with one native call per batch.

import { binding } from '../core/addon';
import type { Handle, SocketLike } from '../core/socket';
import { descriptorOfHandle, findDescriptors, handleOrDescriptor } from '../core/socket';
import { typedArrayKind, typedArrayLength } from '../core/typed-arrays';
import { rangeError, typeError, validateArray, validateOneOf } from '../core/validate';
import { BATCH_SIZE, Batch } from './batch';
import { tcpInfoFields } from './generated/field-names';
import { prepareColumns, system } from './system';
import type { TcpInfoField } from './tcp-info';

/** A column for each field, with an element for each socket. NaN where {@link TcpInfo} has null. */
export type TcpInfoColumns<Field extends TcpInfoField = TcpInfoField> = {
  readonly [Name in Field]: Float64Array;
} & {
  /** 0, or a negative libuv code if the socket could not be read, as `errno` of Node's errors. */
  readonly errno: Int32Array;
};

/**
 * Reused by all synchronous calls, because no code of the caller runs while it is in use. It has the size of the largest
 * batch so far.
 */
let sharedBatch = new Batch(0);

/**
 * The validated arguments of a call. Each argument was read only once, so a getter, a proxy or a later change cannot
 * replace an element.
 */
interface BulkRequest {
  readonly sockets: readonly (Handle | number)[];
  /** The requested fields, as indices in `tcpInfoFields`, and a column for each. */
  readonly fields: readonly number[];
  readonly columns: readonly Float64Array[];
  readonly errno: Int32Array;
  readonly result: TcpInfoColumns;
}

/**
 * Reads the state of many connections into columns, with one native call per 256 sockets.
 *
 * ```js
 * const { rtt, probes, errno } = readTcpInfos(sockets, ['rtt', 'probes']);
 * ```
 *
 * Element i of each column belongs to `sockets[i]`. Units are those of {@link TcpInfo}: milliseconds and bytes. NaN stands
 * for null. The column `state` holds the index in {@link tcpStates}. If a socket cannot be read, because it is closed
 * or not TCP, its `errno` is the negative libuv code and its elements are NaN. The other sockets are still read.
 *
 * It takes about 1 µs per socket.
 *
 * Linux getsockopt(2) `TCP_INFO`, macOS `TCP_CONNECTION_INFO`, Windows `SIO_TCP_INFO`, FreeBSD `TCP_INFO`.
 * @param fields The fields to read. Default: all.
 * @param out The result of an earlier call, to be filled again. Its columns may be longer than needed.
 * @returns The columns: `out` if it was passed.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for an argument, an element or a column of the wrong type,
 *   `ERR_INVALID_ARG_VALUE` for an unknown field.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a column of `out` that is too short, or too many `fields`.
 * @see {@link readTcpInfosAsync}, {@link getTcpInfo}
 */
export function readTcpInfos<Field extends TcpInfoField = TcpInfoField>(
  sockets: readonly SocketLike[],
  fields?: readonly Field[],
  out?: TcpInfoColumns<Field>,
): TcpInfoColumns<Field> {
  const request = validateRequest(sockets, fields, out);
  findDescriptors(request.sockets);
  const count = request.sockets.length;
  const descriptors = new Float64Array(count);
  for (let index = 0; index < count; index++) descriptors[index] = descriptorAt(request, index);
  validateColumnLengths(request);
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
    fillColumns(sharedBatch, request, size);
  }
  return request.result;
}

/**
 * Reads the state of many connections like {@link readTcpInfos}, but off the main thread and in batches of 256 sockets.
 * Each batch blocks the event loop for less than 1 ms.
 *
 * ```js
 * const { rtt, errno } = await readTcpInfosAsync(sockets, ['rtt']);
 * ```
 *
 * An element always belongs to the socket that was passed. A socket that is closed meanwhile gets the `errno` of
 * `UV_EBADF`, even if another socket has its descriptor by then. Therefore the call reads each argument once, at the
 * start:
 *
 * - A Node object takes 0.05 µs. Its handle is read again with its batch.
 * - A number or `{ fd }` takes one getsockopt(2), 0.6 µs, because a number does not show that it was closed. On Linux the
 *   socket's cookie (`SO_COOKIE`) identifies it. Without cookies (macOS, Windows, Linux before 4.11) it is read at once.
 *
 * For many sockets, pass Node objects: 100 000 numbers block the event loop for 60 ms. Without cookies, Node objects are
 * read on the main thread, in the same batches.
 * @returns A promise of the columns: `out` if it was passed.
 * @throws The promise is rejected with the errors of {@link readTcpInfos}, also if a column of `out` was detached or
 *   shrunk meanwhile.
 * @see {@link readTcpInfos}
 */
export async function readTcpInfosAsync<Field extends TcpInfoField = TcpInfoField>(
  sockets: readonly SocketLike[],
  fields?: readonly Field[],
  out?: TcpInfoColumns<Field>,
): Promise<TcpInfoColumns<Field>> {
  const request = validateRequest(sockets, fields, out);
  validateColumnLengths(request);
  const batch = new Batch(Math.min(request.sockets.length, BATCH_SIZE));
  const { sweepTcpInfos: readBatchInThread } = binding();
  // Now, because a number does not show later whether it was closed meanwhile. A Node handle does.
  const { indices, identities } = identifyNumbers(batch, request);
  for (let start = 0; start < indices.length; start += BATCH_SIZE) {
    const part = indices.slice(start, start + BATCH_SIZE);
    findDescriptors(part.map((index) => request.sockets[index] as Handle));
    part.forEach((index, entry) => {
      const [low, high] = [identities[2 * index] as number, identities[2 * index + 1] as number];
      batch.write(entry, index, descriptorAt(request, index), low, high);
    });
    await new Promise<void>((resolve) => {
      // `false`: without cookies a thread cannot identify a socket, so the batch was read here. Let other work run next.
      if (!readBatchInThread(batch.buffer, part.length, resolve)) setImmediate(resolve);
    });
    validateColumnLengths(request);
    fillColumns(batch, request, part.length);
  }
  return request.result;
}

/** Sockets that are not read yet. */
interface Pending {
  readonly indices: number[];
  /** Two words for each socket of the request. 0 for Node handles. */
  readonly identities: Int32Array;
}

/**
 * Identifies the sockets that are numbers. A number without an identity is read at once: it is not a socket, or this
 * system has no socket cookies.
 */
function identifyNumbers(batch: Batch, request: BulkRequest): Pending {
  const { sockets } = request;
  const pending: Pending = { indices: [], identities: new Int32Array(2 * sockets.length) };
  let size = 0;
  for (let index = 0; index < sockets.length; index++) {
    const socket = sockets[index] as Handle | number;
    if (typeof socket === 'number') batch.write(size++, index, socket, 0, 0);
    else pending.indices.push(index);
    if (size === BATCH_SIZE) {
      identifyBatch(batch, size, request, pending);
      size = 0;
    }
  }
  identifyBatch(batch, size, request, pending);
  return pending;
}

function identifyBatch(batch: Batch, size: number, request: BulkRequest, pending: Pending): void {
  const { identifySockets, readTcpInfos: readBatch } = binding();
  identifySockets(batch.buffer, size);
  let unidentified = 0;
  for (let entry = 0; entry < size; entry++) {
    const index = batch.rows[entry] as number;
    const [low, high] = [batch.identityLow(entry), batch.identityHigh(entry)];
    if (low === 0 && high === 0) {
      batch.write(unidentified++, index, batch.descriptor(entry), 0, 0);
    } else {
      pending.indices.push(index);
      pending.identities[2 * index] = low;
      pending.identities[2 * index + 1] = high;
    }
  }
  readBatch(batch.buffer, unidentified);
  fillColumns(batch, request, unidentified);
}

/** Reads and validates each argument once. */
function validateRequest(sockets: unknown, fields: unknown, out: unknown): BulkRequest {
  if (!Array.isArray(sockets)) throw typeError('sockets', 'an array of sockets', sockets);
  const wanted = validateFields(fields);
  const found: (Handle | number)[] = [];
  const { length } = sockets;
  for (let index = 0; index < length; index++) found.push(handleOrDescriptor(sockets[index]));
  const names = wanted.map((field) => tcpInfoFields[field] as string);
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

function validateFields(fields: unknown): number[] {
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
function validateColumnLengths({ sockets, fields, columns, errno }: BulkRequest): void {
  const needed = sockets.length;
  const check = (name: string | undefined, column: Float64Array | Int32Array) => {
    const length = typedArrayLength(column);
    if (length < needed) throw rangeError(`out.${name}.length`, `>= ${needed}`, length);
  };
  check('errno', errno);
  for (let k = 0; k < columns.length; k++) {
    check(tcpInfoFields[fields[k] as number], columns[k] as Float64Array);
  }
}

function descriptorAt({ sockets }: BulkRequest, index: number): number {
  const socket = sockets[index] as Handle | number;
  return typeof socket === 'number' ? socket : descriptorOfHandle(socket);
}

/** Decodes the first `size` entries of a batch into the columns. */
function fillColumns(batch: Batch, { columns, fields, errno }: BulkRequest, size: number): void {
  const { rows } = batch;
  for (let entry = 0; entry < size; entry++) {
    errno[rows[entry] as number] = Math.min(batch.length(entry), 0);
  }
  prepareColumns(batch, size);
  for (let k = 0; k < columns.length; k++) {
    system.fillColumn(fields[k] as number, batch, size, columns[k] as Float64Array);
  }
}
