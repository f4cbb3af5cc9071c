// Reads the kernel's data beside TCP_INFO: the congestion control's state, queues, memory.

import {
  bytes,
  getRecords,
  RECORD_HEADER_WORDS,
  readQueues,
  reserveRecord,
  words,
} from '../core/record-buffer';
import { u16, u64 } from './words';

/** The state of a congestion control (bbr, dctcp, vegas), under the kernel's names and in its units. */
export type CongestionControlInfo =
  | ReturnType<typeof bbr>
  | ReturnType<typeof dctcp>
  | ReturnType<typeof vegas>;

/** The kernel's data beside `TCP_INFO`. A member is `null` if the system or the socket does not have it. */
export interface KernelTcpInfoDetails {
  /** Name of the congestion control: `TCP_CONGESTION`. `null` on other systems than Linux. */
  readonly congestionControl: string | null;
  /** State of the congestion control: `TCP_CC_INFO`. `null` unless it is bbr, dctcp, vegas, nv or yeah. */
  readonly congestionControlInfo: CongestionControlInfo | null;
  /**
   * Received bytes that are not read yet: `SIOCINQ` (other systems: `FIONREAD`). `null` if the system refuses it: for a
   * listening socket of Linux.
   */
  readonly SIOCINQ: number | null;
  /**
   * Written bytes that are not acknowledged yet, sent or not: `SIOCOUTQ` (macOS: `SO_NWRITE`, FreeBSD: `FIONWRITE`).
   * `null` as for `SIOCINQ`, and on Windows.
   */
  readonly SIOCOUTQ: number | null;
  /** Written bytes that are not sent yet: `SIOCOUTQNSD`. `null` as for `SIOCINQ`, and on other systems than Linux. */
  readonly SIOCOUTQNSD: number | null;
  /** Memory of the socket, in bytes: `SO_MEMINFO`. The last member counts packets. `null` on other systems than Linux. */
  readonly SO_MEMINFO: SocketMemory | null;
}

type SocketMemory = ReturnType<typeof memory>;

/** `struct tcp_bbr_info`. */
function bbr(w: Uint32Array) {
  return {
    /** Estimated bandwidth, in bytes per second: `bbr_bw_lo` and `bbr_bw_hi` as one number. */
    bbr_bw: u64(w, 0),
    /** Smallest round-trip time of the last 10 seconds, in µs. */
    bbr_min_rtt: w[2] as number,
    /** Gain of the pacing rate, as a number: 256 is a gain of 1. */
    bbr_pacing_gain: w[3] as number,
    /** Gain of the congestion window, as a number: 256 is a gain of 1. */
    bbr_cwnd_gain: w[4] as number,
  };
}

/** `struct tcp_dctcp_info`. */
function dctcp(w: Uint32Array) {
  return {
    /** 1: DCTCP is in use; 0: it has fallen back to Reno. */
    dctcp_enabled: u16(w, 0),
    /** Whether the last segment was marked: 0 or 1. */
    dctcp_ce_state: u16(w, 2),
    /** Estimated share of marked bytes, of 1024. */
    dctcp_alpha: w[1] as number,
    /** Bytes that were acknowledged with a mark. */
    dctcp_ab_ecn: w[2] as number,
    /** Bytes that were acknowledged. */
    dctcp_ab_tot: w[3] as number,
  };
}

/** `struct tcpvegas_info`. */
function vegas(w: Uint32Array) {
  return {
    /** 1: Vegas is in use; 0: it is not. */
    tcpv_enabled: w[0] as number,
    /** Number of round trips measured since the last window. */
    tcpv_rttcnt: w[1] as number,
    /** Round-trip time, in µs. */
    tcpv_rtt: w[2] as number,
    /** Smallest round-trip time, in µs. */
    tcpv_minrtt: w[3] as number,
  };
}

