// getMptcpInfo(): what the kernel knows of a Multipath TCP connection and of each subflow.

import { readSubflowFlags } from '../connections/linux/subflow-flags';
import { describeErrno, systemError, unsupportedError } from '../core/errors';
import {
  bytes,
  getRecords,
  RECORD_HEADER_WORDS,
  reserveRecord,
  words,
} from '../core/record-buffer';
import { descriptorOf, type SocketLike } from '../core/socket';
import { type ConnectionInfo, decodeInfo, type MptcpInfo } from './mptcp-info';
import { type FoundSubflow, readFullInfo, readSubflowsApart } from './subflows';

/** Linux: include/uapi/linux/mptcp.h, in.h and tcp.h, include/uapi/asm-generic/socket.h. */
const SOL_MPTCP = 284;
const MPTCP_INFO = 1;
const SOL_SOCKET = 1;
const SO_PROTOCOL = 38;
const IPPROTO_TCP = 6;
const IPPROTO_MPTCP = 262;
const TCP_USER_TIMEOUT = 18;
const TCP_IS_MPTCP = 43;

/** `MPTCP_SUBFLOW_FLAG_BKUP_REM` and `MPTCP_SUBFLOW_FLAG_BKUP_LOC`. */
const BACKUP_REMOTE = 1 << 4;
const BACKUP_LOCAL = 1 << 5;

/** Longer than `struct mptcp_info` of any kernel. */
const INFO_ROOM = 256;

/** The codes of a kernel that does not have an option of SOL_MPTCP. */
const MISSING_CODES = ['ENOPROTOOPT', 'ENOTSUP', 'EOPNOTSUPP'];

/**
 * Reads what the kernel knows of a Multipath TCP connection: its counters, and each subflow with its addresses, its
 * backup flags and its TCP state.
 *
 * A listening socket has the `token` 0 and one subflow, in the state LISTEN. A connection whose subflows are all closed
 * has none: the kernel keeps it for `net.mptcp.close_timeout`, 60 s by default, and waits for a new one.
 *
 * The addresses and TCP states of all subflows belong to one moment. The backup flags come from a list of connections
 * right after it. For this list the kernel walks its whole table of TCP, which takes about a millisecond: 0.9 to 1.2 ms
 * with few connections on Linux 6.18, with a table of 262 144 entries. The rest takes 8 µs. The flags are `null` if
 * this process may not read them (before Linux 6.16 it needs `CAP_NET_ADMIN`), if the socket is of another network
 * namespace, or if the subflow was closed meanwhile.
 * @example
 * ```ts
 * const info = getMptcpInfo(socket);
 * if (info === null) console.log('plain TCP'); // the peer has no Multipath TCP, or a middlebox removed it
 * for (const { remoteAddress, isLocalBackup, tcpInfo } of info?.subflows ?? []) {
 *   console.log(remoteAddress, isLocalBackup ? 'backup' : 'in use', tcpInfo.rtt, 'ms');
 * }
 * ```
 * @param socket The TCP socket, connected or listening.
 * @returns The record: times in milliseconds, sizes in bytes. `null` for a TCP socket without Multipath TCP, also for a
 *   connection that fell back to TCP. A connection that fell back stays so.
 * @throws SocketOptionError `ENOTSUP` or `ENOPROTOOPT` if the socket is not TCP or the system is not Linux 5.16 or
 *   later; `ERR_SOCKET_*` if it is not open.
 * @throws TypeError, RangeError for a value that is no socket and no descriptor.
 * @systems Linux 6.5: `MPTCP_FULL_INFO`. From 5.16 on `MPTCP_INFO`, `MPTCP_SUBFLOW_ADDRS` and `MPTCP_TCPINFO`, by four
 *   system calls. Not on macOS, Windows and FreeBSD.
 * @see getsockopt(2), sock_diag(7), RFC 8684, Documentation/networking/mptcp.rst of Linux
 */
