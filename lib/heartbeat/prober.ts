// Finds out whether the system of a peer answers that the program cannot hear: looks at TCP_INFO, and has Linux probe the peer by
// keepalive if nothing else is waiting for an answer.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { builtins } from '../core/builtins';
import { TICK } from '../core/schedule';
import { getKeepAlive, getOption, type KeepAlive, setKeepAlive, setOptions } from '../index';
import { awaitedOf, type Evidence, systemSilenceOf } from './classify';
import { lateAfter, type Rhythm } from './rhythm';

/** How often a silent peer is probed before its timeout, about. The path may lose some. */
const PROBES = 6;

/**
 * The shortest time between two probes, in milliseconds. Linux does not answer a second probe within half a second:
 * net.ipv4.tcp_invalid_ratelimit.
 */
const SHORTEST_INTERVAL = 600;

/** The shortest initial delay of keepalive on Linux, in milliseconds. */
const SHORTEST_DELAY = 1_000;

/** Milliseconds by which an answer may take longer than the kernel expects. */
const ANSWER_SLACK = 2 * TICK;

export class Prober {
  /** Time between two probes, in milliseconds. */
  readonly #interval: number;
  readonly #timeout: number;
  readonly #stream: Duplex;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #probedAt = Number.NEGATIVE_INFINITY;
  /** Since when an answer of the peer's system is known to be awaited. Infinity: none is. */
  #awaitedSince = Number.POSITIVE_INFINITY;
  /** Keepalive as the program has set it. `undefined`: it is not changed. */
  #before: KeepAlive | undefined;
  #probes = 0;

  constructor(stream: Duplex, rhythm: Rhythm) {
    this.#stream = stream;
    this.#timeout = rhythm.timeout;
    const untilTimeout = rhythm.timeout - lateAfter(rhythm);
    this.#interval = Math.max(SHORTEST_INTERVAL, untilTimeout / (PROBES + 1));
  }

  isDue(): boolean {
    return performance.now() >= this.#lookedAt + this.#interval;
  }

  /** Whether keepalive is switched on to probe the peer. */
  get isProbing(): boolean {
    return this.#before !== undefined;
  }

  /** Notes what a look shows. */
  note(evidence: Evidence): void {
    const now = performance.now();
    this.#lookedAt = now;
    if (systemSilenceOf(evidence) < now - this.#awaitedSince) {
      this.#awaitedSince = Number.POSITIVE_INFINITY;
    }
    if (awaitedOf(evidence) > 0) this.#awaitedSince = Math.min(this.#awaitedSince, now);
  }

  /** Returns the time left for the answer to the last probe or to data, in milliseconds. 0 or less: the time is over. */
  timeLeftToAnswer(roundTrip: number): number {
    const now = performance.now();
    const since = Math.max(Math.min(this.#awaitedSince, now), this.#probedAt);
    return roundTrip + ANSWER_SLACK - (now - since);
  }

  /** Returns the time until a look shows more, in milliseconds: the answer to the last probe, or the next probe. */
  timeToNextLook(roundTrip: number): number {
    const timeLeft = this.timeLeftToAnswer(roundTrip);
    const untilProbe = this.#probedAt + this.#interval - performance.now();
    return Math.max(timeLeft > 0 ? timeLeft : untilProbe, TICK);
  }

  /** Probes at once, if the peer's system has been silent for a second, and the last probe is old enough. */
  probe(): void {
    const stream = this.#stream;
    const now = performance.now();
    if (now < this.#probedAt + this.#interval) return;
    this.#probedAt = now;
    if (process.platform !== 'linux' || !(stream instanceof builtins.net.Socket)) return;
    try {
      if (this.#before === undefined) {
        const keepAlive = getKeepAlive(stream);
        if (!this.#mayProbe(stream, keepAlive)) return;
        this.#before = keepAlive;
        // Before the delay: only then does the delay take effect at once.
        setKeepAlive(stream, true);
      }
      // One more would end the connection, if none was answered: net/ipv4/tcp_timer.c, tcp_keepalive_timer().
      if (this.#probes++ >= (this.#before.count as number)) return;
      // net/ipv4/tcp.c, tcp_sock_set_keepidle_locked()
      setOptions(stream, { keepAliveInitialDelay: SHORTEST_DELAY });
    } catch {
      // Without the addon, or if the kernel has closed the connection, there is nothing to probe.
    }
  }

  /** Not if the program's own keepalive probes three times in time. With a user timeout, the second probe ends the connection. */
  #mayProbe(socket: Socket, { enable, initialDelay, interval, count }: KeepAlive): boolean {
    if (initialDelay === null || interval === null || count === null) return false;
    if (enable && initialDelay + 2 * interval < this.#timeout) return false;
    return !hasUserTimeout(socket);
  }

  /** Restores the program's keepalive, unless the program has changed it meanwhile. */
  restore(): void {
    const before = this.#before;
    const socket = this.#stream as Socket;
    this.#before = undefined;
    if (before === undefined || socket.destroyed) return;
    try {
      const { enable, initialDelay } = getKeepAlive(socket);
      if (enable && initialDelay === SHORTEST_DELAY) {
        setKeepAlive(socket, {
          enable: before.enable,
          initialDelay: before.initialDelay as number,
        });
      }
    } catch {
      // The kernel has closed the connection meanwhile.
    }
  }
}

function hasUserTimeout(socket: Socket): boolean {
  try {
    return getOption(socket, 'userTimeout') > 0;
  } catch {
    // MPTCP has none.
    return false;
  }
}
