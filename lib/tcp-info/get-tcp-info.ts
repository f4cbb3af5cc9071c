// Reads the state of one connection as an object, under the names of this package or of the kernel.

import { readTcpInfo, tcpInfoWords } from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { validateBoolean, validateOptions } from '../core/validate';
import { type KernelTcpInfoDetails, readDetails } from './details';
import { readError } from './read-error';
import { type KernelTcpInfo, system } from './system';
import type { TcpInfo } from './tcp-info';

/** Reads the structure into `tcpInfoWords`, and returns its length in bytes. */
function read(fd: number): number {
  const length = readTcpInfo(fd);
  if (length < 0) throw readError(length);
  return length;
}

/**
 * Reads the state of a TCP connection: round-trip time, windows, retransmissions, unacknowledged data, unanswered
 * probes.
 *
 * It is one system call. It works in every state: before connecting, listening (`acceptQueue`), and after the
 * connection died, with its last counters, while the descriptor is open.
 * @example
 * ```ts
 * const { state, rtt, bytesInFlight } = getTcpInfo(socket); // 'ESTABLISHED', 23.4 (ms), 1448
 * ```
 * @param socket The TCP socket, or its descriptor.
 * @returns The same names and units on every system: milliseconds and bytes. A field is `null` if this kernel does not
 *   report it.
 * @throws SocketOptionError `ENOTSUP` (`ENOPROTOOPT` on some systems) if the socket is not TCP, `ERR_SOCKET_*` if it is
 *   not open, or another code of the kernel.
 * @throws TypeError, RangeError for a value that is no socket and no descriptor.
 * @systems Linux, FreeBSD: `TCP_INFO`. macOS: `TCP_CONNECTION_INFO`. Windows 10.1703: `SIO_TCP_INFO`. gVisor reports
 *   `state`, `rtt`, `rttVariance` and `rto`.
 * @see tcp(7), RFC 4898; {@link readTcpInfos} reads many sockets
 */
export function getTcpInfo(socket: SocketLike): TcpInfo {
  return system.decode(tcpInfoWords, 0, read(descriptorOf(socket)));
}

/**
 * Reads the kernel's own `TCP_INFO` structure, under the kernel's names and in its units.
 *
 * With `{ details: true }` it also reads the congestion control's state (bbr, dctcp, vegas), the queued bytes, and the
 * socket's memory. This takes up to six more system calls.
 * @example
 * ```ts
 * const { tcpi_rtt, tcpi_probes } = getKernelTcpInfo(socket); // Linux: 23400 (µs), 0
 * const { details } = getKernelTcpInfo(socket, { details: true }); // details.congestionControl: 'cubic'
 * ```
 * @param socket The TCP socket, or its descriptor.
 * @returns The members of the structure that this package knows. A member is `null` if the running kernel is too old:
 *   the length that the kernel reports decides.
 * @throws SocketOptionError, TypeError, RangeError as {@link getTcpInfo}. TypeError `ERR_INVALID_ARG_TYPE` or
 *   `ERR_INVALID_ARG_VALUE` for wrong options.
 * @systems Linux, FreeBSD: `struct tcp_info`. macOS: `struct tcp_connection_info`. Windows: `TCP_INFO_v0` to `_v2`. The
 *   details of Linux: `TCP_CONGESTION`, `TCP_CC_INFO`, `SIOCINQ`, `SIOCOUTQ`, `SIOCOUTQNSD`, `SO_MEMINFO`.
 * @see tcp(7), include/uapi/linux/tcp.h of Linux
 */
export function getKernelTcpInfo(socket: SocketLike): KernelTcpInfo;
/**
 * Reads the kernel's own `TCP_INFO` structure, and its data beside it.
 * @param options With `details: true`, the result has the member `details`.
 */
export function getKernelTcpInfo(
  socket: SocketLike,
  options: { readonly details: true },
): KernelTcpInfo & { readonly details: KernelTcpInfoDetails };
/** Reads the kernel's own `TCP_INFO` structure, and with `details: true` its data beside it. */
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
