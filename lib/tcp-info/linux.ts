// Linux: `struct tcp_info` (include/uapi/linux/tcp.h), as getsockopt(TCP_INFO) and sock_diag give it.
// A kernel writes as much of it as it knows; what it appends in later versions never moves the rest.

import { fillFrom, NOTHING, type Row } from './row';
import { type TcpInfo, type TcpState, tcpStates } from './tcp-info';
import { bits, u16, u64 } from './words';

/** `enum` of include/net/tcp_states.h -> the state. 12 is TCP_NEW_SYN_RECV. */
const STATES: readonly (TcpState | null)[] = [
  null,
  'ESTABLISHED',
  'SYN-SENT',
  'SYN-RECEIVED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'CLOSED',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
  'SYN-RECEIVED',
];
const STATE_INDICES = STATES.map((state) => (state === null ? NaN : tcpStates.indexOf(state)));

/** A state of Linux -> index in `tcpStates`. */
export function stateIndexOf(state: number): number {
  return STATE_INDICES[state] ?? NaN;
}

/** What `tcpi_snd_ssthresh` is before the first loss (TCP_INFINITE_SSTHRESH). */
const INFINITE_THRESHOLD = 0x7fffffff;
/** What `tcpi_min_rtt` is before the first sample. */
const NO_SAMPLE = 0xffffffff;
/** What rates are without a limit: ~0 of 64 bits, as a double. */
const UNLIMITED = 2 ** 64;

const TCP_LISTEN = 10;

/** The length since 4.19, which is older than any Linux that Node supports. */
const LINUX_4_19 = 224;

/**
 * The structure at word `at` of the memory `w`, of which the kernel wrote `n` bytes, normalised: null
 * where this kernel is older than the field, and for the kernel's ways to say "no value yet".
 */
