// The public functions on the state of connections, with their docs.

import { kit } from '../kit';
import type { SocketLike } from '../socket';
import type { TcpInfoColumns } from './columns';
import type { KernelTcpInfoDetails } from './details';
import type { KernelTcpInfo } from './system';
import type { TcpInfo, TcpInfoField, TcpInfoNumbers, TcpState } from './tcp-info';

// Loaded with the package, since the folder may be gone or out of reach when a call needs it.
const parts = require('./index.js') as typeof import('./index');
parts.useKit(kit());

/**
 * What the kernel knows of a TCP connection now: round-trip time, windows, retransmissions, what is
 * unacknowledged, unanswered probes. The same names and units on every system: milliseconds, bytes;
 * `null` where this kernel does not report a field.
 *
 * Works in every state: before connecting, listening (`acceptQueue`), and on a connection that died,
 * with its last counters, for as long as its descriptor is open. One system call.
 *
 * Linux getsockopt(2) `TCP_INFO`, macOS `TCP_CONNECTION_INFO`, Windows `SIO_TCP_INFO`.
 * @throws SocketOptionError `ENOTSUP` (`ENOPROTOOPT` on some systems) for a socket that is not TCP,
 *   other codes as the kernel gives them, `ERR_SOCKET_*` for a socket that is not open.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for what is no socket.
 * @see tcp(7), RFC 4898
 */
export function getTcpInfo(socket: SocketLike): TcpInfo {
  return parts.getTcpInfo(socket);
}

/**
 * The same under the kernel's own names and in its own units: every field of its structure that this
 * package knows, `null` where the running kernel is older than the field. Decoded by the length that
 * the kernel wrote.
 *
 * With `{ details: true }` also `details`: the congestion control's own state (bbr, dctcp, vegas), how
 * many bytes are queued, and the socket's memory, with up to six further system calls.
 *
 * Linux `struct tcp_info`, `TCP_CONGESTION`, `TCP_CC_INFO`, `SIOCINQ`, `SIOCOUTQ`, `SIOCOUTQNSD`,
 * `SO_MEMINFO`.
 * @throws as {@link getTcpInfo}
 */
export function getKernelTcpInfo(socket: SocketLike): KernelTcpInfo;
export function getKernelTcpInfo(
  socket: SocketLike,
  options: { readonly details: true },
): KernelTcpInfo & { readonly details: KernelTcpInfoDetails };
export function getKernelTcpInfo(
  socket: SocketLike,
  options?: { readonly details?: boolean | undefined },
): KernelTcpInfo & { readonly details?: KernelTcpInfoDetails };
export function getKernelTcpInfo(
  socket: SocketLike,
  options?: { readonly details?: boolean | undefined },
): KernelTcpInfo & { readonly details?: KernelTcpInfoDetails } {
  return parts.getKernelTcpInfo(socket, options);
}

/**
 * Reads the state of connections again and again, without allocating anything: for samplers and
 * dashboards.
 *
 * ```js
 * const reader = new TcpInfoReader();
 * reader.read(socket);
 * histogram.record(reader.rtt);
 * ```
 *
 * It has a getter for each field of {@link TcpInfo}, of what was last read, but as plain numbers: NaN
 * where the object of {@link getTcpInfo} has null. Before the first read, and after one that the kernel refused,
 * all are NaN and `state` is null.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: its getters come with the code that is loaded last.
export class TcpInfoReader {
  constructor() {
    parts.equip(this, TcpInfoReader.prototype);
  }
}
export interface TcpInfoReader extends TcpInfoNumbers {
  /** State of the connection, as RFC 9293 calls it. */
  readonly state: TcpState | null;
  /** The index of the state in {@link tcpStates}; NaN for none. */
  readonly stateIndex: number;
  /**
   * Reads the state of a connection into this reader, and returns it. One system call.
   * @throws as {@link getTcpInfo}
   */
  read(socket: SocketLike): this;
  /** What was last read as an object, as {@link getTcpInfo} gives it. */
  toJSON(): TcpInfo;
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
  return parts.readTcpInfos(sockets, fields, out as TcpInfoColumns) as TcpInfoColumns<Field>;
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
  return (await parts.readTcpInfosAsync(
    sockets,
    fields,
    out as TcpInfoColumns,
  )) as TcpInfoColumns<Field>;
}
