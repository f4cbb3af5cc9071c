// Shared memory of JavaScript and the addon, to read many sockets in one native call.

/** Size of `struct Entry` of native/tcp_info.cc in bytes, and offsets of its members in words. */
const ENTRY_BYTES = 320;
export const ENTRY_WORDS = ENTRY_BYTES / 4;
const ENTRY_DOUBLES = ENTRY_BYTES / 8;
const LENGTH = 2;
const IDENTITY = 4;
/** Where the structure begins. */
export const INFO = 6;

/**
 * Largest number of sockets in one native call. Their structures are still in a CPU cache when they are decoded.
 * Decoding a batch blocks the event loop for about 0.1 ms.
 */
export const BATCH_SIZE = 256;

/** An array of entries, each for one socket. */
export class Batch {
  readonly buffer: ArrayBuffer;
  /** The memory as 32-bit words, for the decoders. */
  readonly words: Uint32Array;
  /** The row of each entry in the columns: the index of its socket in the caller's array. */
  readonly rows: Uint32Array;
  /** The state of each socket, as an index in `tcpStates`; NaN: no state. */
  readonly states: Float64Array;
  /** The length of each structure in bytes, 0 for a listening socket. */
  readonly lengths: Int32Array;
  /** The length of each structure in bytes, 0 unless it is a listening socket. */
  readonly listenLengths: Int32Array;
  /** Whether gVisor's network stack wrote the structures: see `isFromGvisor()`. */
  isFromGvisor = false;
  readonly #descriptors: Float64Array;
  readonly #signed: Int32Array;

  constructor(size: number) {
    this.buffer = new ArrayBuffer(size * ENTRY_BYTES);
    this.words = new Uint32Array(this.buffer);
    this.rows = new Uint32Array(size);
    this.states = new Float64Array(size);
    this.lengths = new Int32Array(size);
    this.listenLengths = new Int32Array(size);
    this.#descriptors = new Float64Array(this.buffer);
    this.#signed = new Int32Array(this.buffer);
  }

  get size(): number {
    return this.rows.length;
  }

  /** Writes an entry. `low` and `high` are the socket's identity. 0: any socket that has the descriptor now. */
  write(entry: number, row: number, descriptor: number, low: number, high: number): void {
    this.rows[entry] = row;
    this.#descriptors[entry * ENTRY_DOUBLES] = descriptor;
    this.#signed[entry * ENTRY_WORDS + IDENTITY] = low;
    this.#signed[entry * ENTRY_WORDS + IDENTITY + 1] = high;
  }

  /** The descriptor. Negative: the socket has none. */
  descriptor(entry: number): number {
    return this.#descriptors[entry * ENTRY_DOUBLES] as number;
  }

  /** The length of the structure in bytes, or a negative libuv code. */
  length(entry: number): number {
    return this.#signed[entry * ENTRY_WORDS + LENGTH] as number;
  }

  setLength(entry: number, length: number): void {
    this.#signed[entry * ENTRY_WORDS + LENGTH] = length;
  }

  identityLow(entry: number): number {
    return this.#signed[entry * ENTRY_WORDS + IDENTITY] as number;
  }

  identityHigh(entry: number): number {
    return this.#signed[entry * ENTRY_WORDS + IDENTITY + 1] as number;
  }

  /** The offset of the structure, in words. */
  structureAt(entry: number): number {
    return entry * ENTRY_WORDS + INFO;
  }
}