export function linuxTcpInfo(w: Uint32Array, at: number, n: number): TcpInfo {
  if (n < 1) return { ...NOTHING };
  const state = (w[at] as number) & 0xff;
  if (state === TCP_LISTEN) {
    // Of a listening socket the kernel uses two fields for something else, and means no other.
    const acceptQueue = n < 28 ? null : (w[at + 6] as number);
    const acceptQueueLimit = n < 32 ? null : (w[at + 7] as number);
    return { ...NOTHING, state: 'LISTEN', acceptQueue, acceptQueueLimit };
  }
  const mss = n < 20 ? null : (w[at + 4] as number);
  const unackedSegments = n < 28 ? null : (w[at + 6] as number);
  const rtt = n < 72 ? 0 : (w[at + 17] as number);
  const threshold = n < 80 ? INFINITE_THRESHOLD : (w[at + 19] as number);
  const pacingRate = n < 112 ? UNLIMITED : u64(w, at + 26);
  const bytesAcked = n < 128 ? null : u64(w, at + 30);
  const segmentsReceived = n < 144 ? null : (w[at + 35] as number);
  const minRtt = n < 152 ? NO_SAMPLE : (w[at + 37] as number);
  const bytesSent = n < 208 ? null : u64(w, at + 50);
  const bytesRetransmitted = n < 216 ? null : u64(w, at + 52);
  return {
    state: STATES[state] ?? null,
    rtt: rtt > 0 ? rtt / 1000 : null,
    // A connection without a sample has 250 ms here, from which the first timeout is made.
    rttVariance: n < 76 || rtt === 0 ? null : (w[at + 18] as number) / 1000,
    minRtt: minRtt === NO_SAMPLE ? null : minRtt / 1000,
    rto: n < 12 ? null : (w[at + 2] as number) / 1000,
    mss,
    pathMtu: n < 64 ? null : w[at + 15] || null,
    congestionWindow: n < 84 ? null : (w[at + 20] as number) * (mss as number),
    slowStartThreshold: threshold >= INFINITE_THRESHOLD ? null : threshold * (mss as number),
    sendWindow: n < 232 ? null : (w[at + 57] as number),
    receiveWindow: n < 236 ? null : (w[at + 58] as number),
    bytesSent,
    bytesReceived: n < 136 ? null : u64(w, at + 32),
    bytesAcked,
    bytesRetransmitted,
    bytesInFlight:
      unackedSegments === 0
        ? 0
        : bytesSent === null || bytesRetransmitted === null || bytesAcked === null
          ? null
          : Math.max(bytesSent - bytesRetransmitted - bytesAcked, 0),
    unsentBytes: n < 148 ? null : (w[at + 36] as number),
    segmentsSent: n < 140 ? null : (w[at + 34] as number),
    segmentsReceived,
    segmentsRetransmitted: n < 104 ? null : (w[at + 25] as number),
    segmentsReceivedOutOfOrder: n < 228 ? null : (w[at + 56] as number),
    unackedSegments,
    lostSegments: n < 36 ? null : (w[at + 8] as number),
    deliveryRate: n < 168 ? null : u64(w, at + 40) || null,
    pacingRate: pacingRate === UNLIMITED ? null : pacingRate,
    busyTime: n < 176 ? null : u64(w, at + 42) / 1000,
    receiveWindowLimitedTime: n < 184 ? null : u64(w, at + 44) / 1000,
    sendBufferLimitedTime: n < 192 ? null : u64(w, at + 46) / 1000,
    // Of what never happened, the kernel says that it was when the machine started.
    timeSinceLastDataSent: n < 160 || w[at + 39] === 0 ? null : (w[at + 11] as number),
    timeSinceLastDataReceived: n < 156 || w[at + 38] === 0 ? null : (w[at + 13] as number),
    timeSinceLastAckReceived:
      segmentsReceived === null || segmentsReceived === 0 ? null : (w[at + 14] as number),
    probes: n < 4 ? null : (w[at] as number) >>> 24,
    backoff: n < 5 ? null : (w[at + 1] as number) & 0xff,
    consecutiveTimeouts: n < 3 ? null : ((w[at] as number) >>> 16) & 0xff,
    totalTimeouts: n < 242 ? null : (w[at + 60] as number) & 0xffff,
    acceptQueue: null,
    acceptQueueLimit: null,
  };
}

/**
 * The same as a row: each field written out a second time, because to make an object of each of
 * thousands of connections takes five times as long. The tests hold the two together.
 */
