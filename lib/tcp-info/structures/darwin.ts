// macOS: `struct tcp_connection_info` (bsd/netinet/tcp.h of xnu), as getsockopt(TCP_CONNECTION_INFO)
// writes it: 112 bytes, 104 before macOS 10.15.

import { bits, type Structure, u8, u32, u64 } from './structure';

export const darwinStructure = {
  /** State: 0 CLOSED, 1 LISTEN, 2 SYN_SENT, 3 SYN_RECEIVED, 4 ESTABLISHED, 5 CLOSE_WAIT, 6 FIN_WAIT_1, 7 CLOSING, 8 LAST_ACK, 9 FIN_WAIT_2, 10 TIME_WAIT. */
  tcpi_state: u8(0),
  /** Window scale of the peer, as a shift: 0 to 14. */
  tcpi_snd_wscale: u8(1),
  /** Our own window scale, as a shift: 0 to 14. */
  tcpi_rcv_wscale: u8(2),
  /** Bits: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN. */
  tcpi_options: u32(4),
  /** Bits: 1 loss recovery, 2 reordering detected. */
  tcpi_flags: u32(8),
  /** Retransmission timeout, in ms; 0 while its timer does not run. */
  tcpi_rto: u32(12),
  /** Largest payload of a segment, in bytes. */
  tcpi_maxseg: u32(16),
  /** Slow start threshold, in bytes. */
  tcpi_snd_ssthresh: u32(20),
  /** Congestion window, in bytes. */
  tcpi_snd_cwnd: u32(24),
  /** The peer's receive window, in bytes. */
  tcpi_snd_wnd: u32(28),
  /** Bytes in the send buffer, those in flight included. */
  tcpi_snd_sbbytes: u32(32),
  /** Our own receive window, in bytes. */
  tcpi_rcv_wnd: u32(36),
  /** The last sample of the round-trip time, in ms. */
  tcpi_rttcur: u32(40),
  /** Smoothed round-trip time, in ms. */
  tcpi_srtt: u32(44),
  /** Round-trip time variation, in ms. */
  tcpi_rttvar: u32(48),
  /** Fast Open: 1, a cookie was asked for. */
  tcpi_tfo_cookie_req: bits(52, 0, 1),
  /** Fast Open: 1, a cookie was received. */
  tcpi_tfo_cookie_rcv: bits(52, 1, 1),
  /** Fast Open: 1, data in the SYN was lost. */
  tcpi_tfo_syn_loss: bits(52, 2, 1),
  /** Fast Open: 1, data was sent in the SYN. */
  tcpi_tfo_syn_data_sent: bits(52, 3, 1),
  /** Fast Open: 1, data in the SYN was acknowledged. */
  tcpi_tfo_syn_data_acked: bits(52, 4, 1),
  /** Fast Open: 1, data in the SYN was received. */
  tcpi_tfo_syn_data_rcv: bits(52, 5, 1),
  /** Fast Open: 1, the peer asked for a cookie. */
  tcpi_tfo_cookie_req_rcv: bits(52, 6, 1),
  /** Fast Open: 1, a cookie was sent to the peer. */
  tcpi_tfo_cookie_sent: bits(52, 7, 1),
  /** Fast Open: 1, the peer sent an invalid cookie. */
  tcpi_tfo_cookie_invalid: bits(53, 0, 1),
  /** Fast Open: 1, the cookie that was sent was wrong. */
  tcpi_tfo_cookie_wrong: bits(53, 1, 1),
  /** Fast Open: 1, a cookie was asked for and did not come. */
  tcpi_tfo_no_cookie_rcv: bits(53, 2, 1),
  /** Fast Open: 1, it is disabled after earlier failures. */
  tcpi_tfo_heuristics_disable: bits(53, 3, 1),
  /** Fast Open: 1, segments that were sent were lost without a trace. */
  tcpi_tfo_send_blackhole: bits(53, 4, 1),
  /** Fast Open: 1, segments of the peer were lost without a trace. */
  tcpi_tfo_recv_blackhole: bits(53, 5, 1),
  /** Fast Open: 1, a proxy acknowledged all but one byte of the SYN. */
  tcpi_tfo_onebyte_proxy: bits(53, 6, 1),
  /** Number of segments sent. */
  tcpi_txpackets: u64(56),
  /** Number of bytes sent. */
  tcpi_txbytes: u64(64),
  /** Bytes sent again. */
  tcpi_txretransmitbytes: u64(72),
  /** Number of segments received. */
  tcpi_rxpackets: u64(80),
  /** Number of bytes received. */
  tcpi_rxbytes: u64(88),
  /** Bytes received out of order. */
  tcpi_rxoutoforderbytes: u64(96),
  /** Segments sent again. */
  tcpi_txretransmitpackets: u64(104),
} satisfies Structure;
