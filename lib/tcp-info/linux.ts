// Linux: `struct tcp_info` (include/uapi/linux/tcp.h), as getsockopt(TCP_INFO) and sock_diag give it.
// A kernel writes as much of it as it knows; what it appends in later versions never moves the rest.

import { tcpStates } from './tcp-info';
import { positive, View } from './view';

/** `enum` of include/net/tcp_states.h -> index in `tcpStates`. 12 is TCP_NEW_SYN_RECV. */
const STATES = [
  NaN,
  ...(
    [
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
    ] as const
  ).map((state) => tcpStates.indexOf(state)),
];

/** A state of Linux -> index in `tcpStates`. */
export function stateIndexOf(state: number): number {
  return STATES[state] ?? NaN;
}

/** What `tcpi_snd_ssthresh` is before the first loss (TCP_INFINITE_SSTHRESH). */
const INFINITE_THRESHOLD = 0x7fffffff;
/** What `tcpi_min_rtt` is before the first sample. */
const NO_SAMPLE = 0xffffffff;
/** What rates are without a limit: ~0 of 64 bits, as a double. */
const UNLIMITED = 2 ** 64;

const milliseconds = (microseconds: number) => microseconds / 1000;

export class LinuxView extends View {
  protected readonly stateEnd = 1;

  get stateIndex(): number {
    return stateIndexOf(this.u8(0));
  }

  override get rtt(): number {
    return milliseconds(positive(this.u32(68)));
  }
  override get rttVariance(): number {
    // A connection without a sample has 250 ms here, from which the first timeout is made.
    return this.u32(68) > 0 ? milliseconds(this.u32(72)) : NaN;
  }
  override get minRtt(): number {
    const minRtt = this.u32(148);
    return minRtt === NO_SAMPLE ? NaN : milliseconds(minRtt);
  }
  override get rto(): number {
    return milliseconds(this.u32(8));
  }
  override get mss(): number {
    return this.u32(16);
  }
  override get pathMtu(): number {
    return positive(this.u32(60));
  }
  override get congestionWindow(): number {
    return this.u32(80) * this.u32(16);
  }
  override get slowStartThreshold(): number {
    const segments = this.u32(76);
    return segments >= INFINITE_THRESHOLD ? NaN : segments * this.u32(16);
  }
  override get sendWindow(): number {
    return this.u32(228);
  }
  override get receiveWindow(): number {
    return this.u32(232);
  }
  override get bytesSent(): number {
    return this.u64(200);
  }
  override get bytesReceived(): number {
    return this.u64(128);
  }
  override get bytesAcked(): number {
    return this.u64(120);
  }
  override get bytesRetransmitted(): number {
    return this.u64(208);
  }
  override get bytesInFlight(): number {
    if (this.u32(24) === 0) return 0;
    return Math.max(this.bytesSent - this.bytesRetransmitted - this.bytesAcked, 0);
  }
  override get unsentBytes(): number {
    return this.u32(144);
  }
  override get segmentsSent(): number {
    return this.u32(136);
  }
  override get segmentsReceived(): number {
    return this.u32(140);
  }
  override get segmentsRetransmitted(): number {
    return this.u32(100);
  }
  override get segmentsReceivedOutOfOrder(): number {
    return this.u32(224);
  }
  override get unackedSegments(): number {
    return this.u32(24);
  }
  override get lostSegments(): number {
    return this.u32(32);
  }
  override get deliveryRate(): number {
    return positive(this.u64(160));
  }
  override get pacingRate(): number {
    const rate = this.u64(104);
    return rate === UNLIMITED ? NaN : rate;
  }
  override get busyTime(): number {
    return milliseconds(this.u64(168));
  }
  override get receiveWindowLimitedTime(): number {
    return milliseconds(this.u64(176));
  }
  override get sendBufferLimitedTime(): number {
    return milliseconds(this.u64(184));
  }
  // Of what never happened, the kernel says that it was when the machine started.
  override get timeSinceLastDataSent(): number {
    return this.u32(156) > 0 ? this.u32(44) : NaN;
  }
  override get timeSinceLastDataReceived(): number {
    return this.u32(152) > 0 ? this.u32(52) : NaN;
  }
  override get timeSinceLastAckReceived(): number {
    return this.u32(140) > 0 ? this.u32(56) : NaN;
  }
  override get probes(): number {
    return this.u8(3);
  }
  override get backoff(): number {
    return this.u8(4);
  }
  override get consecutiveTimeouts(): number {
    return this.u8(2);
  }
  override get totalTimeouts(): number {
    return this.u16(240);
  }
  // The kernel uses two fields of a listening socket for something else.
  override get acceptQueue(): number {
    return this.listening && this.length >= 28 ? (this.words[this.at + 6] as number) : NaN;
  }
  override get acceptQueueLimit(): number {
    return this.listening && this.length >= 32 ? (this.words[this.at + 7] as number) : NaN;
  }
}