export function fillLinuxRow(w: Uint32Array, at: number, n: number, row: Row): void {
  const state = (w[at] as number) & 0xff;
  if (n < LINUX_4_19 || state === TCP_LISTEN) {
    fillFrom(linuxTcpInfo(w, at, n), row);
    return;
  }
  const mss = w[at + 4] as number;
  const rtt = w[at + 17] as number;
  const minRtt = w[at + 37] as number;
  const threshold = w[at + 19] as number;
  const pacingRate = u64(w, at + 26);
  const deliveryRate = u64(w, at + 40);
  const bytesSent = u64(w, at + 50);
  const bytesRetransmitted = u64(w, at + 52);
  const bytesAcked = u64(w, at + 30);
  const unacked = w[at + 6] as number;
  row[0] = stateIndexOf(state);
  row[1] = rtt > 0 ? rtt / 1000 : NaN;
  row[2] = rtt > 0 ? (w[at + 18] as number) / 1000 : NaN;
  row[3] = minRtt === NO_SAMPLE ? NaN : minRtt / 1000;
  row[4] = (w[at + 2] as number) / 1000;
  row[5] = mss;
  row[6] = w[at + 15] || NaN;
  row[7] = (w[at + 20] as number) * mss;
  row[8] = threshold >= INFINITE_THRESHOLD ? NaN : threshold * mss;
  row[9] = n < 232 ? NaN : (w[at + 57] as number);
  row[10] = n < 236 ? NaN : (w[at + 58] as number);
  row[11] = bytesSent;
  row[12] = u64(w, at + 32);
  row[13] = bytesAcked;
  row[14] = bytesRetransmitted;
  row[15] = unacked === 0 ? 0 : Math.max(bytesSent - bytesRetransmitted - bytesAcked, 0);
  row[16] = w[at + 36] as number;
  row[17] = w[at + 34] as number;
  row[18] = w[at + 35] as number;
  row[19] = w[at + 25] as number;
  row[20] = n < 228 ? NaN : (w[at + 56] as number);
  row[21] = unacked;
  row[22] = w[at + 8] as number;
  row[23] = deliveryRate > 0 ? deliveryRate : NaN;
  row[24] = pacingRate === UNLIMITED ? NaN : pacingRate;
  row[25] = u64(w, at + 42) / 1000;
  row[26] = u64(w, at + 44) / 1000;
  row[27] = u64(w, at + 46) / 1000;
  row[28] = (w[at + 39] as number) > 0 ? (w[at + 11] as number) : NaN;
  row[29] = (w[at + 38] as number) > 0 ? (w[at + 13] as number) : NaN;
  row[30] = (w[at + 35] as number) > 0 ? (w[at + 14] as number) : NaN;
  row[31] = (w[at] as number) >>> 24;
  row[32] = (w[at + 1] as number) & 0xff;
  row[33] = ((w[at] as number) >>> 16) & 0xff;
  row[34] = n < 242 ? NaN : (w[at + 60] as number) & 0xffff;
  row[35] = NaN;
  row[36] = NaN;
}

/**
 * The fields under the kernel's own names, in its own units: null where this kernel is older.
 * `w`: the words of the structure, `n`: how many bytes of it the kernel wrote.
 */