/** `SK_MEMINFO_VARS` of include/uapi/linux/sock_diag.h. */
function memory(w: Uint32Array) {
  return {
    /** Memory of received packets, in bytes. */
    SK_MEMINFO_RMEM_ALLOC: w[0] as number,
    /** Size of the receive buffer, in bytes. */
    SK_MEMINFO_RCVBUF: w[1] as number,
    /** Memory of packets that are being sent, in bytes. */
    SK_MEMINFO_WMEM_ALLOC: w[2] as number,
    /** Size of the send buffer, in bytes. */
    SK_MEMINFO_SNDBUF: w[3] as number,
    /** Memory that is reserved for the socket, in bytes. */
    SK_MEMINFO_FWD_ALLOC: w[4] as number,
    /** Memory of the send queue, in bytes. */
    SK_MEMINFO_WMEM_QUEUED: w[5] as number,
    /** Memory of options, in bytes. */
    SK_MEMINFO_OPTMEM: w[6] as number,
    /** Memory of packets that wait while the socket is in use, in bytes. */
    SK_MEMINFO_BACKLOG: w[7] as number,
    /** Number of packets that were dropped. */
    SK_MEMINFO_DROPS: w[8] as number,
  };
}

/** The congestion controls that report a state, by the kernel's names, with its length in bytes. */
const STATES: Readonly<
  Record<string, { length: number; decode: (words: Uint32Array) => CongestionControlInfo }>
> = {
  bbr: { length: 20, decode: bbr },
  dctcp: { length: 16, decode: dctcp },
  vegas: { length: 16, decode: vegas },
  nv: { length: 16, decode: vegas },
  yeah: { length: 16, decode: vegas },
};

// Linux: include/uapi/linux/tcp.h, include/uapi/asm-generic/socket.h.
const IPPROTO_TCP = 6;
const SOL_SOCKET = 1;
const TCP_CONGESTION = 13;
const TCP_CC_INFO = 26;
const SO_MEMINFO = 55;
/** TCP_CA_NAME_MAX. */
const NAME_ROOM = 16;
const ROOM = 64;
/** Length of the members above, in bytes. */
const MEMORY_LENGTH = 36;

export function readDetails(fd: number): KernelTcpInfoDetails {
  const queues = queuesOf(fd);
  const linux = process.platform === 'linux';
  const name = linux ? readName(fd) : null;
  return {
    congestionControl: name,
    congestionControlInfo: name === null ? null : readState(fd, name),
    ...queues,
    SO_MEMINFO: linux ? readMemory(fd) : null,
  };
}

function queuesOf(fd: number) {
  readQueues(fd);
  const [unread = -1, unacknowledged = -1, unsent = -1] = words;
  const known = (bytes: number) => (bytes < 0 ? null : bytes);
  return {
    SIOCINQ: known(unread),
    SIOCOUTQ: known(unacknowledged),
    SIOCOUTQNSD: known(unsent),
  };
}

function readName(fd: number): string | null {
  const value = readRecord(fd, IPPROTO_TCP, TCP_CONGESTION, NAME_ROOM);
  return value === null
    ? null
    : (Buffer.from(value).toString('latin1').split('\0', 1)[0] as string);
}

function readState(fd: number, name: string): CongestionControlInfo | null {
  const state = Object.hasOwn(STATES, name) ? STATES[name] : undefined;
  const value = readRecord(fd, IPPROTO_TCP, TCP_CC_INFO, ROOM);
  // The length must fit, too: the congestion control may have changed since its name was read.
  return state !== undefined && value?.length === state.length
    ? state.decode(wordsOf(value))
    : null;
}

function readMemory(fd: number): SocketMemory | null {
  const value = readRecord(fd, SOL_SOCKET, SO_MEMINFO, ROOM);
  return value !== null && value.length >= MEMORY_LENGTH ? memory(wordsOf(value)) : null;
}

/** Returns the kernel's bytes of an option; `null` if the system call failed. */
function readRecord(fd: number, level: number, option: number, room: number): Uint8Array | null {
  reserveRecord(0, level, option, room);
  if (getRecords(fd, 1) !== 1) return null;
  return bytes.slice(4 * RECORD_HEADER_WORDS, 4 * RECORD_HEADER_WORDS + (words[2] as number));
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
}
