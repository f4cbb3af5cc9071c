// What people mean by the state of a TCP connection: the fields, their units, and where each system
// has them. How a system's bytes become these fields stands in linux.ts, darwin.ts, win32.ts, freebsd.ts.

/** The states of a connection under the names of RFC 9293; a column of states holds the index here. */
export const tcpStates = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const;
Object.freeze(tcpStates);

/** The state of a connection, as RFC 9293 (section 3.3.2) calls it. */
export type TcpState = (typeof tcpStates)[number];

/**
 * What a kernel knows of a TCP connection: the same names and units on every system, times in
 * milliseconds, sizes in bytes, segments only where the name says so. `null` where this system or
 * this kernel does not report a field, and where it has no value yet: never 0 for "unknown".
 *
 * Where a field comes from: Linux `struct tcp_info` of `TCP_INFO` (the version is the kernel that
 * began to report it, where that is newer than 4.9), macOS `struct tcp_connection_info` of
 * `TCP_CONNECTION_INFO`, Windows `TCP_INFO_v0`, `_v1`, `_v2` of `SIO_TCP_INFO`, FreeBSD
 * `struct tcp_info` of `TCP_INFO`.
 *
 * A listening socket has `state`, `acceptQueue` and `acceptQueueLimit`; all else is `null`.
 */
