// Windows: `TCP_INFO_v0`, `_v1`, `_v2` (mstcpip.h), as WSAIoctl(SIO_TCP_INFO) writes them: 88, 136 and
// 152 bytes. Each appends to the one before.

import { type Structure, u8, u32, u64 } from './structure';

export const windowsStructure = {
  /** State: 0 CLOSED, 1 LISTEN, 2 SYN_SENT, 3 SYN_RCVD, 4 ESTABLISHED, 5 FIN_WAIT_1, 6 FIN_WAIT_2, 7 CLOSE_WAIT, 8 CLOSING, 9 LAST_ACK, 10 TIME_WAIT. */
  State: u32(0),
  /** Largest payload of a segment, in bytes. */
  Mss: u32(4),
  /** Age of the connection, in ms. */
  ConnectionTimeMs: u64(8),
  /** 1: timestamps are in use. */
  TimestampsEnabled: u8(16),
  /** Smoothed round-trip time, in µs. */
  RttUs: u32(20),
  /** Smallest round-trip time, in µs. */
  MinRttUs: u32(24),
  /** Bytes sent and not acknowledged yet. */
  BytesInFlight: u32(28),
  /** Congestion window, in bytes. */
  Cwnd: u32(32),
  /** The peer's receive window, in bytes. */
  SndWnd: u32(36),
  /** Our own receive window, in bytes. */
  RcvWnd: u32(40),
  /** Size of the receive buffer, in bytes. */
  RcvBuf: u32(44),
  /** Number of bytes sent. */
  BytesOut: u64(48),
  /** Number of bytes received. */
  BytesIn: u64(56),
  /** Bytes received out of order. */
  BytesReordered: u32(64),
  /** Bytes sent again. */
  BytesRetrans: u32(68),
  /** Fast retransmissions; a count. */
  FastRetrans: u32(72),
  /** Number of duplicate acknowledgements received. */
  DupAcksIn: u32(76),
  /** Number of retransmission timeouts; each series counts once. */
  TimeoutEpisodes: u32(80),
  /** Number of retransmissions of the SYN. */
  SynRetrans: u8(84),
  /** How often sending became limited by the peer's window. */
  SndLimTransRwin: u32(88),
  /** Time limited by the peer's window, in ms. */
  SndLimTimeRwin: u32(92),
  /** Bytes sent while limited by the peer's window. */
  SndLimBytesRwin: u64(96),
  /** How often sending became limited by the congestion window. */
  SndLimTransCwnd: u32(104),
  /** Time limited by the congestion window, in ms. */
  SndLimTimeCwnd: u32(108),
  /** Bytes sent while limited by the congestion window. */
  SndLimBytesCwnd: u64(112),
  /** How often sending became limited by the application. */
  SndLimTransSnd: u32(120),
  /** Time limited by the application, in ms. */
  SndLimTimeSnd: u32(124),
  /** Bytes sent while limited by the application. */
  SndLimBytesSnd: u64(128),
  /** Segments received out of order. */
  OutOfOrderPktsIn: u32(136),
  /** 1: ECN was negotiated. */
  EcnNegotiated: u8(140),
  /** Number of acknowledgements received with ECE. */
  EceAcksIn: u32(144),
  /** Probe timeouts (tail loss probes); a count. */
  PtoEpisodes: u32(148),
} satisfies Structure;
