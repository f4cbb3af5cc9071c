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
    this.listening = this.isListening();
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

  /** Whether the state, if it is there, is LISTEN. */
  protected isListening(): boolean {
    return this.stateIndex === LISTEN;
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

/** The fields of a `Row`, in their order. */
export const rowFields = [
  'state',
  'rtt',
  'rttVariance',
  'minRtt',
  'rto',
  'mss',
  'pathMtu',
  'congestionWindow',
  'slowStartThreshold',
  'sendWindow',
  'receiveWindow',
  'bytesSent',
  'bytesReceived',
  'bytesAcked',
  'bytesRetransmitted',
  'bytesInFlight',
  'unsentBytes',
  'segmentsSent',
  'segmentsReceived',
  'segmentsRetransmitted',
  'segmentsReceivedOutOfOrder',
  'unackedSegments',
  'lostSegments',
  'deliveryRate',
  'pacingRate',
  'busyTime',
  'receiveWindowLimitedTime',
  'sendBufferLimitedTime',
  'timeSinceLastDataSent',
  'timeSinceLastDataReceived',
  'timeSinceLastAckReceived',
  'probes',
  'backoff',
  'consecutiveTimeouts',
  'totalTimeouts',
  'acceptQueue',
  'acceptQueueLimit',
] as const satisfies readonly (keyof TcpInfo)[];

/** All fields of one connection as numbers, NaN for null; of the state, the index in `tcpStates`. */
export type Row = Float64Array;

export function newRow(): Row {
  return new Float64Array(rowFields.length);
}

/** Fills a row from a view, getter by getter: for systems that have no faster way. */
export function fillFrom(view: View, row: Row): void {
  row[0] = view.stateIndex;
  rowFields.forEach((field, index) => {
    if (field !== 'state') row[index] = view[field];
  });
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** A row as an object. */
export function tcpInfoOfRow(row: Row): TcpInfo {
  return {
    state: tcpStates[row[0] as number] ?? null,
    rtt: orNull(row[1] as number),
    rttVariance: orNull(row[2] as number),
    minRtt: orNull(row[3] as number),
    rto: orNull(row[4] as number),
    mss: orNull(row[5] as number),
    pathMtu: orNull(row[6] as number),
    congestionWindow: orNull(row[7] as number),
    slowStartThreshold: orNull(row[8] as number),
    sendWindow: orNull(row[9] as number),
    receiveWindow: orNull(row[10] as number),
    bytesSent: orNull(row[11] as number),
    bytesReceived: orNull(row[12] as number),
    bytesAcked: orNull(row[13] as number),
    bytesRetransmitted: orNull(row[14] as number),
    bytesInFlight: orNull(row[15] as number),
    unsentBytes: orNull(row[16] as number),
    segmentsSent: orNull(row[17] as number),
    segmentsReceived: orNull(row[18] as number),
    segmentsRetransmitted: orNull(row[19] as number),
    segmentsReceivedOutOfOrder: orNull(row[20] as number),
    unackedSegments: orNull(row[21] as number),
    lostSegments: orNull(row[22] as number),
    deliveryRate: orNull(row[23] as number),
    pacingRate: orNull(row[24] as number),
    busyTime: orNull(row[25] as number),
    receiveWindowLimitedTime: orNull(row[26] as number),
    sendBufferLimitedTime: orNull(row[27] as number),
    timeSinceLastDataSent: orNull(row[28] as number),
    timeSinceLastDataReceived: orNull(row[29] as number),
    timeSinceLastAckReceived: orNull(row[30] as number),
    probes: orNull(row[31] as number),
    backoff: orNull(row[32] as number),
    consecutiveTimeouts: orNull(row[33] as number),
    totalTimeouts: orNull(row[34] as number),
    acceptQueue: orNull(row[35] as number),
    acceptQueueLimit: orNull(row[36] as number),
  };
}

const scratch = newRow();

/** What a view sees, as an object. */
export function tcpInfoOf(view: View): TcpInfo {
  fillFrom(view, scratch);
  return tcpInfoOfRow(scratch);
}
