// The single table of TCP_INFO: the fields of a connection's state, and their source on each system. The type TcpInfo with
// its docs, the decoders in generated/, TcpInfoReader, the columns of readTcpInfos() and the tables of docs/tcp-state.md are
// made from it. `npm run format` runs scripts/tcp-info.mjs, which writes the generated files. The rows are not loaded at run
// time.

import type { Field } from './field';

/** The slow start threshold of macOS and FreeBSD before the first loss: TCP_MAXWIN << TCP_MAX_WINSHIFT. */
const BSD_INFINITE_THRESHOLD = 65_535 * 2 ** 14;

export const fields = {
  /**
   * State of the connection, as RFC 9293 calls it. A connection that died stays readable as
   * `'CLOSED'`, with its last counters, for as long as its descriptor is open.
   *
   * Linux `tcpi_state`, macOS `tcpi_state`, Windows `State`, FreeBSD `tcpi_state`.
   */
  state: {
    unit: 'state',
    section: 'life',
    normal: '`ESTABLISHED`',
    bad: '`CLOSE-WAIT` that stays: the peer closed, this program did not. `FIN-WAIT-2` that stays: this program closed, the peer did not. `SYN-SENT` that stays: nothing answers',
    linux: { from: 'tcpi_state', states: 'linuxStateIndex' },
    darwin: { from: 'tcpi_state', states: 'bsdStateIndex' },
    win32: { from: 'State', states: 'windowsStateIndex' },
    freebsd: { from: 'tcpi_state', states: 'bsdStateIndex' },
  },
  /**
   * Smoothed round-trip time (SRTT of RFC 6298), in milliseconds. `null` before the first sample.
   *
   * Linux `tcpi_rtt` (µs), macOS `tcpi_srtt` (whole ms), Windows `RttUs`, FreeBSD `tcpi_rtt` (µs).
   */
  rtt: {
    unit: 'ms',
    section: 'roundTrip',
    normal: 'near `minRtt`',
    bad: 'far above `minRtt`: queues on the path, or a peer that delays its acknowledgements',
    linux: { from: 'tcpi_rtt', unit: 'us', none: 0 },
    darwin: { from: 'tcpi_srtt', none: 0 },
    win32: { from: 'RttUs', unit: 'us', none: 0 },
    freebsd: { from: 'tcpi_rtt', unit: 'us', none: 0 },
  },
  /**
   * Round-trip time variation (RTTVAR of RFC 6298), in milliseconds. `null` before the first sample.
   *
   * Linux `tcpi_rttvar` (µs), macOS `tcpi_rttvar` (whole ms), FreeBSD `tcpi_rttvar` (µs). Not on Windows.
   */
  rttVariance: {
    unit: 'ms',
    section: 'roundTrip',
    normal: 'a fraction of `rtt`',
    bad: 'as large as `rtt`: an unsteady path (radio)',
    // Before the first sample, Linux writes the 250 ms from which it makes the first timeout.
    linux: { from: 'tcpi_rttvar', unit: 'us', needs: 'tcpi_rtt' },
    darwin: { from: 'tcpi_rttvar', needs: 'tcpi_srtt' },
    freebsd: { from: 'tcpi_rttvar', unit: 'us', needs: 'tcpi_rtt' },
  },
  /**
   * Smallest round-trip time seen, in milliseconds: that of the path without queues. On Linux over the last
   * 5 minutes (`net.ipv4.tcp_min_rtt_wlen`).
   *
   * Linux `tcpi_min_rtt` (µs), Windows `MinRttUs`. Not on macOS and FreeBSD.
   */
  minRtt: {
    unit: 'ms',
    section: 'roundTrip',
    normal: 'grows with the distance',
    linux: { from: 'tcpi_min_rtt', unit: 'us', noneFrom: 0xffff_ffff },
    win32: { from: 'MinRttUs', unit: 'us', none: 0, noneFrom: 0xffff_ffff },
  },
  /**
   * Retransmission timeout (RTO of RFC 6298), in milliseconds: how long the oldest unacknowledged
   * segment may wait before it is sent again. Doubles with each timeout.
   *
   * Linux `tcpi_rto` (µs), macOS `tcpi_rto` (`null` while its timer does not run), FreeBSD `tcpi_rto` (µs).
   * Not on Windows.
   */
  rto: {
    unit: 'ms',
    section: 'roundTrip',
    normal: '`rtt` + 4 variances, at least 200 ms on Linux',
    bad: 'seconds: it was doubled, see `backoff`',
    // gVisor writes 0 before the connection.
    linux: { from: 'tcpi_rto', unit: 'us', none: 0 },
    darwin: { from: 'tcpi_rto', none: 0 },
    freebsd: { from: 'tcpi_rto', unit: 'us', none: 0 },
  },
  /**
   * Largest payload of a segment that is sent (SMSS of RFC 5681), in bytes.
   *
   * Linux `tcpi_snd_mss`, macOS `tcpi_maxseg`, Windows `Mss`, FreeBSD `tcpi_snd_mss`.
   */
  mss: {
    unit: 'bytes',
    section: 'sending',
    normal: '1 460 or less; 32 768 and more over loopback',
    bad: 'below 1 200: tunnels',
    linux: { from: 'tcpi_snd_mss' },
    darwin: { from: 'tcpi_maxseg' },
    win32: { from: 'Mss' },
    freebsd: { from: 'tcpi_snd_mss' },
  },
  /**
   * The path's maximum transmission unit as far as it is known, in bytes.
   *
   * Linux `tcpi_pmtu`. Not on macOS, Windows and FreeBSD.
   */
  pathMtu: {
    unit: 'bytes',
    section: 'sending',
    normal: '1 500',
    linux: { from: 'tcpi_pmtu', none: 0 },
  },
  /**
   * Congestion window (cwnd of RFC 5681), in bytes: how much may be in flight as far as the network
   * is concerned.
   *
   * Linux `tcpi_snd_cwnd` (segments) times `tcpi_snd_mss`, macOS `tcpi_snd_cwnd`, Windows `Cwnd`,
   * FreeBSD `tcpi_snd_cwnd`.
   */
  congestionWindow: {
    unit: 'bytes',
    section: 'sending',
    normal: 'grows with use',
    bad: 'small and not growing: losses',
    linux: { from: 'tcpi_snd_cwnd', times: 'tcpi_snd_mss' },
    darwin: { from: 'tcpi_snd_cwnd' },
    win32: { from: 'Cwnd' },
    freebsd: { from: 'tcpi_snd_cwnd' },
  },
  /**
   * Slow start threshold (ssthresh of RFC 5681), in bytes: above it the congestion window grows more slowly.
   * `null` as long as no loss has set one.
   *
   * Linux `tcpi_snd_ssthresh` (segments) times `tcpi_snd_mss`, macOS and FreeBSD `tcpi_snd_ssthresh`.
   * Not on Windows.
   */
  slowStartThreshold: {
    unit: 'bytes',
    section: 'sending',
    normal: '`null` or large',
    bad: 'small: losses',
    // TCP_INFINITE_SSTHRESH.
    linux: { from: 'tcpi_snd_ssthresh', times: 'tcpi_snd_mss', noneFrom: 0x7fff_ffff },
    darwin: { from: 'tcpi_snd_ssthresh', noneFrom: BSD_INFINITE_THRESHOLD },
    freebsd: { from: 'tcpi_snd_ssthresh', noneFrom: BSD_INFINITE_THRESHOLD },
  },
  /**
   * The peer's receive window (SND.WND of RFC 9293), in bytes, scaled: how much the peer is ready to take. 0:
   * the peer does not read.
   *
   * Linux `tcpi_snd_wnd` (5.4), macOS `tcpi_snd_wnd`, Windows `SndWnd`, FreeBSD `tcpi_snd_wnd`.
   */
  sendWindow: {
    unit: 'bytes',
    section: 'sending',
    normal: 'tens of kB or more',
    bad: '0: the program of the peer does not read',
    linux: { from: 'tcpi_snd_wnd', since: '5.4' },
    darwin: { from: 'tcpi_snd_wnd' },
    win32: { from: 'SndWnd' },
    freebsd: { from: 'tcpi_snd_wnd' },
  },
  /**
   * Our own receive window as the peer sees it (RCV.WND of RFC 9293), in bytes.
   *
   * Linux `tcpi_rcv_wnd` (6.2), macOS `tcpi_rcv_wnd`, Windows `RcvWnd`, FreeBSD `tcpi_rcv_space`.
   */
  receiveWindow: {
    unit: 'bytes',
    section: 'sending',
    normal: 'tens of kB or more',
    bad: '0: this program does not read',
    linux: { from: 'tcpi_rcv_wnd', since: '6.2' },
    darwin: { from: 'tcpi_rcv_wnd' },
    win32: { from: 'RcvWnd' },
    freebsd: { from: 'tcpi_rcv_space' },
  },
  /**
   * Payload sent, in bytes, retransmissions included.
   *
   * Linux `tcpi_bytes_sent` (4.19), macOS `tcpi_txbytes`, Windows `BytesOut`. Not on FreeBSD. That
   * macOS and Windows count retransmissions and no headers was not verified.
   */
  bytesSent: {
    unit: 'bytes',
    section: 'sending',
    linux: { from: 'tcpi_bytes_sent', since: '4.19' },
    darwin: { from: 'tcpi_txbytes' },
    win32: { from: 'BytesOut' },
  },
  /**
   * Payload received in order, in bytes. On Linux the peer's FIN counts as one more.
   *
   * Linux `tcpi_bytes_received`, macOS `tcpi_rxbytes`, Windows `BytesIn`. Not on FreeBSD.
   */
  bytesReceived: {
    unit: 'bytes',
    section: 'sending',
    linux: { from: 'tcpi_bytes_received' },
    darwin: { from: 'tcpi_rxbytes' },
    win32: { from: 'BytesIn' },
  },
  /**
   * Payload that the peer has acknowledged, in bytes. Our SYN (on the side that connected) and our FIN
   * count as one more each.
   *
   * Linux `tcpi_bytes_acked`. Not on macOS, Windows and FreeBSD.
   */
  bytesAcked: {
    unit: 'bytes',
    section: 'sending',
    linux: { from: 'tcpi_bytes_acked' },
  },
  /**
   * Payload sent again, in bytes, over the whole life of the connection.
   *
   * Linux `tcpi_bytes_retrans` (4.19), macOS `tcpi_txretransmitbytes`, Windows `BytesRetrans`. Not on
   * FreeBSD.
   */
  bytesRetransmitted: {
    unit: 'bytes',
    section: 'loss',
    normal: 'below 1 % of `bytesSent`',
    bad: 'the difference of two samples shows what is lost now',
    linux: { from: 'tcpi_bytes_retrans', since: '4.19' },
    darwin: { from: 'tcpi_txretransmitbytes' },
    win32: { from: 'BytesRetrans' },
  },
  /**
   * Payload sent and not acknowledged yet (FlightSize of RFC 5681), in bytes. On Linux one less on the side that connected:
   * its SYN counts as acknowledged payload.
   *
   * Linux: `tcpi_bytes_sent` - `tcpi_bytes_retrans` - `tcpi_bytes_acked` (4.19), 0 while
   * `tcpi_unacked` is 0.
   * Windows `BytesInFlight`, FreeBSD `tcpi_snd_max` - `tcpi_snd_una` (newest). Not on macOS.
   */
  bytesInFlight: {
    unit: 'bytes',
    section: 'sending',
    normal: 'below both windows',
    bad: 'does not change: see the signs of life',
    linux: {
      formula: 'bytesInFlight',
      of: ['tcpi_bytes_sent', 'tcpi_bytes_retrans', 'tcpi_bytes_acked'],
      zeroWhile: 'tcpi_unacked',
      since: '4.19',
    },
    win32: { from: 'BytesInFlight' },
    freebsd: {
      formula: 'sequenceDistance',
      of: ['tcpi_snd_una', 'tcpi_snd_max'],
      since: 'newest',
    },
  },
  /**
   * Bytes that were written and wait in this kernel, never sent so far.
   *
   * Linux `tcpi_notsent_bytes`. Not on macOS, Windows and FreeBSD.
   */
  unsentBytes: {
    unit: 'bytes',
    section: 'sending',
    normal: 'small',
    bad: 'large: something limits sending, see the limited times',
    linux: { from: 'tcpi_notsent_bytes' },
  },
  /**
   * Segments sent, acknowledgements and keepalive probes included. Wraps at 2^32 on Linux.
   *
   * Linux `tcpi_segs_out`, macOS `tcpi_txpackets`. Not on Windows and FreeBSD.
   */
  segmentsSent: {
    unit: 'segments',
    section: 'sending',
    linux: { from: 'tcpi_segs_out' },
    darwin: { from: 'tcpi_txpackets' },
  },
  /**
   * Segments with payload sent, retransmissions included. Wraps at 2^32.
   *
   * Linux `tcpi_data_segs_out`. Not on macOS, Windows and FreeBSD.
   */
  dataSegmentsSent: {
    unit: 'segments',
    section: 'sending',
    linux: { from: 'tcpi_data_segs_out' },
  },
  /**
   * Segments received, acknowledgements included. Wraps at 2^32 on Linux.
   *
   * Linux `tcpi_segs_in`, macOS `tcpi_rxpackets`. Not on Windows and FreeBSD.
   */
  segmentsReceived: {
    unit: 'segments',
    section: 'sending',
    linux: { from: 'tcpi_segs_in' },
    darwin: { from: 'tcpi_rxpackets' },
  },
  /**
   * Segments sent again, over the whole life of the connection.
   *
   * Linux `tcpi_total_retrans`, macOS `tcpi_txretransmitpackets`, FreeBSD `tcpi_snd_rexmitpack`. Not
   * on Windows.
   */
  segmentsRetransmitted: {
    unit: 'segments',
    section: 'loss',
    normal: 'below 1 % of `segmentsSent`',
    bad: 'the difference of two samples shows what is lost now',
    linux: { from: 'tcpi_total_retrans' },
    darwin: { from: 'tcpi_txretransmitpackets' },
    freebsd: { from: 'tcpi_snd_rexmitpack' },
  },
  /**
   * Segments that were sent again although they had arrived, as the peer reported by duplicate SACK (RFC 2883), over the
   * whole life of the connection.
   *
   * Linux `tcpi_dsack_dups` (4.19). Not on macOS, Windows and FreeBSD.
   */
  spuriousRetransmissions: {
    unit: 'segments',
    section: 'loss',
    normal: 'few',
    bad: 'the path reorders or delays: the data had arrived',
    linux: { from: 'tcpi_dsack_dups', since: '4.19' },
  },
  /**
   * Segments that arrived out of order: what came before them was lost or overtaken.
   *
   * Linux `tcpi_rcv_ooopack` (5.4), Windows `OutOfOrderPktsIn` (v2), FreeBSD `tcpi_rcv_ooopack`. macOS
   * counts bytes only.
   */
  segmentsReceivedOutOfOrder: {
    unit: 'segments',
    section: 'loss',
    normal: 'few',
    bad: 'loss or reordering on the way to this system',
    linux: { from: 'tcpi_rcv_ooopack', since: '5.4' },
    win32: { from: 'OutOfOrderPktsIn', since: 'v2' },
    freebsd: { from: 'tcpi_rcv_ooopack' },
  },
  /**
   * Segments sent and not acknowledged yet.
   *
   * Linux `tcpi_unacked`. Not on macOS, Windows and FreeBSD.
   */
  unackedSegments: {
    unit: 'segments',
    section: 'sending',
    normal: 'below both windows',
    bad: 'does not change: see the signs of life',
    linux: { from: 'tcpi_unacked' },
  },
  /**
   * Unacknowledged segments that the kernel believes lost now.
   *
   * Linux `tcpi_lost`. Not on macOS, Windows and FreeBSD.
   */
  lostSegments: {
    unit: 'segments',
    section: 'loss',
    normal: '0',
    bad: 'loss at this moment',
    linux: { from: 'tcpi_lost' },
  },
  /**
   * Rate at which data arrived at the peer lately, in bytes per second: a lower bound of what the path
   * can do while the application has nothing more to send. `null` before the first sample.
   *
   * Linux `tcpi_delivery_rate`. Not on macOS, Windows and FreeBSD.
   */
  deliveryRate: {
    unit: 'bytes/s',
    section: 'sending',
    bad: 'far below the rate of the line: see the limited times',
    linux: { from: 'tcpi_delivery_rate', none: 0 },
  },
  /**
   * 1 if `deliveryRate` was measured while the application had nothing more to send, so the path may be faster; otherwise 0.
   *
   * Linux `tcpi_delivery_rate_app_limited`. Not on macOS, Windows and FreeBSD.
   */
  deliveryRateAppLimited: {
    unit: 'count',
    section: 'sending',
    normal: '1: the application is slower than the path',
    linux: { from: 'tcpi_delivery_rate_app_limited' },
  },
  /**
   * Rate at which the kernel paces what it sends, in bytes per second. `null` where it does not.
   *
   * Linux `tcpi_pacing_rate`. Not on macOS, Windows and FreeBSD.
   */
  pacingRate: {
    unit: 'bytes/s',
    section: 'sending',
    normal: 'above `deliveryRate`',
    // Without a limit: ~0 of 64 bits, as a double.
    linux: { from: 'tcpi_pacing_rate', noneFrom: 2 ** 64 },
  },
  /**
   * Time with data to send or in flight, in milliseconds, over the life of the connection.
   *
   * Linux `tcpi_busy_time` (µs). Not on macOS, Windows and FreeBSD.
   */
  busyTime: {
    unit: 'ms',
    section: 'sending',
    linux: { from: 'tcpi_busy_time', unit: 'us' },
  },
  /**
   * Part of `busyTime` in which only the peer's receive window limited sending, in milliseconds: the
   * receiver is slow.
   *
   * Linux `tcpi_rwnd_limited` (µs), Windows `SndLimTimeRwin` (v1). Not on macOS and FreeBSD.
   */
  receiveWindowLimitedTime: {
    unit: 'ms',
    section: 'sending',
    normal: '0',
    bad: 'a large share of `busyTime`: the receiver is slow',
    linux: { from: 'tcpi_rwnd_limited', unit: 'us' },
    win32: { from: 'SndLimTimeRwin', since: 'v1' },
  },
  /**
   * Part of `busyTime` in which only our own send buffer (`SO_SNDBUF`) limited sending, in milliseconds.
   *
   * Linux `tcpi_sndbuf_limited` (µs). Not on macOS, Windows and FreeBSD.
   */
  sendBufferLimitedTime: {
    unit: 'ms',
    section: 'sending',
    normal: '0',
    bad: 'a large share of `busyTime`: raise `sendBufferSize`',
    linux: { from: 'tcpi_sndbuf_limited', unit: 'us' },
  },
  /**
   * Time since payload was last sent, in milliseconds. `null` if none was sent yet.
   *
   * Linux `tcpi_last_data_sent`. Not on macOS, Windows and FreeBSD.
   */
  timeSinceLastDataSent: {
    unit: 'ms',
    section: 'life',
    normal: 'as the protocol does',
    // Linux writes the time since the machine started for what never happened.
    linux: { from: 'tcpi_last_data_sent', needs: 'tcpi_data_segs_out' },
  },
  /**
   * Time since payload last arrived, in milliseconds. `null` if none arrived yet.
   *
   * Linux `tcpi_last_data_recv`, FreeBSD `tcpi_last_data_recv` (µs). Not on macOS and Windows.
   */
  timeSinceLastDataReceived: {
    unit: 'ms',
    section: 'life',
    normal: 'as the protocol does',
    bad: "longer than the protocol's heartbeat: the program of the peer is silent, though its kernel may be alive",
    linux: { from: 'tcpi_last_data_recv', needs: 'tcpi_data_segs_in' },
    freebsd: { from: 'tcpi_last_data_recv', unit: 'us', none: 0 },
  },
  /**
   * Time since an acknowledgement last arrived, in milliseconds, an answer to a keepalive probe
   * included: the last sign of life of the peer's kernel.
   *
   * Linux `tcpi_last_ack_recv`. Not on macOS, Windows and FreeBSD.
   */
  timeSinceLastAckReceived: {
    unit: 'ms',
    section: 'life',
    normal: 'below the keepalive delay, if keepalive is on',
    bad: 'with data in flight, more than a few `rto`: the peer or the path is gone',
    linux: { from: 'tcpi_last_ack_recv', needs: 'tcpi_segs_in' },
  },
  /**
   * Number of unanswered probes: keepalive probes while nothing is in flight, else probes of a closed window.
   *
   * Linux `tcpi_probes`. Not on macOS, Windows and FreeBSD.
   */
  probes: {
    unit: 'count',
    section: 'life',
    normal: '0',
    bad: '1 or more while idle: the peer does not answer. It counts as dead when `count` is reached',
    linux: { from: 'tcpi_probes' },
  },
  /**
   * How often the retransmission timeout, or the pause between probes of a closed window, was doubled.
   *
   * Linux `tcpi_backoff`. Not on macOS, Windows and FreeBSD.
   */
  backoff: {
    unit: 'count',
    section: 'life',
    normal: '0',
    bad: 'as `consecutiveTimeouts`; each step doubles the wait',
    linux: { from: 'tcpi_backoff' },
  },
  /**
   * Number of retransmission timeouts in a row of the oldest unacknowledged segment: 0 while the peer
   * acknowledges.
   *
   * Linux `tcpi_retransmits`. Not on macOS, Windows and FreeBSD.
   */
  consecutiveTimeouts: {
    unit: 'count',
    section: 'life',
    normal: '0',
    bad: '2 or more: the peer does not acknowledge. The sign of a dead peer while data is in flight',
    linux: { from: 'tcpi_retransmits' },
  },
  /**
   * Number of retransmission timeouts over the whole life of the connection.
   *
   * Linux `tcpi_total_rto` (6.7), Windows `TimeoutEpisodes`. Not on macOS and FreeBSD.
   */
  totalTimeouts: {
    unit: 'count',
    section: 'life',
    normal: '0 or few',
    bad: 'many: a path with outages',
    linux: { from: 'tcpi_total_rto', since: '6.7' },
    win32: { from: 'TimeoutEpisodes' },
  },
  /**
   * Connections of a listening socket that wait to be accepted.
   *
   * Linux `tcpi_unacked`. Not on macOS, Windows and FreeBSD.
   */
  acceptQueue: {
    unit: 'connections',
    section: 'listening',
    normal: '0',
    bad: 'near the limit: the event loop is too slow',
    listening: true,
    linux: { from: 'tcpi_unacked' },
  },
  /**
   * How many connections of a listening socket may wait: the backlog, as the system reduced it.
   *
   * Linux `tcpi_sacked`. Not on macOS, Windows and FreeBSD.
   */
  acceptQueueLimit: {
    unit: 'connections',
    section: 'listening',
    normal: '511 in Node, at most `net.core.somaxconn`',
    listening: true,
    linux: { from: 'tcpi_sacked' },
  },
} satisfies Record<string, Field>;