export function linuxFields(w: Uint32Array, n: number) {
  return {
    /** State: 1 ESTABLISHED, 2 SYN_SENT, 3 SYN_RECV, 4 FIN_WAIT1, 5 FIN_WAIT2, 6 TIME_WAIT, 7 CLOSE, 8 CLOSE_WAIT, 9 LAST_ACK, 10 LISTEN, 11 CLOSING. */
    tcpi_state: n < 1 ? null : bits(w, 0, 0, 8),
    /** Congestion state: 0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss. */
    tcpi_ca_state: n < 2 ? null : bits(w, 1, 0, 8),
    /** Retransmission timeouts in a row of the oldest unacknowledged segment. */
    tcpi_retransmits: n < 3 ? null : bits(w, 2, 0, 8),
    /** Unanswered probes: keepalive probes, or probes of a closed window. */
    tcpi_probes: n < 4 ? null : bits(w, 3, 0, 8),
    /** How often the retransmission timeout, or the pause between window probes, was doubled. */
    tcpi_backoff: n < 5 ? null : bits(w, 4, 0, 8),
    /** Bits: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 16 ECN seen, 32 data in the SYN, 64 timestamps in µs, 128 accepted with Fast Open. */
    tcpi_options: n < 6 ? null : bits(w, 5, 0, 8),
    /** Window scale of the peer, as a shift. */
    tcpi_snd_wscale: n < 7 ? null : bits(w, 6, 0, 4),
    /** Our own window scale, as a shift. */
    tcpi_rcv_wscale: n < 7 ? null : bits(w, 6, 4, 4),
    /** 1: `tcpi_delivery_rate` was limited by the application, which had nothing to send. */
    tcpi_delivery_rate_app_limited: n < 168 ? null : bits(w, 7, 0, 1),
    /** Why Fast Open failed: 0 it did not, 1 no cookie, 2 data not acknowledged, 3 SYN retransmitted. */
    tcpi_fastopen_client_fail: n < 232 ? null : bits(w, 7, 1, 2),
    /** Retransmission timeout, in µs. */
    tcpi_rto: n < 12 ? null : w[2],
    /** Timeout of delayed acknowledgements, in µs. */
    tcpi_ato: n < 16 ? null : w[3],
    /** Largest payload of a segment that is sent, in bytes. */
    tcpi_snd_mss: n < 20 ? null : w[4],
    /** The same of what is received, an estimate, in bytes. */
    tcpi_rcv_mss: n < 24 ? null : w[5],
    /** Segments in flight. Of a listening socket: connections that wait to be accepted. */
    tcpi_unacked: n < 28 ? null : w[6],
    /** Segments acknowledged selectively. Of a listening socket: how many connections may wait. */
    tcpi_sacked: n < 32 ? null : w[7],
    /** Segments believed lost now. */
    tcpi_lost: n < 36 ? null : w[8],
    /** Segments sent again and not acknowledged yet. */
    tcpi_retrans: n < 40 ? null : w[9],
    /** 0: no longer filled. */
    tcpi_fackets: n < 44 ? null : w[10],
    /** Time since payload was sent, in ms; if none ever was, since the machine started. */
    tcpi_last_data_sent: n < 48 ? null : w[11],
    /** 0: never filled. */
    tcpi_last_ack_sent: n < 52 ? null : w[12],
    /** Time since payload arrived, in ms. */
    tcpi_last_data_recv: n < 56 ? null : w[13],
    /** Time since an acknowledgement arrived, in ms. */
    tcpi_last_ack_recv: n < 60 ? null : w[14],
    /** Path MTU, in bytes. */
    tcpi_pmtu: n < 64 ? null : w[15],
    /** Slow start threshold of the receive window, in bytes. */
    tcpi_rcv_ssthresh: n < 68 ? null : w[16],
    /** Smoothed round-trip time, in µs; 0 before the first sample. */
    tcpi_rtt: n < 72 ? null : w[17],
    /** Round-trip time variation, in µs. */
    tcpi_rttvar: n < 76 ? null : w[18],
    /** Slow start threshold, in segments; 0x7fffffff: infinite. */
    tcpi_snd_ssthresh: n < 80 ? null : w[19],
    /** Congestion window, in segments. */
    tcpi_snd_cwnd: n < 84 ? null : w[20],
    /** Largest segment that was announced to the peer, in bytes. */
    tcpi_advmss: n < 88 ? null : w[21],
    /** How many segments may be reordered before one counts as lost. */
    tcpi_reordering: n < 92 ? null : w[22],
    /** Round-trip time as the receiver sees it, in µs; 0 before the first sample. */
    tcpi_rcv_rtt: n < 96 ? null : w[23],
    /** Target of the receive buffer's tuning, in bytes per round trip. */
    tcpi_rcv_space: n < 100 ? null : w[24],
    /** Segments sent again, over the connection's life. */
    tcpi_total_retrans: n < 104 ? null : w[25],
    /** Pacing rate, in bytes per second; 2^64: unlimited. */
    tcpi_pacing_rate: n < 112 ? null : u64(w, 26),
    /** Upper limit of the pacing rate (`SO_MAX_PACING_RATE`), in bytes per second; 2^64: none. */
    tcpi_max_pacing_rate: n < 120 ? null : u64(w, 28),
    /** Payload acknowledged by the peer, in bytes (RFC 4898 ThruOctetsAcked); SYN and FIN count as 1. */
    tcpi_bytes_acked: n < 128 ? null : u64(w, 30),
    /** Payload received in order, in bytes (RFC 4898 ThruOctetsReceived); a FIN counts as 1. */
    tcpi_bytes_received: n < 136 ? null : u64(w, 32),
    /** Segments sent (RFC 4898 SegsOut); wraps. */
    tcpi_segs_out: n < 140 ? null : w[34],
    /** Segments received (RFC 4898 SegsIn); wraps. */
    tcpi_segs_in: n < 144 ? null : w[35],
    /** Bytes written and never sent. */
    tcpi_notsent_bytes: n < 148 ? null : w[36],
    /** Smallest round-trip time of the last minutes, in µs; 0xffffffff before the first sample. */
    tcpi_min_rtt: n < 152 ? null : w[37],
    /** Segments with payload received (RFC 4898 DataSegsIn). */
    tcpi_data_segs_in: n < 156 ? null : w[38],
    /** Segments with payload sent, retransmissions included (RFC 4898 DataSegsOut). */
    tcpi_data_segs_out: n < 160 ? null : w[39],
    /** Rate at which data arrived at the peer lately, in bytes per second; 0 before the first sample. */
    tcpi_delivery_rate: n < 168 ? null : u64(w, 40),
    /** Time with data to send or in flight, in µs. */
    tcpi_busy_time: n < 176 ? null : u64(w, 42),
    /** Of that, limited by the peer's window, in µs. */
    tcpi_rwnd_limited: n < 184 ? null : u64(w, 44),
    /** Of that, limited by our own send buffer, in µs. */
    tcpi_sndbuf_limited: n < 192 ? null : u64(w, 46),
    /** Segments delivered to the peer. */
    tcpi_delivered: n < 196 ? null : w[48],
    /** Of these, with a congestion mark (ECN CE). */
    tcpi_delivered_ce: n < 200 ? null : w[49],
    /** Payload sent, retransmissions included, in bytes (RFC 4898 PerfHCDataOctetsOut). */
    tcpi_bytes_sent: n < 208 ? null : u64(w, 50),
    /** Payload sent again, in bytes (RFC 4898 PerfOctetsRetrans). */
    tcpi_bytes_retrans: n < 216 ? null : u64(w, 52),
    /** Duplicates that the peer reported (RFC 4898 StackDSACKDups). */
    tcpi_dsack_dups: n < 220 ? null : w[54],
    /** How often segments were seen reordered. */
    tcpi_reord_seen: n < 224 ? null : w[55],
    /** Segments received out of order. */
    tcpi_rcv_ooopack: n < 228 ? null : w[56],
    /** The peer's receive window, scaled, in bytes. */
    tcpi_snd_wnd: n < 232 ? null : w[57],
    /** Our own receive window as the peer sees it, scaled, in bytes. */
    tcpi_rcv_wnd: n < 236 ? null : w[58],
    /** How often the flow's hash was changed to find another path (PLB, timeouts). */
    tcpi_rehash: n < 240 ? null : w[59],
    /** Retransmission timeouts, that of a SYN included. */
    tcpi_total_rto: n < 242 ? null : u16(w, 240),
    /** How often timeouts were recovered from. */
    tcpi_total_rto_recoveries: n < 244 ? null : u16(w, 242),
    /** Time spent in recovery from timeouts, in ms. */
    tcpi_total_rto_time: n < 248 ? null : w[61],
    /** Segments received with a congestion mark. */
    tcpi_received_ce: n < 252 ? null : w[62],
    /** Payload delivered with ECT(1), in bytes (AccECN). */
    tcpi_delivered_e1_bytes: n < 256 ? null : w[63],
    /** Payload delivered with ECT(0), in bytes (AccECN). */
    tcpi_delivered_e0_bytes: n < 260 ? null : w[64],
    /** Payload delivered with CE, in bytes (AccECN). */
    tcpi_delivered_ce_bytes: n < 264 ? null : w[65],
    /** Payload received with ECT(1), in bytes (AccECN). */
    tcpi_received_e1_bytes: n < 268 ? null : w[66],
    /** Payload received with ECT(0), in bytes (AccECN). */
    tcpi_received_e0_bytes: n < 272 ? null : w[67],
    /** Payload received with CE, in bytes (AccECN). */
    tcpi_received_ce_bytes: n < 276 ? null : w[68],
    // The last four bytes, 276 to 279, stay out: Linux 7.0 laid them out anew within the same length.
  };
}
