// FreeBSD: `struct tcp_info` (sys/netinet/tcp.h), as getsockopt(TCP_INFO) writes it, without the padding at its
// end: native/platform/freebsd.cc. FreeBSD 13 has 132 bytes, 14 has 196, and the newest has 256. It begins like that
// of Linux, but differs from byte 100 on. Members that FreeBSD does not fill are left out.

import { bits, type Structure, u8, u32, u64 } from './structure';

export const freeBsdStructure = {
  /** State: 0 CLOSED, 1 LISTEN, 2 SYN_SENT, 3 SYN_RECEIVED, 4 ESTABLISHED, 5 CLOSE_WAIT, 6 FIN_WAIT_1, 7 CLOSING, 8 LAST_ACK, 9 FIN_WAIT_2, 10 TIME_WAIT. */
  tcpi_state: u8(0),
  /** Bits: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 16 offloaded. */
  tcpi_options: u8(5),
  /** Window scale of the peer, as a shift: 0 to 14. */
  tcpi_snd_wscale: bits(6, 0, 4),
  /** Our own window scale, as a shift: 0 to 14. */
  tcpi_rcv_wscale: bits(6, 4, 4),
  /** Retransmission timeout, in µs. */
  tcpi_rto: u32(8),
  /** Largest payload of a segment that is sent, in bytes. */
  tcpi_snd_mss: u32(16),
  /** The same of what is received, in bytes. */
  tcpi_rcv_mss: u32(20),
  /** Time since payload arrived, in µs. */
  tcpi_last_data_recv: u32(52),
  /** Smoothed round-trip time, in µs. */
  tcpi_rtt: u32(68),
  /** Round-trip time variation, in µs. */
  tcpi_rttvar: u32(72),
  /** Slow start threshold, in bytes. */
  tcpi_snd_ssthresh: u32(76),
  /** Congestion window, in bytes. */
  tcpi_snd_cwnd: u32(80),
  /** Our own receive window, in bytes. */
  tcpi_rcv_space: u32(96),
  /** The peer's receive window, in bytes. */
  tcpi_snd_wnd: u32(100),
  /** Bandwidth-controlled send window: 0, no longer filled. */
  tcpi_snd_bwnd: u32(104),
  /** Next sequence number to send. */
  tcpi_snd_nxt: u32(108),
  /** Next sequence number expected. */
  tcpi_rcv_nxt: u32(112),
  /** Number of the connection in the offload engine. */
  tcpi_toe_tid: u32(116),
  /** Segments sent again. */
  tcpi_snd_rexmitpack: u32(120),
  /** Segments received out of order. */
  tcpi_rcv_ooopack: u32(124),
  /** How often the peer's window was found closed. */
  tcpi_snd_zerowin: u32(128),
  /** Segments delivered with a congestion mark. */
  tcpi_delivered_ce: u32(132),
  /** Segments received with a congestion mark. */
  tcpi_received_ce: u32(136),
  /** Number of tail loss probes sent. */
  tcpi_total_tlp: u32(164),
  /** Bytes sent by tail loss probes. */
  tcpi_total_tlp_bytes: u64(168),
  /** Oldest unacknowledged sequence number. */
  tcpi_snd_una: u32(176),
  /** Highest sequence number sent. */
  tcpi_snd_max: u32(180),
  /** Number of SACK blocks received that are kept. */
  tcpi_rcv_numsacks: u32(184),
  /** The own window as the peer was last informed of it: a sequence number. */
  tcpi_rcv_adv: u32(188),
  /** Number of duplicate acknowledgements in a row. */
  tcpi_dupacks: u32(192),
  /** Smallest round-trip time, in µs. */
  tcpi_rttmin: u32(196),
} satisfies Structure;
