// Heartbeat: emits the events, and ends the socket of a dead peer. monitor.ts decides when a peer is dead.

import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { channels, publish } from '../core/channels';
import { callAndCatch, resetAfterFailure, uninterrupted } from './callbacks';
import { resetAndDestroy } from './kernel';
import { Monitor } from './monitor';
import type { MonitorEvents } from './monitor-events';
import {
  type HeartbeatOptions,
  validateHeartbeatOptions,
  validateOpen,
  validateStream,
} from './options';
import type { PeerDeath } from './peer-death';
import { abortListeners, closeListeners } from './shared-listeners';
import { HeartbeatTimeoutError } from './timeout-error';

/** A sign of life of the peer: the argument of the event `'activity'`. */
export interface HeartbeatActivity {
  /**
   * Time from a ping until its answer was read, in milliseconds. It includes the time that both programs took.
   * `null` if no answer came.
   */
  readonly rtt: number | null;
}

/** A silence longer than the mean of `interval` and `timeout`: the argument of the event `'late'`. */
export interface HeartbeatLateness {
  /** Time since the last sign of life, in milliseconds. */
  readonly silence: number;
  /** Number of pings sent since then. The peer answered none. */
  readonly unansweredPings: number;
}

/** The message of the channel `socket-options:heartbeat:late`: a heartbeat has emitted `'late'`. */
export interface HeartbeatLateMessage extends HeartbeatLateness {
  /** The heartbeat that watches the stream. */
  readonly heartbeat: Heartbeat;
  /** The stream that is watched. */
  readonly socket: Duplex;
}

/** The message of the channel `socket-options:heartbeat:dead`: a heartbeat has declared its peer dead. */
export interface HeartbeatDeadMessage {
  /** The heartbeat that watched the stream. It is closed. */
  readonly heartbeat: Heartbeat;
  /** The stream of the dead peer. */
  readonly socket: Duplex;
  /** Time since the last sign of life, in milliseconds. */
  readonly silence: number;
  /** Why the peer was declared dead, and the last figures of the connection. */
  readonly death: PeerDeath;
}

/**
 * Sends the protocol's pings, watches for signs of life, and destroys the socket of a dead peer.
 *
 * A peer is dead when it gave no sign of life for `timeout`. Then `'dead'` is emitted, and the socket is reset
 * (`SO_LINGER` of 0), as the kernel does when keepalive fails. It is destroyed with a {@link HeartbeatTimeoutError} of
 * code `'ETIMEDOUT'`: add an `'error'` listener to the socket. `onDead` replaces the reset.
 *
 * While the program cannot hear its peer (the socket is paused or not read, or the peer has ended its side), the
 * answers of the peer's system count instead. On Linux keepalive probes ask for them. A connection that the kernel has
 * closed is dead: the error then has the kernel's code, `'ECONNRESET'` for example.
 *
 * Detected within min(`interval`, `timeout` − `interval`) / 8 + 60 ms after `timeout`. Time in which this process was
 * stopped or its event loop was blocked does not count. Received data is read before a peer is declared dead. If
 * answers take longer than `timeout` − `interval`, detection also waits until the first ping of the silence could have
 * been answered: for the kernel's round-trip time plus four times its variance, or for the last `rtt` if longer.
 *
 * If `send` or `isAlive` fails, the heartbeat is closed and the socket is destroyed with that error. A failure after
 * `close()` is ignored. An error thrown by a listener is an uncaught exception; the heartbeat goes on.
 *
 * A received message only stores a number. Heartbeats of a similar `interval` share one timer. A heartbeat does not
 * keep the process running, unless `ref()` is called. It ends with its socket.
 * @example
 * ```ts
 * new Heartbeat(socket, { interval: 10_000, timeout: 25_000, send: 'PING\r\n' }); // request and answer
 * new Heartbeat(socket, { interval: 10_000, timeout: 25_000 }); // the peer sends, this side only watches
 * new Heartbeat(socket, { interval: 10_000, timeout: null, send: 'PING\r\n' }); // this side only sends
 * ```
 * @systems Every system and runtime, any Duplex. On a `net.Socket` or `tls.TLSSocket` it reads `TCP_INFO` before it
 *   declares a peer dead, if the addon is available.
 * @see RFC 1122 section 4.2.3.6: keepalive does not show whether the peer's program is alive
 */
