// The state of one connection: as a new object each time, or again and again in a reader.

import { readTcpInfo, tcpInfoWords } from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { validateBoolean, validateOptions } from '../core/validate';
import { type KernelTcpInfoDetails, readDetails } from './details';
import { refused } from './refused';
import { type KernelTcpInfo, system } from './system';
import type { TcpInfo } from './tcp-info';

/** Reads the structure to where the addon leaves it; returns its length in bytes. */
function read(fd: number): number {
  const length = readTcpInfo(fd);
  if (length < 0) throw refused(length);
  return length;
}

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
  return system.decode(tcpInfoWords, 0, read(descriptorOf(socket)));
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
  const details = options === undefined ? false : wantsDetails(options);
  const fd = descriptorOf(socket);
  const members = system.decodeStructure(tcpInfoWords, read(fd));
  return details ? { ...members, details: readDetails(fd) } : members;
}

function wantsDetails(options: { readonly details?: boolean | undefined }): boolean {
  const { details = false } = validateOptions(options, 'options', ['details']);
  return validateBoolean(details, 'options.details');
}
