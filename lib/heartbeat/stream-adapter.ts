// Observes a stream for its monitor: detects signs of life in received chunks, and reports the stream's state. It replaces
// `push()`, because a 'data' or 'readable' listener would make the stream flow, or take chunks from the program.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { callbackError } from '../core/validate';
import { asError } from './callbacks';

/** Returns whether a chunk is a sign of life. `undefined`: any bytes are. `false`: none are. */
export type IsAlive = ((chunk: Buffer) => boolean) | false | undefined;

export interface ActivityListener {
  recordActivity(): void;
  onIsAliveFailed(error: Error): void;
}

type Push = Duplex['push'];

const NOT_AT_ONCE =
  'It must answer at once: for asynchronous work use isAlive: false, and call recordActivity() when it is done.';

/** Finds the adapter of a function that replaced `push()`. */
const adapters = new WeakMap<Push, StreamAdapter>();

export class StreamAdapter {
  readonly stream: Duplex;
  readonly isAlive: IsAlive;
  /** `undefined`: stopped; chunks are only passed on. */
  #listener: ActivityListener | undefined;
  /** The stream's `push()` before `start()`. */
  readonly #original: Push;
  /** The stream's `bytesRead` as far as noticed here. -1: bytes are not signs of life, or the stream does not count them. */
  #bytesSeen: number;

  constructor(stream: Duplex, isAlive: IsAlive, listener: ActivityListener) {
    const bytesRead = bytesReadOf(stream);
    this.stream = stream;
    this.isAlive = isAlive;
    this.#listener = listener;
    this.#original = stream.push;
    this.#bytesSeen = isAlive === false || bytesRead === undefined ? -1 : bytesRead;
  }

  /** Replaces the stream's `push()`, which receives every chunk. */
  start(): void {
    if (this.isAlive === false) return;
    // A bound function takes less memory than a closure.
    const push: Push = this.#push.bind(this);
    adapters.set(push, this);
    Object.defineProperty(this.stream, 'push', { value: push, configurable: true, writable: true });
  }

  stop(): void {
    this.#listener = undefined;
    // If another function has replaced ours, it may call ours. Then ours must stay.
    let top = adapters.get(this.stream.push);
    while (top !== undefined && top.#listener === undefined) {
      top.#restorePush();
      top = adapters.get(this.stream.push);
    }
  }

  #restorePush(): void {
    const { stream } = this;
    if (this.#original === Object.getPrototypeOf(stream).push)
      Reflect.deleteProperty(stream, 'push');
    else stream.push = this.#original;
  }

  #push(...args: Parameters<Push>): boolean {
    const [chunk] = args;
    const listener = this.#listener;
    let failure: unknown;
    let hasFailed = false;
    if (listener !== undefined && chunk !== null && chunk !== undefined) {
      try {
        if (this.#isSignOfLife(chunk)) listener.recordActivity();
      } catch (error) {
        failure = error;
        hasFailed = true;
      }
    }
    const wantsMore = this.#original.apply(this.stream, args);
    if (hasFailed) listener?.onIsAliveFailed(asError('isAlive', failure));
    return wantsMore;
  }

  #isSignOfLife(chunk: Buffer): boolean {
    if (this.#bytesSeen >= 0) this.#bytesSeen += chunk.length;
    if (!this.isAlive) return true;
    const answer: unknown = this.isAlive(chunk);
    if (typeof answer === 'boolean') return answer;
    throw callbackError('isAlive', 'a boolean', answer, NOT_AT_ONCE);
  }

  /** Whether bytes bypassed `push()` since the last call, as with the `onread` option of net.connect(). */
  hasUnseenBytes(): boolean {
    const bytesRead = bytesReadOf(this.stream) ?? 0;
    if (this.#bytesSeen < 0 || bytesRead <= this.#bytesSeen) return false;
    this.#bytesSeen = bytesRead;
    return true;
  }

  get isConnecting(): boolean {
    return (this.stream as Partial<Socket>).pending === true;
  }

  /**
   * Whether the program reads the stream. Otherwise the stream stops reading, and receives no sign of life. With
   * `isAlive: false`, also whether the program has read all received data: only the program can find a sign of life in it.
   */
  get isReading(): boolean {
    const { stream } = this;
    // With a `highWaterMark` of 0, an empty stream is not full.
    if (stream.readableLength >= Math.max(1, stream.readableHighWaterMark)) return false;
    if (this.isAlive === false && stream.readableLength > 0) return false;
    return !stream.isPaused() || stream.listenerCount('readable') > 0;
  }

  /** Whether the program can hear its peer: it reads the stream, and the peer can still send. */
  get canHear(): boolean {
    return this.isReading && !this.stream.readableEnded;
  }

  /** `'full'`: data written now would wait behind earlier data. */
  get sendState(): 'ready' | 'full' | 'closed' {
    if (!this.stream.writable || this.isConnecting) return 'closed';
    return this.stream.writableLength > 0 ? 'full' : 'ready';
  }
}

/** `undefined`: the stream does not count its bytes, or its getter throws, as that of a Proxy may. */
function bytesReadOf(stream: Duplex): number | undefined {
  try {
    return (stream as Partial<Socket>).bytesRead;
  } catch {
    return undefined;
  }
}
