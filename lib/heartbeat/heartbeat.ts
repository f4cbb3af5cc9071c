// Heartbeat: the events of one, and what happens to a dead peer's socket.

import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { call, resetAfterFailure, uninterrupted } from './callbacks';
import { resetAndDestroy } from './kernel';
import { checkedOptions, checkOpen, checkStream, type HeartbeatOptions } from './options';
import { Pulse, type PulseOwner, type Rhythm } from './pulse';
import { abortListeners, closeListeners } from './shared-listeners';
import { ticker } from './ticker';
import type { DeathReason, PeerDeath } from './verdict';

/** A sign of life. */
export interface HeartbeatBeat {
  /**
   * From a ping until its answer was read, in milliseconds: the way there and back, and what the peer's
   * program and this one took. `null` if no answer came.
   */
  readonly rtt: number | null;
}

/** A silence that is longer than it should be. */
export interface HeartbeatLateness {
  /** For how long the peer has given no sign of life, in milliseconds. */
  readonly silence: number;
  /** Pings in that time, none of which was answered. */
  readonly unansweredPings: number;
}

const REASONS: Readonly<Record<DeathReason, string>> = {
  silent: 'its system still acknowledges what is sent, its program says nothing',
  vanished: 'nothing comes back at all',
  unknown: 'whether its system still answers is not known',
};

/** What the socket of a dead peer is destroyed with: `code` is `'ETIMEDOUT'`, as that of a kernel would be. */
export class HeartbeatTimeoutError extends Error {
  readonly code = 'ETIMEDOUT';
  /** What is known of the peer. */
  readonly death: PeerDeath;

  constructor(death: PeerDeath) {
    const seconds = (death.silence / 1_000).toFixed(1);
    const closed = death.state === 'CLOSED' ? ', and the kernel has closed the connection' : '';
    super(`ETIMEDOUT: no sign of life for ${seconds} s, ${REASONS[death.reason]}${closed}`);
    this.death = death;
  }
}
Object.defineProperty(HeartbeatTimeoutError.prototype, 'name', {
  value: 'HeartbeatTimeoutError',
  configurable: true,
  writable: true,
});

/**
 * Watches for signs of life of the peer of a socket, and sends pings where the protocol has some.
 *
 * ```js
 * new Heartbeat(socket, { interval: 10_000, timeout: 25_000, send: 'PING\r\n' }); // request and answer
 * new Heartbeat(socket, { interval: 10_000, timeout: 25_000 }); // the peer sends, this side only watches
 * new Heartbeat(socket, { interval: 10_000, timeout: null, send: frame }); // this side only sends
 * ```
 *
 * A peer without a sign of life for `timeout` is told as `'dead'`, and its socket destroyed with a
 * {@link HeartbeatTimeoutError} of code `'ETIMEDOUT'` (give it an `'error'` listener) and by a reset, as a
 * kernel does whose keepalive fails (`SO_LINGER` of 0). Noticed at the latest an eighth of `interval` (or of
 * what `timeout` is longer, if that is less) and 60 ms after. Time in which this process was stopped or
 * its event loop blocked is not the peer's silence; what waits in the kernel is read before anybody is dead.
 * Where an answer takes longer than `timeout` - `interval`, a verdict waits until the first ping of the silence
 * could have been answered: for the kernel's round-trip time and four times its variance, or for the last `rtt`.
 *
 * If `send` or `isAlive` fails, the heartbeat is closed and the socket destroyed with that error. A failure after
 * `close()` is ignored. What a listener throws is uncaught, as in any emitter, and interrupts nothing.
 *
 * A message costs a stored number: it is counted where it comes, without a listener. All heartbeats of a
 * thread share one timer. None keeps the process from ending, unless `ref()` is called; all end with
 * their socket.
 *
 * Works with any Duplex, on every system and runtime. On a `net.Socket` or `tls.TLSSocket` the kernel is
 * asked (`TCP_INFO`) before a verdict, where the addon is there.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, RangeError `ERR_OUT_OF_RANGE` for
 *   wrong options.
 * @throws SocketOptionError `ERR_SOCKET_CLOSED` for a socket that is closed already.
 * @see RFC 1122 section 4.2.3.6 on why keepalive cannot tell whether a program lives
 */
