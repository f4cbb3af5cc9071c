// macOS: `struct tcp_connection_info` (bsd/netinet/tcp.h of xnu), as getsockopt(TCP_CONNECTION_INFO)
// gives it: 112 bytes, 104 before macOS 10.15.

import { bsdStates, INFINITE_THRESHOLD } from './bsd';
import { NOTHING } from './row';
import type { TcpInfo } from './tcp-info';
import { bits, u64 } from './words';

/** The structure at word `at` of the memory `w`, of which the kernel wrote `n` bytes, normalised. */
export function darwinTcpInfo(w: Uint32Array, at: number, n: number): TcpInfo {
  if (n < 1) return { ...NOTHING };
  const state = bsdStates[(w[at] as number) & 0xff] ?? null;
  if (state === 'LISTEN') return { ...NOTHING, state };
  const word = (index: number) => (n < 4 * index + 4 ? null : (w[at + index] as number));
  const long = (index: number) => (n < 4 * index + 8 ? null : u64(w, at + index));
  const rtt = word(11) || null;
  const threshold = word(5);
  return {
    ...NOTHING,
    state,
    rtt,
    rttVariance: rtt === null ? null : word(12),
    // 0 while its timer does not run.
    rto: word(3) || null,
    mss: word(4),
    congestionWindow: word(6),
    slowStartThreshold: threshold !== null && threshold < INFINITE_THRESHOLD ? threshold : null,
    sendWindow: word(7),
    receiveWindow: word(9),
    bytesSent: long(16),
    bytesReceived: long(22),
    bytesRetransmitted: long(18),
    segmentsSent: long(14),
    segmentsReceived: long(20),
    segmentsRetransmitted: long(26),
  };
}

/**
 * The fields under the kernel's own names, in its own units.
 * `w`: the words of the structure, `n`: how many bytes of it the kernel wrote.
 */
export function darwinFields(w: Uint32Array, n: number) {
  return {
    /** State: 0 CLOSED, 1 LISTEN, 2 SYN_SENT, 3 SYN_RECEIVED, 4 ESTABLISHED, 5 CLOSE_WAIT, 6 FIN_WAIT_1, 7 CLOSING, 8 LAST_ACK, 9 FIN_WAIT_2, 10 TIME_WAIT. */
    tcpi_state: n < 1 ? null : bits(w, 0, 0, 8),
    /** Window scale of the peer, as a shift. */
    tcpi_snd_wscale: n < 2 ? null : bits(w, 1, 0, 8),
    /** Our own window scale, as a shift. */
    tcpi_rcv_wscale: n < 3 ? null : bits(w, 2, 0, 8),
    /** Bits: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN. */
    tcpi_options: n < 8 ? null : w[1],
    /** Bits: 1 loss recovery, 2 reordering detected. */
    tcpi_flags: n < 12 ? null : w[2],
    /** Retransmission timeout, in ms; 0 while its timer does not run. */
    tcpi_rto: n < 16 ? null : w[3],
    /** Largest payload of a segment, in bytes. */
    tcpi_maxseg: n < 20 ? null : w[4],
    /** Slow start threshold, in bytes. */
    tcpi_snd_ssthresh: n < 24 ? null : w[5],
    /** Congestion window, in bytes. */
    tcpi_snd_cwnd: n < 28 ? null : w[6],
    /** The peer's receive window, in bytes. */
    tcpi_snd_wnd: n < 32 ? null : w[7],
    /** Bytes in the send buffer, those in flight included. */
    tcpi_snd_sbbytes: n < 36 ? null : w[8],
    /** Our own receive window, in bytes. */
    tcpi_rcv_wnd: n < 40 ? null : w[9],
    /** The last sample of the round-trip time, in ms. */
    tcpi_rttcur: n < 44 ? null : w[10],
    /** Smoothed round-trip time, in ms. */
    tcpi_srtt: n < 48 ? null : w[11],
    /** Round-trip time variation, in ms. */
    tcpi_rttvar: n < 52 ? null : w[12],
    /** Fast Open: 1, a cookie was asked for. */
    tcpi_tfo_cookie_req: n < 53 ? null : bits(w, 52, 0, 1),
    /** Fast Open: 1, a cookie was received. */
    tcpi_tfo_cookie_rcv: n < 53 ? null : bits(w, 52, 1, 1),
    /** Fast Open: 1, data in the SYN was lost. */
    tcpi_tfo_syn_loss: n < 53 ? null : bits(w, 52, 2, 1),
    /** Fast Open: 1, data was sent in the SYN. */
    tcpi_tfo_syn_data_sent: n < 53 ? null : bits(w, 52, 3, 1),
    /** Fast Open: 1, data in the SYN was acknowledged. */
    tcpi_tfo_syn_data_acked: n < 53 ? null : bits(w, 52, 4, 1),
    /** Fast Open: 1, data in the SYN was received. */
    tcpi_tfo_syn_data_rcv: n < 53 ? null : bits(w, 52, 5, 1),
    /** Segments sent. */
    tcpi_txpackets: n < 64 ? null : u64(w, 14),
    /** Bytes sent. */
    tcpi_txbytes: n < 72 ? null : u64(w, 16),
    /** Bytes sent again. */
    tcpi_txretransmitbytes: n < 80 ? null : u64(w, 18),
    /** Segments received. */
    tcpi_rxpackets: n < 88 ? null : u64(w, 20),
    /** Bytes received. */
    tcpi_rxbytes: n < 96 ? null : u64(w, 22),
    /** Bytes received out of order. */
    tcpi_rxoutoforderbytes: n < 104 ? null : u64(w, 24),
    /** Segments sent again. */
    tcpi_txretransmitpackets: n < 112 ? null : u64(w, 26),
  };
}
