// Linux: `struct tcp_info` (include/uapi/linux/tcp.h), as getsockopt(TCP_INFO) and sock_diag(7) write it.
// A kernel writes as much of it as it knows. Later versions append members and never move any.

import { bits, type Structure, u8, u16, u32, u64 } from './structure';

export const linuxStructure = {
  /** State: 1 ESTABLISHED, 2 SYN_SENT, 3 SYN_RECV, 4 FIN_WAIT1, 5 FIN_WAIT2, 6 TIME_WAIT, 7 CLOSE, 8 CLOSE_WAIT, 9 LAST_ACK, 10 LISTEN, 11 CLOSING. */
  tcpi_state: u8(0),
  /** Congestion state: 0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss. */
  tcpi_ca_state: u8(1),
  /** Number of retransmission timeouts in a row of the oldest unacknowledged segment. */
  tcpi_retransmits: u8(2),
  /** Number of unanswered probes: keepalive probes, or probes of a closed window. */
  tcpi_probes: u8(3),
  /** How often the retransmission timeout, or the pause between window probes, was doubled. */
  tcpi_backoff: u8(4),
  /** Bits: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 16 ECN seen, 32 data in the SYN, 64 timestamps in µs, 128 accepted with Fast Open. */
  tcpi_options: u8(5),
  /** Window scale of the peer, as a shift: 0 to 14. */
  tcpi_snd_wscale: bits(6, 0, 4),
  /** Our own window scale, as a shift: 0 to 14. */
  tcpi_rcv_wscale: bits(6, 4, 4),
  /** 1: `tcpi_delivery_rate` was limited by the application, which had nothing to send. */
  tcpi_delivery_rate_app_limited: bits(7, 0, 1, 168),
  /** Why Fast Open failed: 0 it did not, 1 no cookie, 2 data not acknowledged, 3 SYN retransmitted. */
  tcpi_fastopen_client_fail: bits(7, 1, 2, 232),
  /** Retransmission timeout, in µs. */
  tcpi_rto: u32(8),
  /** Timeout of delayed acknowledgements, in µs. */
  tcpi_ato: u32(12),
  /** Largest payload of a segment that is sent, in bytes. */
  tcpi_snd_mss: u32(16),
  /** The same of what is received, an estimate, in bytes. */
  tcpi_rcv_mss: u32(20),
  /** Segments in flight. Of a listening socket: connections that wait to be accepted. */
  tcpi_unacked: u32(24),
  /** Segments acknowledged selectively. Of a listening socket: how many connections may wait. */
  tcpi_sacked: u32(28),
  /** Segments believed lost now. */
  tcpi_lost: u32(32),
  /** Segments sent again and not acknowledged yet. */
  tcpi_retrans: u32(36),
  /** 0: no longer filled. */
  tcpi_fackets: u32(40),
  /** Time since payload was sent, in ms; if none ever was, since the machine started. */
  tcpi_last_data_sent: u32(44),
  /** 0: never filled. */
  tcpi_last_ack_sent: u32(48),
  /** Time since payload arrived, in ms. */
  tcpi_last_data_recv: u32(52),
  /** Time since an acknowledgement arrived, in ms. */
  tcpi_last_ack_recv: u32(56),
  /** Path MTU, in bytes. */
  tcpi_pmtu: u32(60),
  /** Slow start threshold of the receive window, in bytes. */
  tcpi_rcv_ssthresh: u32(64),
  /** Smoothed round-trip time, in µs; 0 before the first sample. */
  tcpi_rtt: u32(68),
  /** Round-trip time variation, in µs. */
  tcpi_rttvar: u32(72),
  /** Slow start threshold, in segments; 0x7fffffff: infinite. */
  tcpi_snd_ssthresh: u32(76),
  /** Congestion window, in segments. */
  tcpi_snd_cwnd: u32(80),
  /** Largest segment that was announced to the peer, in bytes. */
  tcpi_advmss: u32(84),
  /** How many segments may be reordered before one counts as lost. */
  tcpi_reordering: u32(88),
  /** Round-trip time as the receiver sees it, in µs; 0 before the first sample. */
  tcpi_rcv_rtt: u32(92),
  /** Target of the receive buffer's tuning, in bytes per round trip. */
  tcpi_rcv_space: u32(96),
  /** Segments sent again, over the connection's life. */
  tcpi_total_retrans: u32(100),
  /** Pacing rate, in bytes per second; 2^64: unlimited. */
  tcpi_pacing_rate: u64(104),
  /** Upper limit of the pacing rate (`SO_MAX_PACING_RATE`), in bytes per second; 2^64: none. */
  tcpi_max_pacing_rate: u64(112),
  /** Payload acknowledged by the peer, in bytes (RFC 4898 ThruOctetsAcked); SYN and FIN count as 1. */
  tcpi_bytes_acked: u64(120),
  /** Payload received in order, in bytes (RFC 4898 ThruOctetsReceived); a FIN counts as 1. */
  tcpi_bytes_received: u64(128),
  /** Segments sent (RFC 4898 SegsOut); wraps. */
  tcpi_segs_out: u32(136),
  /** Segments received (RFC 4898 SegsIn); wraps. */
  tcpi_segs_in: u32(140),
  /** Bytes written and never sent. */
  tcpi_notsent_bytes: u32(144),
  /** Smallest round-trip time of the last minutes, in µs; 0xffffffff before the first sample. */
  tcpi_min_rtt: u32(148),
  /** Segments with payload received (RFC 4898 DataSegsIn). */
  tcpi_data_segs_in: u32(152),
  /** Segments with payload sent, retransmissions included (RFC 4898 DataSegsOut). */
  tcpi_data_segs_out: u32(156),
  /** Rate at which data arrived at the peer lately, in bytes per second; 0 before the first sample. */
  tcpi_delivery_rate: u64(160),
  /** Time with data to send or in flight, in µs. */
  tcpi_busy_time: u64(168),
  /** Of that, limited by the peer's window, in µs. */
  tcpi_rwnd_limited: u64(176),
  /** Of that, limited by our own send buffer, in µs. */
  tcpi_sndbuf_limited: u64(184),
  /** Segments delivered to the peer. */
  tcpi_delivered: u32(192),
  /** Number of these with a congestion mark (ECN CE). */
  tcpi_delivered_ce: u32(196),
  /** Payload sent, retransmissions included, in bytes (RFC 4898 PerfHCDataOctetsOut). */
  tcpi_bytes_sent: u64(200),
  /** Payload sent again, in bytes (RFC 4898 PerfOctetsRetrans). */
  tcpi_bytes_retrans: u64(208),
  /** Duplicates that the peer reported (RFC 4898 StackDSACKDups). */
  tcpi_dsack_dups: u32(216),
  /** How often segments were seen reordered. */
  tcpi_reord_seen: u32(220),
  /** Segments received out of order. */
  tcpi_rcv_ooopack: u32(224),
  /** The peer's receive window, scaled, in bytes. */
  tcpi_snd_wnd: u32(228),
  /** Our own receive window as the peer sees it, scaled, in bytes. */
  tcpi_rcv_wnd: u32(232),
  /** How often the flow's hash was changed to find another path (PLB, timeouts). */
  tcpi_rehash: u32(236),
  /** Number of retransmission timeouts, that of a SYN included. */
  tcpi_total_rto: u16(240),
  /** How often timeouts were recovered from. */
  tcpi_total_rto_recoveries: u16(242),
  /** Time spent in recovery from timeouts, in ms. */
  tcpi_total_rto_time: u32(244),
  /** Segments received with a congestion mark. */
  tcpi_received_ce: u32(248),
  /** Payload delivered with ECT(1), in bytes (AccECN). */
  tcpi_delivered_e1_bytes: u32(252),
  /** Payload delivered with ECT(0), in bytes (AccECN). */
  tcpi_delivered_e0_bytes: u32(256),
  /** Payload delivered with CE, in bytes (AccECN). */
  tcpi_delivered_ce_bytes: u32(260),
  /** Payload received with ECT(1), in bytes (AccECN). */
  tcpi_received_e1_bytes: u32(264),
  /** Payload received with ECT(0), in bytes (AccECN). */
  tcpi_received_e0_bytes: u32(268),
  /** Payload received with CE, in bytes (AccECN). */
  tcpi_received_ce_bytes: u32(272),
  // Linux 7.0 laid the last four bytes out anew within the same length. What 6.18 and 6.19 have there stays out.
  /** How ECN was negotiated: 0 not, 1 as in RFC 3168, 2 AccECN, 3 still undecided. */
  tcpi_ecn_mode: { ...bits(276, 0, 2, 280), since: [7, 0] },
  /** The AccECN option of the peer: 0 not seen, 1 seen without counters, 2 seen with counters, 3 failed. */
  tcpi_accecn_opt_seen: { ...bits(276, 2, 2, 280), since: [7, 0] },
  /** Bits: AccECN failed, 1 sending or 2 receiving its counter (ACE), 4 sending or 8 receiving its option. */
  tcpi_accecn_fail_mode: { ...bits(276, 4, 4, 280), since: [7, 0] },
  /** 0: more bits of `tcpi_options`, of which none is assigned yet. */
  tcpi_options2: { ...bits(277, 0, 24, 280), since: [7, 0] },
} satisfies Structure;
