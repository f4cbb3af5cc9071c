// FreeBSD: `struct tcp_info` (sys/netinet/tcp.h), as getsockopt(TCP_INFO) gives it: 236 bytes, 256 in
// the newest. It begins as that of Linux does, whose members it does not fill are left out, and goes
// its own way from byte 100 on.

import { bsdStates, INFINITE_THRESHOLD } from './bsd';
import { NOTHING } from './row';
import type { TcpInfo } from './tcp-info';
import { bits, u64 } from './words';

/** The length since which places are in use that were padding before. */
const NEWEST = 256;

/** The structure at word `at` of the memory `w`, of which the kernel wrote `n` bytes, normalised. */
export function freeBsdTcpInfo(w: Uint32Array, at: number, n: number): TcpInfo {
  if (n < 1) return { ...NOTHING };
  const state = bsdStates[(w[at] as number) & 0xff] ?? null;
  if (state === 'LISTEN') return { ...NOTHING, state };
  const word = (index: number) => (n < 4 * index + 4 ? null : (w[at + index] as number));
  const milliseconds = (microseconds: number | null) =>
    microseconds === null || microseconds === 0 ? null : microseconds / 1000;
  const rtt = milliseconds(word(17));
  const variance = word(18);
  const threshold = word(19);
  return {
    ...NOTHING,
    state,
    rtt,
    rttVariance: rtt === null || variance === null ? null : variance / 1000,
    rto: milliseconds(word(2)),
    mss: word(4),
    congestionWindow: word(20),
    slowStartThreshold: threshold !== null && threshold < INFINITE_THRESHOLD ? threshold : null,
    sendWindow: word(25),
    receiveWindow: word(24),
    // Sequence numbers, which wrap.
    bytesInFlight: n < NEWEST ? null : ((w[at + 45] as number) - (w[at + 44] as number)) >>> 0,
    segmentsRetransmitted: word(30),
    segmentsReceivedOutOfOrder: word(31),
    timeSinceLastDataReceived: milliseconds(word(13)),
  };
}

/**
 * The fields under the kernel's own names, in its own units.
 * `w`: the words of the structure, `n`: how many bytes of it the kernel wrote.
 */
export function freeBsdFields(w: Uint32Array, n: number) {
  return {
    /** State: 0 CLOSED, 1 LISTEN, 2 SYN_SENT, 3 SYN_RECEIVED, 4 ESTABLISHED, 5 CLOSE_WAIT, 6 FIN_WAIT_1, 7 CLOSING, 8 LAST_ACK, 9 FIN_WAIT_2, 10 TIME_WAIT. */
    tcpi_state: n < 1 ? null : bits(w, 0, 0, 8),
    /** Bits: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 16 offloaded. */
    tcpi_options: n < 6 ? null : bits(w, 5, 0, 8),
    /** Window scale of the peer, as a shift. */
    tcpi_snd_wscale: n < 7 ? null : bits(w, 6, 0, 4),
    /** Our own window scale, as a shift. */
    tcpi_rcv_wscale: n < 7 ? null : bits(w, 6, 4, 4),
    /** Retransmission timeout, in µs. */
    tcpi_rto: n < 12 ? null : w[2],
    /** Largest payload of a segment that is sent, in bytes. */
    tcpi_snd_mss: n < 20 ? null : w[4],
    /** The same of what is received, in bytes. */
    tcpi_rcv_mss: n < 24 ? null : w[5],
    /** Time since payload arrived, in µs. */
    tcpi_last_data_recv: n < 56 ? null : w[13],
    /** Smoothed round-trip time, in µs. */
    tcpi_rtt: n < 72 ? null : w[17],
    /** Round-trip time variation, in µs. */
    tcpi_rttvar: n < 76 ? null : w[18],
    /** Slow start threshold, in bytes. */
    tcpi_snd_ssthresh: n < 80 ? null : w[19],
    /** Congestion window, in bytes. */
    tcpi_snd_cwnd: n < 84 ? null : w[20],
    /** Our own receive window, in bytes. */
    tcpi_rcv_space: n < 100 ? null : w[24],
    /** The peer's receive window, in bytes. */
    tcpi_snd_wnd: n < 104 ? null : w[25],
    /** Bandwidth-controlled send window: 0, no longer filled. */
    tcpi_snd_bwnd: n < 108 ? null : w[26],
    /** Next sequence number to send. */
    tcpi_snd_nxt: n < 112 ? null : w[27],
    /** Next sequence number expected. */
    tcpi_rcv_nxt: n < 116 ? null : w[28],
    /** Number of the connection in the offload engine. */
    tcpi_toe_tid: n < 120 ? null : w[29],
    /** Segments sent again. */
    tcpi_snd_rexmitpack: n < 124 ? null : w[30],
    /** Segments received out of order. */
    tcpi_rcv_ooopack: n < 128 ? null : w[31],
    /** How often the peer's window was found closed. */
    tcpi_snd_zerowin: n < 132 ? null : w[32],
    /** Segments delivered with a congestion mark. */
    tcpi_delivered_ce: n < NEWEST ? null : w[33],
    /** Segments received with a congestion mark. */
    tcpi_received_ce: n < NEWEST ? null : w[34],
    /** Tail loss probes sent. */
    tcpi_total_tlp: n < NEWEST ? null : w[41],
    /** Bytes sent by tail loss probes. */
    tcpi_total_tlp_bytes: n < NEWEST ? null : u64(w, 42),
    /** Oldest unacknowledged sequence number. */
    tcpi_snd_una: n < NEWEST ? null : w[44],
    /** Highest sequence number sent. */
    tcpi_snd_max: n < NEWEST ? null : w[45],
    /** Duplicate acknowledgements in a row. */
    tcpi_dupacks: n < NEWEST ? null : w[48],
    /** Smallest round-trip time, in µs. */
    tcpi_rttmin: n < NEWEST ? null : w[49],
  };
}