export class Heartbeat<Stream extends Duplex = Duplex> extends EventEmitter<{
  /** Emitted at most eight times per interval, after signs of life. */
  activity: [activity: HeartbeatActivity];
  /** Older name of `'activity'`. */
  beat: [activity: HeartbeatActivity];
  /** Emitted once per silence, when it exceeds (`interval` + `timeout`) / 2. */
  late: [lateness: HeartbeatLateness];
  /**
   * Emitted when the silence exceeds `timeout`, before `onDead` is called or the socket is destroyed. It is the last
   * event, unless `onDead` fails.
   */
  dead: [death: PeerDeath];
  /**
   * Emitted when `send`, `isAlive` or `onDead` threw, was rejected, or returned a wrong value. The socket is then
   * destroyed without an error. Without a listener the socket is destroyed with this error instead.
   */
  error: [error: Error];
}> {
  readonly #monitor: Monitor<Heartbeat<Stream>>;
  readonly #onDead: HeartbeatOptions<Stream>['onDead'];
  readonly #signal: AbortSignal | undefined;

  /**
   * Watches a stream: sends the protocol's pings, and destroys the socket of a dead peer. See {@link Heartbeat}.
   * @example
   * ```ts
   * new Heartbeat(socket, { interval: 10_000, timeout: 25_000, send: 'PING\r\n' });
   * ```
   * @param socket The open stream to watch: a `net.Socket`, a `tls.TLSSocket` or another Duplex.
   * @param options The times in milliseconds, and the protocol's ping.
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for an argument of the wrong type, `ERR_INVALID_ARG_VALUE` for a value
   *   that is not allowed or an unknown option.
   * @throws RangeError `ERR_OUT_OF_RANGE` for an `interval` or a `timeout` out of its range.
   * @throws SocketOptionError `ERR_SOCKET_CLOSED` if the socket is closed.
   */
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
      // The stream or the signal refused a listener. Remove the listeners again.
      this.close();
      throw error;
    }
  }

  /** The stream that is watched. */
  get socket(): Stream {
    return this.#monitor.stream as Stream;
  }

  /** The option `interval`, in milliseconds. */
  get interval(): number {
    return this.#monitor.interval;
  }

  /** The option `timeout`, in milliseconds. `null`: this side only sends. */
  get timeout(): number | null {
    const { timeout } = this.#monitor;
    return timeout === Number.POSITIVE_INFINITY ? null : timeout;
  }

  /**
   * Records a sign of life of the peer. Call it for each message that the protocol's parser reads. It takes a few
   * nanoseconds.
   */
  recordActivity(): void {
    this.#monitor.recordActivity();
  }

  /** Records a sign of life of the peer: the older name of {@link recordActivity}. */
  beat(): void {
    this.#monitor.recordActivity();
  }

  /**
   * Records that the peer answered a ping. An answer is a sign of life, too. After the first call, only these calls
   * count as answers. Use it if the peer also sends other messages: otherwise `rtt` is too short.
   */
  answer(): void {
    this.#monitor.recordAnswer();
  }

  /** Time since the last sign of life, at the last check, in milliseconds. That check was up to `interval` / 8 ago. */
  get silence(): number {
    return this.#monitor.silence;
  }

  /** The last measured round-trip time, in milliseconds. `null`: none yet. */
  get rtt(): number | null {
    return this.#monitor.pinger?.rtt ?? null;
  }

  /** Number of pings sent. */
  get pings(): number {
    return this.#monitor.pinger?.sent ?? 0;
  }

  /** Number of pings not sent because earlier data still waited to be sent. */
  get skippedPings(): number {
    return this.#monitor.pinger?.skipped ?? 0;
  }

  /** Whether the heartbeat has ended: by `close()`, `signal`, a dead peer, a failure, or with its socket. */
  get closed(): boolean {
    return this.#monitor.isClosed;
  }

  /**
   * Keeps the process running while the heartbeat is open.
   * @returns The heartbeat itself.
   */
  ref(): this {
    this.#monitor.setRef(true);
    return this;
  }

  /**
   * Lets the process end although the heartbeat is open. This is the default.
   * @returns The heartbeat itself.
   */
  unref(): this {
    this.#monitor.setRef(false);
    return this;
  }

  /** Ends the heartbeat, and leaves the socket open. No event is emitted after it. */
  close(): void {
    if (this.closed) return;
    this.#monitor.close();
    closeListeners.delete(this.socket, this);
    if (this.#signal !== undefined) abortListeners.delete(this.#signal, this);
  }

  /** Ends the heartbeat at the end of a `using` block, as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  // Signs of life are frequent, so they are reported only once there is a listener. `once()`, `events.once()` and
  // `events.on()` call these methods.
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

  /** Emits an event for each report of a monitor, and ends the socket of a dead peer. */
  // biome-ignore lint/suspicious/noExplicitAny: each is called with the heartbeat of its own stream
  static readonly #events: MonitorEvents<Heartbeat<any>> = {
    onActivity(heartbeat, rtt) {
      uninterrupted(() => heartbeat.emit('beat', { rtt }));
      // A listener may have closed it.
      if (!heartbeat.closed) uninterrupted(() => heartbeat.emit('activity', { rtt }));
    },

    onLate(heartbeat, silence, unansweredPings) {
      const { socket } = heartbeat;
      publish(
        channels.heartbeatLate,
        (): HeartbeatLateMessage => ({ heartbeat, socket, silence, unansweredPings }),
      );
      // A subscriber may have closed it.
      if (heartbeat.closed) return;
      uninterrupted(() => heartbeat.emit('late', { silence, unansweredPings }));
    },

    onDead(heartbeat, death) {
      const { socket } = heartbeat;
      heartbeat.close();
      publish(
        channels.heartbeatDead,
        (): HeartbeatDeadMessage => ({ heartbeat, socket, silence: death.silence, death }),
      );
      uninterrupted(() => heartbeat.emit('dead', death));
      const onDead = heartbeat.#onDead;
      if (onDead !== undefined) {
        callAndCatch(
          'onDead',
          () => onDead(death, socket),
          (error) => resetAfterFailure(socket, heartbeat.#unreported(error)),
        );
      }
      // The kernel's error was read, and the stream will not get it: see takeKernelError().
      if (onDead === undefined || death.state === 'CLOSED') {
        resetAndDestroy(socket, new HeartbeatTimeoutError(death));
      }
    },

    onFailed(heartbeat, error) {
      const { socket } = heartbeat;
      // Failures after the close are not reported.
      if (heartbeat.closed || socket.destroyed) return;
      heartbeat.close();
      // Deferred: otherwise the chunk that the stream has just received would be lost.
      process.nextTick(() => socket.destroy(heartbeat.#unreported(error)));
    },

    onGone(heartbeat) {
      heartbeat.close();
    },
  };

  /** Emits 'error'. Returns the error if there is no listener: then the socket must report it. */
  #unreported(error: Error): Error | undefined {
    if (this.listenerCount('error') === 0) return error;
    uninterrupted(() => this.emit('error', error));
    return undefined;
  }
}
