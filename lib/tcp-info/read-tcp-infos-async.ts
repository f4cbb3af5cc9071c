// Reads the state of many connections in the thread pool. The reasons are in
// docs/decisions/0015-reads-off-the-main-thread.md.

import { binding } from '../core/addon';
import { errnoOf } from '../core/errors';
import type { SocketLike } from '../core/socket';
import {
  currentHandle,
  descriptorOfHandle,
  descriptorsOf,
  objectOrDescriptor,
} from '../core/socket';
import type { Handle } from '../core/socket-internals';
import { searches } from '../core/windows-handles';
import { BATCH_SIZE, Batch } from './batch';
import {
  beingFilled,
  type Columns,
  fillColumns,
  type TcpInfoColumns,
  validateColumns,
  validateFields,
  validateLengths,
  validateSockets,
} from './columns';
import type { TcpInfoField } from './tcp-info';

/**
 * The sockets of a call. An object of Node is asked for its handle with its batch. A number is identified by its cookie
 * before, and `undefined` was read before.
 */
interface Captured {
  readonly sockets: (object | number | undefined)[];
  /** Two words for each socket, if there are numbers. */
  cookies: Int32Array | undefined;
}

/**
 * Reads the state of many connections like {@link readTcpInfos}, but in the thread pool, in batches of 256 sockets. The
 * event loop runs between them.
 *
 * A row never has the values of a stranger. A socket that is closed before it was read gets the `errno` of `UV_EBADF`,
 * even if another socket has its descriptor by then.
 *
 * - A Node object is asked for its handle when its batch is read: the row is of the socket that it has then.
 * - A number or `{ fd }` does not show that it was closed. So it is identified at the call, by its cookie
 *   (`SO_COOKIE`). Without cookies (macOS, Windows, Linux before 4.11) it is read at the call.
 *
 * The array is copied and checked at the call: a wrong element rejects before any row is filled. That takes 0.05 µs for
 * a Node object, so 5 ms for 100 000. In all, a Node object takes about 0.4 µs of the main thread with four fields, and
 * 0.5 µs with all. A number takes 0.8 µs, most of it at the call: 100 000 numbers block the event loop for 80 ms.
 * @example
 * ```ts
 * const { rtt, errno } = await readTcpInfosAsync(sockets, ['rtt']);
 * ```
 * @param sockets The TCP sockets: at most 10 000 000.
 * @param fields The fields to read. Default: all.
 * @param out The result of an earlier call, to be filled again. Its columns may be longer than needed. Default: new
 *   columns.
 * @returns A promise of the columns, in the units of {@link TcpInfo}: milliseconds and bytes. `out` if it was passed.
 * @throws TypeError, RangeError as {@link readTcpInfos}: the promise is rejected with them, also if a column of `out`
 *   was detached or shrunk meanwhile.
 * @systems Linux, FreeBSD: `TCP_INFO`. macOS: `TCP_CONNECTION_INFO`. Windows: `SIO_TCP_INFO`; there Node objects are
 *   read on the main thread, in the same batches.
 * @see tcp(7), RFC 4898
 */
export async function readTcpInfosAsync<Field extends TcpInfoField = TcpInfoField>(
  sockets: readonly SocketLike[],
  fields?: readonly Field[],
  out?: TcpInfoColumns<Field>,
): Promise<TcpInfoColumns<Field>> {
  const copy = validateSockets(sockets);
  const columns = validateColumns(copy.length, validateFields(fields), out);
  validateLengths(columns);
  const batch = new Batch(Math.min(copy.length, BATCH_SIZE));
  const captured: Captured = {
    sockets: copy as (object | number)[],
    cookies: undefined,
  };
  capture(captured, batch, columns);
  beingFilled.add(columns.result);
  try {
    await readCaptured(captured, batch, columns);
  } finally {
    beingFilled.delete(columns.result);
  }
  return columns.result;
}

