// Windows: `TCP_INFO_v0`, `_v1`, `_v2` (mstcpip.h), as WSAIoctl(SIO_TCP_INFO) gives them: 88, 136 and
// 152 bytes. Each appends to the one before.

import { NOTHING } from './row';
import { type TcpInfo, tcpStates } from './tcp-info';
import { bits, u64 } from './words';

/** What `MinRttUs` is before the first sample. */
const NO_SAMPLE = 0xffff_ffff;

/** The structure at word `at` of the memory `w`, of which the system wrote `n` bytes, normalised. */
export function windowsTcpInfo(w: Uint32Array, at: number, n: number): TcpInfo {
  if (n < 4) return { ...NOTHING };
  // `TCPSTATE` counts as RFC 9293 names them, which is the order of `tcpStates`.
  const state = tcpStates[w[at] as number] ?? null;
  if (state === 'LISTEN') return { ...NOTHING, state };
  const word = (index: number) => (n < 4 * index + 4 ? null : (w[at + index] as number));
  const long = (index: number) => (n < 4 * index + 8 ? null : u64(w, at + index));
  const milliseconds = (microseconds: number | null) =>
    microseconds === null || microseconds === 0 ? null : microseconds / 1000;
  const minRtt = word(6);
  return {
    ...NOTHING,
    state,
    rtt: milliseconds(word(5)),
    minRtt: minRtt === NO_SAMPLE ? null : milliseconds(minRtt),
    mss: word(1),
    congestionWindow: word(8),
    sendWindow: word(9),
    receiveWindow: word(10),
    bytesSent: long(12),
    bytesReceived: long(14),
    bytesRetransmitted: word(17),
    bytesInFlight: word(7),
    segmentsReceivedOutOfOrder: word(34),
    receiveWindowLimitedTime: word(23),
    totalTimeouts: word(20),
  };
}

/**
 * The fields under the system's own names, in its own units.
 * `w`: the words of the structure, `n`: how many bytes of it the system wrote.
 */
export function windowsFields(w: Uint32Array, n: number) {
  return {
    /** State: 0 CLOSED, 1 LISTEN, 2 SYN_SENT, 3 SYN_RCVD, 4 ESTABLISHED, 5 FIN_WAIT_1, 6 FIN_WAIT_2, 7 CLOSE_WAIT, 8 CLOSING, 9 LAST_ACK, 10 TIME_WAIT. */
    State: n < 4 ? null : w[0],
    /** Largest payload of a segment, in bytes. */
    Mss: n < 8 ? null : w[1],
    /** Age of the connection, in ms. */
    ConnectionTimeMs: n < 16 ? null : u64(w, 2),
    /** 1: timestamps are in use. */
    TimestampsEnabled: n < 17 ? null : bits(w, 16, 0, 8),
    /** Smoothed round-trip time, in µs. */
    RttUs: n < 24 ? null : w[5],
    /** Smallest round-trip time, in µs. */
    MinRttUs: n < 28 ? null : w[6],
    /** Bytes sent and not acknowledged yet. */
    BytesInFlight: n < 32 ? null : w[7],
    /** Congestion window, in bytes. */
    Cwnd: n < 36 ? null : w[8],
    /** The peer's receive window, in bytes. */
    SndWnd: n < 40 ? null : w[9],
    /** Our own receive window, in bytes. */
    RcvWnd: n < 44 ? null : w[10],
    /** Size of the receive buffer, in bytes. */
    RcvBuf: n < 48 ? null : w[11],
    /** Bytes sent. */
    BytesOut: n < 56 ? null : u64(w, 12),
    /** Bytes received. */
    BytesIn: n < 64 ? null : u64(w, 14),
    /** Bytes received out of order. */
    BytesReordered: n < 68 ? null : w[16],
    /** Bytes sent again. */
    BytesRetrans: n < 72 ? null : w[17],
    /** Fast retransmissions; a count. */
    FastRetrans: n < 76 ? null : w[18],
    /** Duplicate acknowledgements received. */
    DupAcksIn: n < 80 ? null : w[19],
    /** Retransmission timeouts; each series counts once. */
    TimeoutEpisodes: n < 84 ? null : w[20],
    /** Retransmissions of the SYN. */
    SynRetrans: n < 85 ? null : bits(w, 84, 0, 8),
    /** How often sending became limited by the peer's window. */
    SndLimTransRwin: n < 92 ? null : w[22],
    /** Time limited by the peer's window, in ms. */
    SndLimTimeRwin: n < 96 ? null : w[23],
    /** Bytes sent while limited by the peer's window. */
    SndLimBytesRwin: n < 104 ? null : u64(w, 24),
    /** How often sending became limited by the congestion window. */
    SndLimTransCwnd: n < 108 ? null : w[26],
    /** Time limited by the congestion window, in ms. */
    SndLimTimeCwnd: n < 112 ? null : w[27],
    /** Bytes sent while limited by the congestion window. */
    SndLimBytesCwnd: n < 120 ? null : u64(w, 28),
    /** How often sending became limited by the application. */
    SndLimTransSnd: n < 124 ? null : w[30],
    /** Time limited by the application, in ms. */
    SndLimTimeSnd: n < 128 ? null : w[31],
    /** Bytes sent while limited by the application. */
    SndLimBytesSnd: n < 136 ? null : u64(w, 32),
    /** Segments received out of order. */
    OutOfOrderPktsIn: n < 140 ? null : w[34],
    /** 1: ECN was negotiated. */
    EcnNegotiated: n < 141 ? null : bits(w, 140, 0, 8),
    /** Acknowledgements received with ECE. */
    EceAcksIn: n < 148 ? null : w[36],
    /** Probe timeouts (tail loss probes); a count. */
    PtoEpisodes: n < 152 ? null : w[37],
  };
}
