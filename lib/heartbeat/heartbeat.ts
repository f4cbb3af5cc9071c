// Heartbeat: its events, and what happens to the socket of a dead peer. When a peer is dead is decided in monitor.ts.

import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { callAndCatch, resetAfterFailure, uninterrupted } from './callbacks';
import { resetAndDestroy } from './kernel';
import { Monitor, type MonitorEvents } from './monitor';
import {
  type HeartbeatOptions,
  validateHeartbeatOptions,
  validateOpen,
  validateStream,
} from './options';
import type { PeerDeath } from './peer-death';
import { abortListeners, closeListeners } from './shared-listeners';
import { HeartbeatTimeoutError } from './timeout-error';

/** A sign of life. */
export interface HeartbeatActivity {
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

/**
 * Watches for signs of life of the peer of a socket, and sends pings where the protocol has some.
 *
 * ```js
 * new Heartbeat(socket, { interval: 10_000, timeout: 25_000, send: 'PING\r\n' }); // request and answer
 * new Heartbeat(socket, { interval: 10_000, timeout: 25_000 }); // the peer sends, this side only watches
 * new Heartbeat(socket, { interval: 10_000, timeout: null, send: frame }); // this side only sends
 * ```
 *
 * A peer without a sign of life for `timeout` is reported by `'dead'`, and its socket is destroyed with a
 * {@link HeartbeatTimeoutError} of code `'ETIMEDOUT'` (give it an `'error'` listener) and by a reset, as a
 * kernel does whose keepalive fails (`SO_LINGER` of 0). It is noticed at the latest an eighth of `interval` (or of
 * what `timeout` is longer, if that is less) and 60 ms after. Time in which this process was stopped or
 * its event loop blocked is not the peer's silence; what waits in the kernel is read before anybody is dead.
 * Where an answer takes longer than `timeout` - `interval`, a verdict waits until the first ping of the silence
 * could have been answered: for the kernel's round-trip time and four times its variance, or for the last `rtt`.
 *
 * If `send` or `isAlive` fails, the heartbeat is closed and the socket destroyed with that error. A failure after
 * `close()` is ignored. What a listener throws is uncaught, as in any emitter, and interrupts nothing.
 *
 * A message costs a stored number: it is noticed where it comes, without a listener. Heartbeats of a similar
 * `interval` share one timer. None keeps the process from ending, unless `ref()` is called; all end with
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
  /** There were signs of life since the last event: eight times in an interval at most. */
  activity: [activity: HeartbeatActivity];
  /** The older name of `'activity'`: the same event. */
  beat: [activity: HeartbeatActivity];
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
  readonly #monitor: Monitor<Heartbeat<Stream>>;
  readonly #onDead: HeartbeatOptions<Stream>['onDead'];
  readonly #signal: AbortSignal | undefined;

  constructor(socket: Stream, options: HeartbeatOptions<Stream>) {
    validateStream(socket);
    const checked = validateHeartbeatOptions(options);
    validateOpen(socket);
    super();
    const { onDead, signal } = checked;
    this.#onDead = onDead;
    this.#signal = signal;
    this.#monitor = new Monitor<Heartbeat<Stream>>(socket, checked, this, Heartbeat.#events);
    if (signal?.aborted) {
      this.#monitor.close();
      return;
    }
    try {
      if (signal !== undefined) abortListeners.add(signal, this);
      closeListeners.add(socket, this);
      this.#monitor.start();
    } catch (error) {
      // The stream or the signal cannot be watched: nothing of this stays on it.
      this.close();
      throw error;
    }
  }

  /** The stream that is watched. */
  get socket(): Stream {
    return this.#monitor.stream as Stream;
  }

  /** In milliseconds. */
  get interval(): number {
    return this.#monitor.interval;
  }

  /** In milliseconds; `null`: the peer is not expected to say anything. */
  get timeout(): number | null {
    const { timeout } = this.#monitor;
    return timeout === Number.POSITIVE_INFINITY ? null : timeout;
  }

  /**
   * Records that the peer gave a sign of life. The code that reads the protocol calls this for each message. It costs a few
   * nanoseconds.
   */
  recordActivity(): void {
    this.#monitor.recordActivity();
  }

