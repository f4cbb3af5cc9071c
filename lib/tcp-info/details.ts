// What surrounds TCP_INFO in the kernel: the congestion control's own state, queues, memory.

import { readFrom, u16, u32, u64 } from './kernel-reader';
import { kit } from './kit';

/** The state of a congestion control, under the kernel's names: `null` for those that show none. */
export type CongestionControlInfo =
  | ReturnType<typeof bbr>
  | ReturnType<typeof dctcp>
  | ReturnType<typeof vegas>;

/** What surrounds `TCP_INFO`, each `null` where the system or the socket does not have it. */
export interface KernelTcpInfoDetails {
  /** `TCP_CONGESTION`: the name of the congestion control. */
  readonly congestionControl: string | null;
  /** `TCP_CC_INFO`: its state; bbr, dctcp, vegas, nv and yeah show one. */
  readonly congestionControlInfo: CongestionControlInfo | null;
  /** `SIOCINQ`: bytes received and not read yet. */
  readonly SIOCINQ: number | null;
  /** `SIOCOUTQ`: bytes written and not acknowledged yet, those never sent included. */
  readonly SIOCOUTQ: number | null;
  /** `SIOCOUTQNSD`: of these, the bytes never sent. */
  readonly SIOCOUTQNSD: number | null;
  /** `SO_MEMINFO`: the memory of the socket, in bytes; the last member counts packets. */
  readonly SO_MEMINFO: SocketMemory | null;
}

type SocketMemory = ReturnType<typeof memory>;

/** `struct tcp_bbr_info`. */
function bbr() {
  return {
    /** Estimated bandwidth, in bytes per second; `bbr_bw_lo` and `bbr_bw_hi` as one number. */
    bbr_bw: u64(0),
    /** Smallest round-trip time of the last 10 seconds, in µs. */
    bbr_min_rtt: u32(8),
    /** Gain of the pacing rate, times 256. */
    bbr_pacing_gain: u32(12),
    /** Gain of the congestion window, times 256. */
    bbr_cwnd_gain: u32(16),
  };
}

/** `struct tcp_dctcp_info`. */
function dctcp() {
  return {
    /** 1: in use; 0: fallen back to Reno. */
    dctcp_enabled: u16(0),
    /** Whether the last segment was marked. */
    dctcp_ce_state: u16(2),
    /** Estimated share of marked bytes, of 1024. */
    dctcp_alpha: u32(4),
    /** Bytes acknowledged with a mark. */
    dctcp_ab_ecn: u32(8),
    /** Bytes acknowledged. */
    dctcp_ab_tot: u32(12),
  };
}

/** `struct tcpvegas_info`. */
function vegas() {
  return {
    /** 1: in use. */
    tcpv_enabled: u32(0),
    /** Round trips measured since the last window. */
    tcpv_rttcnt: u32(4),
    /** Round-trip time, in µs. */
    tcpv_rtt: u32(8),
    /** Smallest round-trip time, in µs. */
    tcpv_minrtt: u32(12),
  };
}

/** `SK_MEMINFO_VARS` of include/uapi/linux/sock_diag.h. */
function memory() {
  return {
    /** Memory of received packets. */
    SK_MEMINFO_RMEM_ALLOC: u32(0),
    /** Size of the receive buffer. */
    SK_MEMINFO_RCVBUF: u32(4),
    /** Memory of packets on their way out. */
    SK_MEMINFO_WMEM_ALLOC: u32(8),
    /** Size of the send buffer. */
    SK_MEMINFO_SNDBUF: u32(12),
    /** Memory set aside for later. */
    SK_MEMINFO_FWD_ALLOC: u32(16),
    /** Memory of the send queue. */
    SK_MEMINFO_WMEM_QUEUED: u32(20),
    /** Memory of options. */
    SK_MEMINFO_OPTMEM: u32(24),
    /** Packets that wait while the socket is in use. */
    SK_MEMINFO_BACKLOG: u32(28),
    /** Packets dropped; a count. */
    SK_MEMINFO_DROPS: u32(32),
  };
}

/** The kernel's names of those that show a state, and how long it is. */
const STATES: Readonly<Record<string, { length: number; decode: () => CongestionControlInfo }>> = {
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

export function readDetails(fd: number): KernelTcpInfoDetails {
  const queues = readQueues(fd);
  const linux = process.platform === 'linux';
  const name = linux ? readName(fd) : null;
  return {
    congestionControl: name,
    congestionControlInfo: name === null ? null : readState(fd, name),
    ...queues,
    SO_MEMINFO: linux && readRecord(fd, SOL_SOCKET, SO_MEMINFO, ROOM) >= 36 ? memory() : null,
  };
}

function readQueues(fd: number) {
  kit.readQueues(fd);
  const [unread = -1, unacknowledged = -1, unsent = -1] = kit.words;
  const known = (bytes: number) => (bytes < 0 ? null : bytes);
  return {
    SIOCINQ: known(unread),
    SIOCOUTQ: known(unacknowledged),
    SIOCOUTQNSD: known(unsent),
  };
}

function readName(fd: number): string | null {
  const length = readRecord(fd, IPPROTO_TCP, TCP_CONGESTION, NAME_ROOM);
  if (length <= 0) return null;
  const text = Buffer.from(kit.bytes.subarray(4 * kit.HEAD, 4 * kit.HEAD + length)).toString(
    'latin1',
  );
  return text.split('\0', 1)[0] as string;
}

function readState(fd: number, name: string): CongestionControlInfo | null {
  const state = Object.hasOwn(STATES, name) ? STATES[name] : undefined;
  // The length has to fit too: the name may have changed since.
  const length = readRecord(fd, IPPROTO_TCP, TCP_CC_INFO, ROOM);
  return state !== undefined && length === state.length ? state.decode() : null;
}

/** Reads one option, of which the fields can be read then; returns its length, below zero: none. */
function readRecord(fd: number, level: number, option: number, room: number): number {
  kit.putRoom(0, level, option, room);
  kit.getRecords(fd, 1);
  const length = kit.words[2] as number;
  const { buffer, byteOffset } = kit.bytes;
  readFrom(new Uint32Array(buffer, byteOffset + 4 * kit.HEAD, room / 4), 0, Math.max(length, 0));
  return length;
}