export interface TcpInfo {
  /**
   * State of the connection, as RFC 9293 calls it. A connection that died stays readable as
   * `'CLOSED'`, with its last counters, for as long as its descriptor is open.
   *
   * Linux `tcpi_state`, macOS `tcpi_state`, Windows `State`, FreeBSD `tcpi_state`.
   */
  readonly state: TcpState | null;
  /**
   * Smoothed round-trip time (SRTT of RFC 6298), in milliseconds. `null` before the first sample.
   *
   * Linux `tcpi_rtt` (µs), macOS `tcpi_srtt` (whole ms), Windows `RttUs`, FreeBSD `tcpi_rtt` (µs).
   */
  readonly rtt: number | null;
  /**
   * Round-trip time variation (RTTVAR of RFC 6298), in milliseconds.
   *
   * Linux `tcpi_rttvar`, macOS `tcpi_rttvar` (whole ms), FreeBSD `tcpi_rttvar`. Not on Windows.
   */
  readonly rttVariance: number | null;
  /**
   * Smallest round-trip time seen, in milliseconds: what the path takes when no queue is in the way.
   * On Linux over the last 5 minutes (`net.ipv4.tcp_min_rtt_wlen`).
   *
   * Linux `tcpi_min_rtt`, Windows `MinRttUs`. Not on macOS and FreeBSD.
   */
  readonly minRtt: number | null;
  /**
   * Retransmission timeout (RTO of RFC 6298), in milliseconds: how long the oldest unacknowledged
   * segment may wait before it is sent again. Doubles with each timeout.
   *
   * Linux `tcpi_rto`, macOS `tcpi_rto` (`null` while its timer does not run), FreeBSD `tcpi_rto`. Not on
   * Windows.
   */
  readonly rto: number | null;
  /**
   * Largest payload of a segment that is sent (SMSS of RFC 5681), in bytes.
   *
   * Linux `tcpi_snd_mss`, macOS `tcpi_maxseg`, Windows `Mss`, FreeBSD `tcpi_snd_mss`.
   */
  readonly mss: number | null;
  /**
   * The path's maximum transmission unit as far as it is known, in bytes.
   *
   * Linux `tcpi_pmtu`. Not on macOS, Windows and FreeBSD.
   */
  readonly pathMtu: number | null;
  /**
   * Congestion window (cwnd of RFC 5681), in bytes: how much may be in flight as far as the network
   * is concerned.
   *
   * Linux `tcpi_snd_cwnd` (segments) times `tcpi_snd_mss`, macOS `tcpi_snd_cwnd`, Windows `Cwnd`,
   * FreeBSD `tcpi_snd_cwnd`.
   */
  readonly congestionWindow: number | null;
  /**
   * Slow start threshold (ssthresh of RFC 5681), in bytes. `null` as long as no loss has set one.
   *
   * Linux `tcpi_snd_ssthresh` (segments) times `tcpi_snd_mss`, macOS and FreeBSD `tcpi_snd_ssthresh`.
   * Not on Windows.
   */
  readonly slowStartThreshold: number | null;
  /**
   * The peer's receive window (SND.WND of RFC 9293), in bytes, scaled: how much it is ready to take. 0:
   * the peer does not read.
   *
   * Linux `tcpi_snd_wnd` (5.4), macOS `tcpi_snd_wnd`, Windows `SndWnd`, FreeBSD `tcpi_snd_wnd`.
   */
  readonly sendWindow: number | null;
  /**
   * Our own receive window as the peer sees it (RCV.WND of RFC 9293), in bytes.
   *
   * Linux `tcpi_rcv_wnd` (6.2), macOS `tcpi_rcv_wnd`, Windows `RcvWnd`, FreeBSD `tcpi_rcv_space`.
   */
  readonly receiveWindow: number | null;
  /**
   * Payload sent, in bytes, retransmissions included.
   *
   * Linux `tcpi_bytes_sent` (4.19), macOS `tcpi_txbytes`, Windows `BytesOut`. Not on FreeBSD. That
   * macOS and Windows count retransmissions and no headers was not verified.
   */
  readonly bytesSent: number | null;
  /**
   * Payload received in order, in bytes. On Linux the peer's FIN counts as one more.
   *
   * Linux `tcpi_bytes_received`, macOS `tcpi_rxbytes`, Windows `BytesIn`. Not on FreeBSD.
   */
  readonly bytesReceived: number | null;
  /**
   * Payload that the peer has acknowledged, in bytes. Our SYN (on the side that connected) and our FIN
   * count as one more each.
   *
   * Linux `tcpi_bytes_acked`. Not on macOS, Windows and FreeBSD.
   */
  readonly bytesAcked: number | null;
  /**
   * Payload sent again, in bytes, over the whole life of the connection.
   *
   * Linux `tcpi_bytes_retrans` (4.19), macOS `tcpi_txretransmitbytes`, Windows `BytesRetrans`. Not on
   * FreeBSD.
   */
  readonly bytesRetransmitted: number | null;
  /**
   * Payload sent and not acknowledged yet (FlightSize of RFC 5681), in bytes.
   *
   * Linux: `tcpi_bytes_sent` - `tcpi_bytes_retrans` - `tcpi_bytes_acked` (4.19), 0 while
   * `tcpi_unacked` is 0; one byte less on the side that connected, whose SYN counts as acknowledged.
   * Windows `BytesInFlight`, FreeBSD `tcpi_snd_max` - `tcpi_snd_una` (newest). Not on macOS.
   */
  readonly bytesInFlight: number | null;
  /**
   * Bytes that were written and wait in this kernel, never sent so far.
   *
   * Linux `tcpi_notsent_bytes`. Not on macOS, Windows and FreeBSD.
   */
  readonly unsentBytes: number | null;
  /**
   * Segments sent, acknowledgements and keepalive probes included. Wraps at 2^32 on Linux.
   *
   * Linux `tcpi_segs_out`, macOS `tcpi_txpackets`. Not on Windows and FreeBSD.
   */
  readonly segmentsSent: number | null;
  /**
   * Segments received, acknowledgements included. Wraps at 2^32 on Linux.
   *
   * Linux `tcpi_segs_in`, macOS `tcpi_rxpackets`. Not on Windows and FreeBSD.
   */
  readonly segmentsReceived: number | null;
  /**
   * Segments sent again, over the whole life of the connection.
   *
   * Linux `tcpi_total_retrans`, macOS `tcpi_txretransmitpackets`, FreeBSD `tcpi_snd_rexmitpack`. Not
   * on Windows.
   */
  readonly segmentsRetransmitted: number | null;
  /**
   * Segments that arrived out of order: what came before them was lost or overtaken.
   *
   * Linux `tcpi_rcv_ooopack` (5.4), Windows `OutOfOrderPktsIn` (v2), FreeBSD `tcpi_rcv_ooopack`. macOS
   * counts bytes only.
   */
  readonly segmentsReceivedOutOfOrder: number | null;
  /**
   * Segments sent and not acknowledged yet.
   *
   * Linux `tcpi_unacked`. Not on macOS, Windows and FreeBSD.
   */
  readonly unackedSegments: number | null;
  /**
   * Of those, the segments that the kernel believes lost now.
   *
   * Linux `tcpi_lost`. Not on macOS, Windows and FreeBSD.
   */
  readonly lostSegments: number | null;
  /**
   * Rate at which data arrived at the peer lately, in bytes per second: a lower bound of what the path
   * can do while the application has nothing more to send. `null` before the first sample.
   *
   * Linux `tcpi_delivery_rate`. Not on macOS, Windows and FreeBSD.
   */
  readonly deliveryRate: number | null;
  /**
   * Rate at which the kernel paces what it sends, in bytes per second. `null` where it does not.
   *
   * Linux `tcpi_pacing_rate`. Not on macOS, Windows and FreeBSD.
   */
  readonly pacingRate: number | null;
  /**
   * Time with data to send or in flight, in milliseconds, over the life of the connection.
   *
   * Linux `tcpi_busy_time`. Not on macOS, Windows and FreeBSD.
   */
  readonly busyTime: number | null;
  /**
   * Of that, the time in which only the peer's receive window held sending back, in milliseconds: the
   * receiver is slow.
   *
   * Linux `tcpi_rwnd_limited`, Windows `SndLimTimeRwin` (v1). Not on macOS and FreeBSD.
   */
  readonly receiveWindowLimitedTime: number | null;
  /**
   * Of the busy time, the time in which only our own send buffer (`SO_SNDBUF`) held sending back, in
   * milliseconds.
   *
   * Linux `tcpi_sndbuf_limited`. Not on macOS, Windows and FreeBSD.
   */
  readonly sendBufferLimitedTime: number | null;
  /**
   * Time since payload was last sent, in milliseconds. `null` if none ever was.
   *
   * Linux `tcpi_last_data_sent`. Not on macOS, Windows and FreeBSD.
   */
  readonly timeSinceLastDataSent: number | null;
  /**
   * Time since payload last arrived, in milliseconds. `null` if none ever did.
   *
   * Linux `tcpi_last_data_recv`, FreeBSD `tcpi_last_data_recv` (µs). Not on macOS and Windows.
   */
  readonly timeSinceLastDataReceived: number | null;
  /**
   * Time since an acknowledgement last arrived, in milliseconds, an answer to a keepalive probe
   * included: the last sign of life of the peer's kernel.
   *
   * Linux `tcpi_last_ack_recv`. Not on macOS, Windows and FreeBSD.
   */
  readonly timeSinceLastAckReceived: number | null;
  /**
   * Probes that are out and unanswered: keepalive probes while nothing is in flight, else probes of a
   * closed window.
   *
   * Linux `tcpi_probes`. Not on macOS, Windows and FreeBSD.
   */
  readonly probes: number | null;
  /**
   * How often the retransmission timeout has been doubled by now, or the pause between probes of a
   * closed window.
   *
   * Linux `tcpi_backoff`. Not on macOS, Windows and FreeBSD.
   */
  readonly backoff: number | null;
  /**
   * Retransmission timeouts in a row of the oldest unacknowledged segment: 0 while the peer
   * acknowledges.
   *
   * Linux `tcpi_retransmits`. Not on macOS, Windows and FreeBSD.
   */
  readonly consecutiveTimeouts: number | null;
  /**
   * Retransmission timeouts over the whole life of the connection.
   *
   * Linux `tcpi_total_rto` (6.7), Windows `TimeoutEpisodes`. Not on macOS and FreeBSD.
   */
  readonly totalTimeouts: number | null;
  /**
   * Of a listening socket: connections that wait to be accepted.
   *
   * Linux `tcpi_unacked`. Not on macOS, Windows and FreeBSD.
   */
  readonly acceptQueue: number | null;
  /**
   * Of a listening socket: how many may wait (the backlog, as the system cut it down).
   *
   * Linux `tcpi_sacked`. Not on macOS, Windows and FreeBSD.
   */
  readonly acceptQueueLimit: number | null;
}

/** The name of a field of `TcpInfo`. */
export type TcpInfoField = keyof TcpInfo;

/** The fields as numbers: NaN where `TcpInfo` has null, since a null would cost an allocation. */
export type TcpInfoNumbers = {
  readonly [Field in keyof TcpInfo as Exclude<Field, 'state'>]: number;
};