  /** The older name of {@link recordActivity}. */
  beat(): void {
    this.#monitor.recordActivity();
  }

  /**
   * Records that the peer answered a ping, which is a sign of life too: for protocols whose peers say other
   * things as well. From the first call on, nothing else is taken for an answer.
   */
  answer(): void {
    this.#monitor.recordAnswer();
  }

  /** For how long no sign of life came, in milliseconds, when this was last looked at: up to an eighth of `interval` ago. */
  get silence(): number {
    return this.#monitor.silence;
  }

  /** The last round-trip time that was measured, in milliseconds; `null`: none yet. */
  get rtt(): number | null {
    return this.#monitor.pinger?.rtt ?? null;
  }

  /** Pings that were sent. */
  get pings(): number {
    return this.#monitor.pinger?.sent ?? 0;
  }

  /** How often a ping was due and was not sent, since data before it was still waiting to be sent. */
  get skippedPings(): number {
    return this.#monitor.pinger?.skipped ?? 0;
  }

  /** Whether it is over: by `close()`, a verdict, or with its socket. */
  get closed(): boolean {
    return this.#monitor.isClosed;
  }

  /** Keeps the process from ending as long as the heartbeat is open. */
  ref(): this {
    this.#monitor.setRef(true);
    return this;
  }

  /** Does not keep the process from ending, as is the case at first. */
  unref(): this {
    this.#monitor.setRef(false);
    return this;
  }

  /** Ends the heartbeat, and leaves the socket alone. No event comes after it. */
  close(): void {
    if (this.closed) return;
    this.#monitor.close();
    closeListeners.delete(this.socket, this);
    if (this.#signal !== undefined) abortListeners.delete(this.#signal, this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // Signs of life are so many that they are reported only from the first listener on. All ways to listen come down to these.
  static {
    for (const name of ['on', 'addListener', 'prependListener'] as const) {
      const original = EventEmitter.prototype[name];
      Object.defineProperty(Heartbeat.prototype, name, {
        value(this: Heartbeat, event: string, listener: () => void) {
          if (event === 'activity' || event === 'beat') this.#monitor.listen();
          return Reflect.apply(original, this, [event, listener]);
        },
        configurable: true,
        writable: true,
      });
    }
  }

  /** Makes events of what monitors report, and ends the socket of a dead peer. */
  // biome-ignore lint/suspicious/noExplicitAny: each is called with the stream that it was given for
  static readonly #events: MonitorEvents<Heartbeat<any>> = {
    onActivity(heartbeat, rtt) {
      uninterrupted(() => heartbeat.emit('beat', { rtt }));
      // A listener may have closed it.
      if (!heartbeat.closed) uninterrupted(() => heartbeat.emit('activity', { rtt }));
    },

    onLate(heartbeat, silence, unansweredPings) {
      uninterrupted(() => heartbeat.emit('late', { silence, unansweredPings }));
    },

    onDead(heartbeat, death) {
      const { socket } = heartbeat;
      heartbeat.close();
      uninterrupted(() => heartbeat.emit('dead', death));
      const onDead = heartbeat.#onDead;
      if (onDead === undefined) {
        resetAndDestroy(socket, new HeartbeatTimeoutError(death));
      } else {
        callAndCatch(
          'onDead',
          () => onDead(death, socket),
          (error) => resetAfterFailure(socket, heartbeat.#unreported(error)),
        );
      }
    },

    onFailed(heartbeat, error) {
      const { socket } = heartbeat;
      // What fails because the socket or the heartbeat is closed is no news.
      if (heartbeat.closed || socket.destroyed) return;
      heartbeat.close();
      // Not at once: a chunk that the stream has just got would be lost before it is read.
      process.nextTick(() => socket.destroy(heartbeat.#unreported(error)));
    },

    onGone(heartbeat) {
      heartbeat.close();
    },
  };

  /** Reports an error to the listeners of the heartbeat. Returns it if there are none: then the socket reports it. */
  #unreported(error: Error): Error | undefined {
    if (this.listenerCount('error') === 0) return error;
    uninterrupted(() => this.emit('error', error));
    return undefined;
  }
}