export class Heartbeat<Stream extends Duplex = Duplex> extends EventEmitter<{
  /** Signs of life were noticed since the last look: eight times in an interval at most. */
  beat: [beat: HeartbeatBeat];
  /** None came for the mean of `interval` and `timeout`. Once in each silence. */
  late: [lateness: HeartbeatLateness];
  /** None came for `timeout`. The last event, unless `onDead` fails; then `onDead`, or the socket is destroyed. */
  dead: [death: PeerDeath];
  /**
   * `send`, `isAlive` or `onDead` threw, was rejected, or returned what it must not. The socket is then destroyed
   * without an error. Without a listener the event is not emitted, and the socket is destroyed with this error.
   */
  error: [error: Error];
}> {
  readonly #socket: Stream;
  readonly #rhythm: Rhythm;
  readonly #pulse: Pulse;
  readonly #signal: AbortSignal | undefined;
  readonly #close = (): void => this.close();
  #isOpen = true;
  #isHeld = false;

  constructor(socket: Stream, options: HeartbeatOptions<Stream>) {
    checkStream(socket);
    const { onDead, signal, ...rhythm } = checkedOptions(socket, options);
    checkOpen(socket);
    super();
    this.#socket = socket;
    this.#rhythm = rhythm;
    this.#signal = signal;
    this.#pulse = new Pulse(socket, rhythm, new Owner(this, onDead));
    if (signal?.aborted) {
      this.#isOpen = false;
      return;
    }
    try {
      if (signal !== undefined) abortListeners.add(signal, this.#close);
      closeListeners.add(socket, this.#close);
      this.#pulse.start();
    } catch (error) {
      // A stream or a signal that does not let itself be watched: nothing of this stays on it.
      this.close();
      throw error;
    }
  }

  /** The stream that is watched. */
  get socket(): Stream {
    return this.#socket;
  }

  /** In milliseconds. */
  get interval(): number {
    return this.#rhythm.interval;
  }

  /** In milliseconds; `null`: the peer is not expected to say anything. */
  get timeout(): number | null {
    const { timeout } = this.#rhythm;
    return timeout === Number.POSITIVE_INFINITY ? null : timeout;
  }

  /**
   * Says that the peer gave a sign of life: to be called by the code that reads the protocol, for each
   * message. Costs a few nanoseconds.
   */
  beat(): void {
    this.#pulse.beat();
  }

  /**
   * Says that the peer answered a ping, which is a sign of life too: for protocols whose peers say other
   * things as well. From the first call on, nothing else is taken for an answer.
   */
  answer(): void {
    this.#pulse.answer();
  }

  /** For how long no sign of life was noticed, in milliseconds, as of the last look. */
  get silence(): number {
    return this.#pulse.silence;
  }

  /** The last round-trip time that a `'beat'` told, in milliseconds; `null`: none yet. */
  get rtt(): number | null {
    return this.#pulse.rtt;
  }

  /** Pings that were sent. */
  get pings(): number {
    return this.#pulse.pings;
  }

  /** How often a ping was due and was not sent, since data before it was still waiting to be sent. */
  get skippedPings(): number {
    return this.#pulse.skippedPings;
  }

  /** Whether it is over: by `close()`, a verdict, or with its socket. */
  get closed(): boolean {
    return !this.#isOpen;
  }

  /** Keeps the process from ending as long as the heartbeat is open. */
  ref(): this {
    return this.#hold(true);
  }

  /** Does not keep the process from ending, as is the case at first. */
  unref(): this {
    return this.#hold(false);
  }

  /** Ends the heartbeat, and leaves the socket alone. No event comes after it. */
  close(): void {
    if (!this.#isOpen) return;
    this.#hold(false);
    this.#isOpen = false;
    this.#pulse.stop();
    closeListeners.delete(this.#socket, this.#close);
    if (this.#signal !== undefined) abortListeners.delete(this.#signal, this.#close);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // Signs of life are so many that they are told only from where on somebody listens. These are what all
  // ways to listen come down to.
  static {
    for (const name of ['on', 'addListener', 'prependListener'] as const) {
      const original = EventEmitter.prototype[name];
      Object.defineProperty(Heartbeat.prototype, name, {
        value(this: Heartbeat, event: string, listener: () => void) {
          if (event === 'beat') this.#pulse.isHeard = true;
          return Reflect.apply(original, this, [event, listener]);
        },
        configurable: true,
        writable: true,
      });
    }
  }

  #hold(isHeld: boolean): this {
    if (this.#isOpen && this.#isHeld !== isHeld) {
      this.#isHeld = isHeld;
      ticker.hold(isHeld);
    }
    return this;
  }
}

/** Tells what a pulse notices. */
class Owner<Stream extends Duplex> implements PulseOwner {
  readonly #heartbeat: Heartbeat<Stream>;
  readonly #onDead: HeartbeatOptions<Stream>['onDead'];

  constructor(heartbeat: Heartbeat<Stream>, onDead: HeartbeatOptions<Stream>['onDead']) {
    this.#heartbeat = heartbeat;
    this.#onDead = onDead;
  }

  onBeat(rtt: number | null): void {
    uninterrupted(() => this.#heartbeat.emit('beat', { rtt }));
  }

  onLate(silence: number, unansweredPings: number): void {
    uninterrupted(() => this.#heartbeat.emit('late', { silence, unansweredPings }));
  }

  onDead(death: PeerDeath): void {
    const heartbeat = this.#heartbeat;
    const { socket } = heartbeat;
    heartbeat.close();
    uninterrupted(() => heartbeat.emit('dead', death));
    const onDead = this.#onDead;
    if (onDead === undefined) {
      resetAndDestroy(socket, new HeartbeatTimeoutError(death));
    } else {
      call(
        'onDead',
        () => onDead(death, socket),
        (error) => resetAfterFailure(socket, this.#untold(error)),
      );
    }
  }

  onFailed(error: Error): void {
    const heartbeat = this.#heartbeat;
    const { socket } = heartbeat;
    // What fails because the socket or the heartbeat is closed is no news.
    if (heartbeat.closed || socket.destroyed) return;
    heartbeat.close();
    // Not at once: a chunk that the stream has just got would be lost before it is read.
    process.nextTick(() => socket.destroy(this.#untold(error)));
  }

  onGone(): void {
    this.#heartbeat.close();
  }

  /** Tells an error to who listens for it. Returns it if nobody does: then the socket has to. */
  #untold(error: Error): Error | undefined {
    const heartbeat = this.#heartbeat;
    if (heartbeat.listenerCount('error') === 0) return error;
    uninterrupted(() => heartbeat.emit('error', error));
    return undefined;
  }
}
