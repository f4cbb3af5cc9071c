// The state of thousands of connections at once: a column for each field, a native call for each batch.

import { binding } from '../core/addon';
import { errnoOf } from '../core/errors';
import type { Handle, SocketLike } from '../core/socket';
import { descriptorOfHandle, findDescriptors, handleOrDescriptor } from '../core/socket';
import { typedArrayKind, typedArrayLength } from '../core/typed-arrays';
import { rangeError, typeError, validateArray, validateOneOf } from '../core/validate';
import { BATCH_SIZE, Batch } from './batch';
import { tcpInfoFields } from './generated/field-names';
import { system } from './system';
import type { TcpInfoField } from './tcp-info';
import { newValues, type Values } from './values';

/** A column for each field, with an element for each socket. */
export type TcpInfoColumns<Field extends TcpInfoField = TcpInfoField> = {
  readonly [Name in Field]: Float64Array;
} & {
  /** 0, or why a socket could not be read: a negative libuv code, as `errno` of Node's errors. */
  readonly errno: Int32Array;
};

/**
 * Reused by each synchronous call: no code of the caller runs while it is in use. As large as the largest
 * call so far needed.
 */
let sharedBatch = new Batch(0);

/**
 * The checked arguments of a call. Everything that the caller passed was looked at once to make it, so no
 * getter, no proxy and no later change moves an element.
 */
interface BulkRequest {
  readonly sockets: readonly (Handle | number)[];
  /** The requested fields, as their places in `tcpInfoFields`, and a column for each. */
  readonly fields: readonly number[];
  readonly columns: readonly Float64Array[];
  readonly errno: Int32Array;
  readonly result: TcpInfoColumns;
}

/**
 * Reads the state of many connections at once into columns, with one native call for 256 of them.
 *
 * ```js
 * const { rtt, probes, errno } = readTcpInfos(sockets, ['rtt', 'probes']);
 * ```
 *
 * Element i of each column is of `sockets[i]`. A column is a Float64Array with NaN where {@link TcpInfo} has
 * null. The column `state` holds the index in {@link tcpStates}. A socket that cannot be read, because it is
 * closed or no TCP socket, does not fail the rest: its `errno` is the negative libuv code, and its elements are
 * NaN.
 *
 * It takes about a microsecond for each socket. Without `fields`, it reads all fields. With `out`, the result
 * of an earlier call, it fills and returns those columns; they may be longer than needed.
 * @throws TypeError, RangeError for wrong arguments
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
    copyToColumns(sharedBatch, request, size);
  }
  return request.result;
}

/**
 * The same as {@link readTcpInfos}, off the main thread and in parts of 256 sockets. Each part holds
 * the event loop up for less than a millisecond.
 *
 * An element is always of the socket that was passed at the call. A socket that is closed meanwhile gets
 * `UV_EBADF` as `errno`, also where its descriptor belongs to another socket by then. Therefore the call looks at
 * everything that is passed, once:
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
  const request = validateRequest(sockets, fields, out);
  validateColumnLengths(request);
  const batch = new Batch(Math.min(request.sockets.length, BATCH_SIZE));
  const { sweepTcpInfos: readBatchInThread } = binding();
  // At the call: a number does not show later whether it was closed meanwhile. A handle of Node does.
  const { indices, identities } = identifyNumbers(batch, request);
  for (let start = 0; start < indices.length; start += BATCH_SIZE) {
    const part = indices.slice(start, start + BATCH_SIZE);
    findDescriptors(part.map((index) => request.sockets[index] as Handle));
    part.forEach((index, entry) => {
      const [low, high] = [identities[2 * index] as number, identities[2 * index + 1] as number];
      batch.write(entry, index, descriptorAt(request, index), low, high);
    });
    await new Promise<void>((resolve) => {
      // `false`: no thread can be sure of a socket, so all were read here. Other work comes in between.
      if (!readBatchInThread(batch.buffer, part.length, resolve)) setImmediate(resolve);
    });
    validateColumnLengths(request);
    copyToColumns(batch, request, part.length);
  }
  return request.result;
}

/** The sockets that are not read yet. */
interface Pending {
  readonly indices: number[];
  /** Two words for each socket of the request; 0 for handles of Node. */
  readonly identities: Int32Array;
}

/**
 * Identifies the sockets that are numbers. One that cannot be identified is read at once: it is no socket,
 * or this system gives sockets no identity.
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
    const index = batch.indices[entry] as number;
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
  copyToColumns(batch, request, unidentified);
}

/** Looks at everything that the caller passed, once. */
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
  return validateArray(fields, 'fields', 'an array of names of TcpInfo').map((field) =>
    tcpInfoFields.indexOf(validateOneOf(field, 'fields', tcpInfoFields)),
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

/** The columns may have been detached, or have shrunk, since they were looked at. */
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

/** Decodes the first `size` entries of a batch, then copies them column by column: memory stays near. */
function copyToColumns(batch: Batch, { columns, fields, errno }: BulkRequest, size: number): void {
  const { indices, words } = batch;
  const { fillValues } = system;
  const closed = errnoOf('EBADF') as number;
  while (decoded.length < size) decoded.push(newValues());
  for (let entry = 0; entry < size; entry++) {
    const length = batch.descriptor(entry) >= 0 ? batch.length(entry) : closed;
    errno[indices[entry] as number] = Math.min(length, 0);
    // Length 0 for a socket that could not be read: then every field is NaN.
    fillValues(words, batch.structureAt(entry), Math.max(length, 0), decoded[entry] as Values);
  }
  for (let k = 0; k < columns.length; k++) {
    const column = columns[k] as Float64Array;
    const field = fields[k] as number;
    for (let entry = 0; entry < size; entry++) {
      column[indices[entry] as number] = (decoded[entry] as Values)[field] as number;
    }
  }
}

/** The decoded entries of a batch. As many as the largest batch so far has. */
const decoded: Values[] = [];
