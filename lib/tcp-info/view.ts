// A structure of some kernel in memory, and what can be read of it. A subclass for each system says
// where its fields are. What is there is decided by the length that the kernel wrote, and by nothing else.

import { type TcpInfo, type TcpState, tcpStates } from './tcp-info';

/** The fields as numbers: NaN where `TcpInfo` has null, since a null would cost an allocation. */
export type TcpInfoNumbers = {
  readonly [Field in keyof TcpInfo as Exclude<Field, 'state'>]: number;
};

/** All systems with an addon are little-endian, and so is what is read here. */
export class View implements TcpInfoNumbers {
  /** The memory in which the structure lies, and the word at which it begins. */
  protected words: Uint32Array;
  protected at = 0;
  /** Bytes that the kernel wrote. */
  protected length = 0;
  /** Those that mean what their names say: of a listening socket the state only. */
  protected meaningful = 0;
  protected listening = false;

  constructor(words: Uint32Array) {
    this.words = words;
  }

  /** Looks at the `length` bytes that were written from word `at` on. */
  look(at: number, length: number): void {
    this.at = at;
    this.length = length;
    this.meaningful = length;
    this.listening = this.stateIndex === LISTEN;
    if (this.listening) this.meaningful = this.stateEnd;
  }

  /** Looks at the `length` bytes from word `at` on in other memory. */
  lookInto(words: Uint32Array, at: number, length: number): void {
    this.words = words;
    this.look(at, length);
  }

  protected u8(offset: number): number {
    if (offset + 1 > this.meaningful) return NaN;
    return ((this.words[this.at + (offset >> 2)] as number) >>> (8 * (offset & 3))) & 0xff;
  }

  protected u16(offset: number): number {
    if (offset + 2 > this.meaningful) return NaN;
    return ((this.words[this.at + (offset >> 2)] as number) >>> (8 * (offset & 2))) & 0xffff;
  }

  protected u32(offset: number): number {
    if (offset + 4 > this.meaningful) return NaN;
    return this.words[this.at + (offset >> 2)] as number;
  }

  /** Exact up to 2^53. */
  protected u64(offset: number): number {
    if (offset + 8 > this.meaningful) return NaN;
    const word = this.at + (offset >> 2);
    return (this.words[word] as number) + (this.words[word + 1] as number) * 2 ** 32;
  }

  /** Where the state ends, in bytes. */
  protected get stateEnd(): number {
    return 0;
  }

  /** The index of the state in `tcpStates`; NaN for none of them. */
  get stateIndex(): number {
    return NaN;
  }

  get state(): TcpState | null {
    return tcpStates[this.stateIndex] ?? null;
  }

  // What a system does not say otherwise, it does not report.
  get rtt(): number {
    return NaN;
  }
  get rttVariance(): number {
    return NaN;
  }
  get minRtt(): number {
    return NaN;
  }
  get rto(): number {
    return NaN;
  }
  get mss(): number {
    return NaN;
  }
  get pathMtu(): number {
    return NaN;
  }
  get congestionWindow(): number {
    return NaN;
  }
  get slowStartThreshold(): number {
    return NaN;
  }
  get sendWindow(): number {
    return NaN;
  }
  get receiveWindow(): number {
    return NaN;
  }
  get bytesSent(): number {
    return NaN;
  }
  get bytesReceived(): number {
    return NaN;
  }
  get bytesAcked(): number {
    return NaN;
  }
  get bytesRetransmitted(): number {
    return NaN;
  }
  get bytesInFlight(): number {
    return NaN;
  }
  get unsentBytes(): number {
    return NaN;
  }
  get segmentsSent(): number {
    return NaN;
  }
  get segmentsReceived(): number {
    return NaN;
  }
  get segmentsRetransmitted(): number {
    return NaN;
  }
  get segmentsReceivedOutOfOrder(): number {
    return NaN;
  }
  get unackedSegments(): number {
    return NaN;
  }
  get lostSegments(): number {
    return NaN;
  }
  get deliveryRate(): number {
    return NaN;
  }
  get pacingRate(): number {
    return NaN;
  }
  get busyTime(): number {
    return NaN;
  }
  get receiveWindowLimitedTime(): number {
    return NaN;
  }
  get sendBufferLimitedTime(): number {
    return NaN;
  }
  get timeSinceLastDataSent(): number {
    return NaN;
  }
  get timeSinceLastDataReceived(): number {
    return NaN;
  }
  get timeSinceLastAckReceived(): number {
    return NaN;
  }
  get probes(): number {
    return NaN;
  }
  get backoff(): number {
    return NaN;
  }
  get consecutiveTimeouts(): number {
    return NaN;
  }
  get totalTimeouts(): number {
    return NaN;
  }
  get acceptQueue(): number {
    return NaN;
  }
  get acceptQueueLimit(): number {
    return NaN;
  }
}

const LISTEN = tcpStates.indexOf('LISTEN');

/** 0 stands for "no value yet". */
export function positive(value: number): number {
  return value > 0 ? value : NaN;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** What a view sees, as an object. */
export function tcpInfoOf(view: View): TcpInfo {
  return {
    state: view.state,
    rtt: orNull(view.rtt),
    rttVariance: orNull(view.rttVariance),
    minRtt: orNull(view.minRtt),
    rto: orNull(view.rto),
    mss: orNull(view.mss),
    pathMtu: orNull(view.pathMtu),
    congestionWindow: orNull(view.congestionWindow),
    slowStartThreshold: orNull(view.slowStartThreshold),
    sendWindow: orNull(view.sendWindow),
    receiveWindow: orNull(view.receiveWindow),
    bytesSent: orNull(view.bytesSent),
    bytesReceived: orNull(view.bytesReceived),
    bytesAcked: orNull(view.bytesAcked),
    bytesRetransmitted: orNull(view.bytesRetransmitted),
    bytesInFlight: orNull(view.bytesInFlight),
    unsentBytes: orNull(view.unsentBytes),
    segmentsSent: orNull(view.segmentsSent),
    segmentsReceived: orNull(view.segmentsReceived),
    segmentsRetransmitted: orNull(view.segmentsRetransmitted),
    segmentsReceivedOutOfOrder: orNull(view.segmentsReceivedOutOfOrder),
    unackedSegments: orNull(view.unackedSegments),
    lostSegments: orNull(view.lostSegments),
    deliveryRate: orNull(view.deliveryRate),
    pacingRate: orNull(view.pacingRate),
    busyTime: orNull(view.busyTime),
    receiveWindowLimitedTime: orNull(view.receiveWindowLimitedTime),
    sendBufferLimitedTime: orNull(view.sendBufferLimitedTime),
    timeSinceLastDataSent: orNull(view.timeSinceLastDataSent),
    timeSinceLastDataReceived: orNull(view.timeSinceLastDataReceived),
    timeSinceLastAckReceived: orNull(view.timeSinceLastAckReceived),
    probes: orNull(view.probes),
    backoff: orNull(view.backoff),
    consecutiveTimeouts: orNull(view.consecutiveTimeouts),
    totalTimeouts: orNull(view.totalTimeouts),
    acceptQueue: orNull(view.acceptQueue),
    acceptQueueLimit: orNull(view.acceptQueueLimit),
  };
}