/** Rejects what is no socket, and identifies numbers: a number does not show later whether it was closed meanwhile. */
function capture(captured: Captured, batch: Batch, columns: Columns): void {
  const { sockets } = captured;
  for (let row = 0; row < columns.count; row++) {
    sockets[row] = objectOrDescriptor(sockets[row] as SocketLike);
  }
  let size = 0;
  for (let row = 0; row < columns.count; row++) {
    const socket = sockets[row];
    if (typeof socket !== 'number') continue;
    batch.write(size++, row, socket, 0, 0);
    if (size < batch.size) continue;
    identify(captured, batch, columns, size);
    size = 0;
  }
  identify(captured, batch, columns, size);
}

/**
 * Stores the cookies of the sockets of a batch. A number without a cookie is read at once: it is no socket, or this system
 * has no cookies.
 */
function identify(captured: Captured, batch: Batch, columns: Columns, size: number): void {
  if (size === 0) return;
  captured.cookies ??= new Int32Array(2 * columns.count);
  const { sockets, cookies } = captured;
  const { identifySockets, readTcpInfos: readBatch } = binding();
  identifySockets(batch.buffer, size);
  let unidentified = 0;
  for (let entry = 0; entry < size; entry++) {
    const row = batch.rows[entry] as number;
    cookies[2 * row] = batch.identityLow(entry);
    cookies[2 * row + 1] = batch.identityHigh(entry);
    if (cookies[2 * row] !== 0 || cookies[2 * row + 1] !== 0) continue;
    batch.write(unidentified++, row, batch.descriptor(entry), 0, 0);
    sockets[row] = undefined;
  }
  if (unidentified === 0) return;
  readBatch(batch.buffer, unidentified);
  // A getter of the caller may have detached a column.
  validateLengths(columns);
  fillColumns(batch, columns, unidentified);
}

async function readCaptured(captured: Captured, batch: Batch, columns: Columns): Promise<void> {
  const { readTcpInfos: readBatch, sweepTcpInfos: readBatchInThread } = binding();
  /** The handle of each entry; `undefined` for a number. */
  const handles: (Handle | undefined)[] = new Array(batch.size).fill(undefined);
  let next = 0;
  while (next < columns.count) {
    let size = 0;
    for (; next < columns.count && size < batch.size; next++) {
      const socket = captured.sockets[next];
      if (socket === undefined) continue;
      batch.rows[size] = next;
      handles[size++] = typeof socket === 'number' ? undefined : currentHandle(socket);
    }
    writeBatch(captured, batch, handles, size);
    await new Promise<void>((resolve) => {
      // Sockets that were found by a search stay in this thread: closesocket() beside a call is not safe on Windows.
      if (searches) readBatch(batch.buffer, size);
      if (searches || !readBatchInThread(batch.buffer, size, resolve)) setImmediate(resolve);
    });
    if (!searches) markClosed(captured, batch, handles, size);
    // Last: a getter of the caller may have detached a column.
    validateLengths(columns);
    fillColumns(batch, columns, size);
  }
}

function writeBatch(
  { sockets, cookies }: Captured,
  batch: Batch,
  handles: readonly (Handle | undefined)[],
  size: number,
): void {
  const descriptors = descriptorsOf(handles);
  for (let entry = 0; entry < size; entry++) {
    const row = batch.rows[entry] as number;
    const socket = sockets[row];
    if (typeof socket === 'number') {
      const [low = 0, high = 0] = [cookies?.[2 * row], cookies?.[2 * row + 1]];
      batch.write(entry, row, socket, low, high);
    } else {
      batch.write(entry, row, descriptors[entry] as number, 0, 0);
    }
  }
}

/**
 * Marks the sockets that were closed since their batch was written. The number of a descriptor belongs to its handle until
 * the handle is closed, and a closed handle has no number. So a handle that has the same number had it all the time.
 */
function markClosed(
  { sockets }: Captured,
  batch: Batch,
  handles: readonly (Handle | undefined)[],
  size: number,
): void {
  for (let entry = 0; entry < size; entry++) {
    const handle = handles[entry];
    if (handle === undefined) continue;
    const isOpen =
      currentHandle(sockets[batch.rows[entry] as number] as object) === handle &&
      descriptorOfHandle(handle) === batch.descriptor(entry);
    if (!isOpen) batch.setLength(entry, errnoOf('EBADF') as number);
  }
}