export function getMptcpInfo(socket: SocketLike): MptcpInfo | null {
  const fd = descriptorOf(socket);
  if (process.platform !== 'linux') {
    throw unsupportedError('MPTCP_INFO', 'getsockopt', 'only Linux has it');
  }
  const full = readFullInfo(fd);
  if (typeof full !== 'number') return withFlags(full.info, full.subflows);
  if (!isMissing(full)) throw systemError(full, 'getsockopt', 'MPTCP_FULL_INFO');
  return readApart(fd);
}

const isMissing = (errno: number) => MISSING_CODES.includes(describeErrno(errno)[0]);

/** For a kernel before Linux 6.5, and for a socket without Multipath TCP. */
function readApart(fd: number): MptcpInfo | null {
  const length = readRecord(fd, SOL_MPTCP, MPTCP_INFO, INFO_ROOM);
  if (length < 0) {
    if (!isMissing(length)) throw systemError(length, 'getsockopt', 'MPTCP_INFO');
    return nullIfPlainTcp(fd, length);
  }
  const copy = bytes.slice(4 * RECORD_HEADER_WORDS, 4 * RECORD_HEADER_WORDS + INFO_ROOM);
  const info = decodeInfo(copy.buffer, 0, length);
  const subflows = readSubflowsApart(fd);
  // It fell back to TCP after the first read.
  if (typeof subflows === 'number' && isMissing(subflows)) return nullIfPlainTcp(fd, subflows);
  if (typeof subflows === 'number') throw systemError(subflows, 'getsockopt', 'MPTCP_TCPINFO');
  return withFlags(info, subflows);
}

/** Returns `null` for a TCP socket that has no Multipath TCP, or no longer. Throws for another one. */
function nullIfPlainTcp(fd: number, errno: number): null {
  const protocol = readInt(fd, SOL_SOCKET, SO_PROTOCOL);
  if (protocol < 0) throw systemError(protocol, 'getsockopt', 'SO_PROTOCOL');
  if (protocol === IPPROTO_TCP) return null;
  const isMptcp = protocol === IPPROTO_MPTCP;
  if (isMptcp && hasFallenBack(fd)) return null;
  const hint = isMptcp ? 'it needs Linux 5.16' : 'only TCP sockets have it';
  throw systemError(errno, 'getsockopt', 'MPTCP_INFO', { hint });
}

/**
 * Before Linux 6.10 there is no TCP_IS_MPTCP. There a connection that fell back passes options to TCP, which has
 * TCP_USER_TIMEOUT, and Multipath TCP refuses it (net/mptcp/sockopt.c).
 */
function hasFallenBack(fd: number): boolean {
  const isUsed = readInt(fd, IPPROTO_TCP, TCP_IS_MPTCP);
  return isUsed < 0 ? readInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) >= 0 : isUsed === 0;
}

/** Reads an int that is not negative; or returns a negative code. */
function readInt(fd: number, level: number, option: number): number {
  const length = readRecord(fd, level, option, 4);
  return length < 0 ? length : (words[RECORD_HEADER_WORDS] as number);
}

/** Reads an option into the record buffer; returns its length, or a negative code. */
function readRecord(fd: number, level: number, option: number, room: number): number {
  reserveRecord(0, level, option, room);
  getRecords(fd, 1);
  return words[2] as number;
}

function withFlags(info: ConnectionInfo, found: readonly FoundSubflow[]): MptcpInfo {
  const flags = readSubflowFlags(found.map(({ subflow }) => subflow));
  return {
    ...info,
    subflows: found.map(({ subflow: { tcpInfo, ...endpoints }, endpointKey }) => {
      const of = flags.get(endpointKey);
      return {
        ...endpoints,
        isLocalBackup: of === undefined ? null : (of & BACKUP_LOCAL) !== 0,
        isRemoteBackup: of === undefined ? null : (of & BACKUP_REMOTE) !== 0,
        tcpInfo,
      };
    }),
  };
}
