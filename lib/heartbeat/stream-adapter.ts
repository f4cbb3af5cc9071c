// What a monitor needs of its stream: the signs of life that it receives, and the state that it is in. Chunks are seen without
// a listener: a 'data' or 'readable' listener would make the stream flow, or take chunks from the program that reads it.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { callbackError } from '../core/validate';
import { asError } from './callbacks';

/** Which chunks are signs of life. `undefined`: any bytes. `false`: none. */
export type IsAlive = ((chunk: Buffer) => boolean) | false | undefined;

export interface ActivityListener {
  recordActivity(): void;
  onIsAliveFailed(error: Error): void;
}

type Push = Duplex['push'];

const NOT_AT_ONCE =
  'It must answer at once: for asynchronous work use isAlive: false, and call recordActivity() when it is done.';

/** By the function that an adapter put in the place of `push()`. */
const adapters = new WeakMap<Push, StreamAdapter>();

export class StreamAdapter {
  readonly stream: Duplex;
  readonly isAlive: IsAlive;
  /** `undefined`: chunks are only passed on. */
  #listener: ActivityListener | undefined;
  /** `push()` of the stream before this replaced it. */
  readonly #original: Push;
  /** `bytesRead` of the stream, without bytes that did not come through `push()`. -1: bytes do not count. */
  #bytesSeen: number;

  constructor(stream: Duplex, isAlive: IsAlive, listener: ActivityListener) {
    const { bytesRead } = stream as Partial<Socket>;
    this.stream = stream;
    this.isAlive = isAlive;
    this.#listener = listener;
    this.#original = stream.push;
    this.#bytesSeen = isAlive === false || bytesRead === undefined ? -1 : bytesRead;
  }

  /** Every chunk that a stream receives comes through its `push()`. */
  start(): void {
    if (this.isAlive === false) return;
    // A bound function takes the least memory.
    const push: Push = this.#push.bind(this);
    adapters.set(push, this);
    Object.defineProperty(this.stream, 'push', { value: push, configurable: true, writable: true });
  }

  stop(): void {
    this.#listener = undefined;
    // Where another function has replaced ours and calls it, ours has to stay.
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

  /** Whether bytes came since the last call that did not come through `push()`, as with the option `onread`. */
  hasUnseenBytes(): boolean {
    const { bytesRead = 0 } = this.stream as Partial<Socket>;
    if (this.#bytesSeen < 0 || bytesRead <= this.#bytesSeen) return false;
    this.#bytesSeen = bytesRead;
    return true;
  }

  get isConnecting(): boolean {
    return (this.stream as Partial<Socket>).pending === true;
  }

  /**
   * Whether the program reads what the peer sends: else the stream stops to read, and cannot hear its peer. With
   * `isAlive: false` the program has to read all that came, to know what is a sign of life.
   */
  get isReading(): boolean {
    const { stream } = this;
    // A stream without a buffer (`highWaterMark` 0) has nothing in it that waits.
    if (stream.readableLength >= Math.max(1, stream.readableHighWaterMark)) return false;
    if (this.isAlive === false && stream.readableLength > 0) return false;
    return !stream.isPaused() || stream.listenerCount('readable') > 0;
  }

  /** `'full'`: what is written would have to wait. */
  get sendState(): 'ready' | 'full' | 'closed' {
    if (!this.stream.writable || this.isConnecting) return 'closed';
    return this.stream.writableLength > 0 ? 'full' : 'ready';
  }
}
