// Schedules and sends the pings of one heartbeat, counts them, and measures their answers. The monitor decides whether a
// ping is sent or skipped.

import type { Duplex } from 'node:stream';
import { TICK } from '../core/schedule';
import { callAndCatch } from './callbacks';

/** A protocol's ping: the bytes, or a function that sends it. The function throws or rejects if it sent none. */
export type Send = Buffer | ((stream: Duplex) => unknown);

/** Milliseconds by which a timer is late even in an idle process. */
const TIMER_LATENESS = 1;

/** Milliseconds by which an answer may take longer than the last one. */
const ANSWER_SLACK = 2 * TICK;

/** Times are those of `performance.now()`. `undefined`: there is no such ping. */
export class Pinger {
  /** Time of the next ping. In the past: the ping is overdue, because it cannot be sent yet. */
  dueAt: number;
  sent = 0;
  skipped = 0;
  /** A due ping waits until earlier data is sent. */
  isBlocked = false;
  /** The last round-trip time in milliseconds. `null`: none was measured. */
  rtt: number | null = null;
  #hasNewRtt = false;
  readonly #send: Send;
  readonly #interval: number;
  readonly #grid: number;
  #lastAt: number | undefined;
  #lastButOneAt: number | undefined;
  /** Time of the first unanswered ping. */
  #unansweredAt: number | undefined;
  /** Time of the first ping of this silence. */
  #askedAt: number | undefined;
  /** The counts when this silence began. */
  #sentBefore = 0;
  #skippedBefore = 0;

  /** @param grid Pings leave at multiples of this, so that one wake-up sends many. */
  constructor(send: Send, interval: number, grid: number) {
    this.#send = send;
    this.#interval = interval;
    this.#grid = grid;
    // Random, up to half an interval early: heartbeats that start together must not ping together.
    const now = performance.now();
    const latest = this.#onGrid(now + interval - TIMER_LATENESS);
    this.dueAt = latest - this.#onGrid(Math.random() * (latest - now - interval / 2));
  }

  /**
   * Sends a ping. The next one is due at most `early` milliseconds before the interval is over. `fail` receives the error
   * of a ping that could not be sent. That ping does not count.
   */
  ping(stream: Duplex, early: number, fail: (error: Error) => void): void {
    const now = performance.now();
    this.dueAt = this.#nextDueAt(now, early);
    this.isBlocked = false;
    this.sent++;
    this.#lastButOneAt = this.#lastAt;
    this.#lastAt = now;
    this.#unansweredAt ??= now;
    this.#askedAt ??= now;
    const send = this.#send;
    callAndCatch(
      'send',
      // A copy for each write: the stream may change it.
      () => (typeof send === 'function' ? send(stream) : void stream.write(Buffer.from(send))),
      (error) => {
        this.sent--;
        fail(error);
      },
    );
  }

  /** Records that a due ping was not sent, because it would wait in the stream's queue. */
  skip(): void {
    if (!this.isBlocked) this.skipped++;
    this.isBlocked = true;
  }

  /** Measures the round-trip time, if a ping is unanswered. */
  measureAnswer(): void {
    if (this.#unansweredAt === undefined) return;
    this.rtt = performance.now() - this.#unansweredAt;
    this.#hasNewRtt = true;
    this.#unansweredAt = undefined;
  }

  /** Discards the measurement: the peer may have answered at an unknown time. */
  forgetQuestion(): void {
    this.#unansweredAt = undefined;
  }

  /** Returns the round-trip time, or `null` if none was measured since the last call. */
  takeNewRtt(): number | null {
    const rtt = this.#hasNewRtt ? this.rtt : null;
    this.#hasNewRtt = false;
    return rtt;
  }

  /** Starts a new silence, at a sign of life. */
  endSilence(): void {
    this.#askedAt = undefined;
    this.#sentBefore = this.sent;
    this.#skippedBefore = this.skipped - (this.isBlocked ? 1 : 0);
  }

  get sentInSilence(): number {
    return this.sent - this.#sentBefore;
  }

  get skippedInSilence(): number {
    return this.skipped - this.#skippedBefore;
  }

  /** Milliseconds. Infinity: no ping is unanswered. */
  get sinceFirstUnanswered(): number {
    return since(this.#unansweredAt);
  }

  get sinceLastButOne(): number {
    return since(this.#lastButOneAt);
  }

  /**
   * Returns the time left for the answer to the first ping of this silence, in milliseconds.
   * @param roundTrip The kernel's estimate. The last `rtt` counts instead if it is longer.
   */
  timeLeftToAnswer(roundTrip: number): number {
    return Math.max(roundTrip, this.rtt ?? 0) + ANSWER_SLACK - since(this.#askedAt);
  }

  #nextDueAt(now: number, early: number): number {
    const period = this.#onGrid(this.#interval);
    if (now < this.dueAt + early) return this.dueAt + period;
    // Random: pings that were late together must not stay together.
    return this.#onGrid(now) + period - this.#onGrid(Math.random() * early);
  }

  #onGrid(time: number): number {
    return Math.floor(time / this.#grid) * this.#grid;
  }
}

function since(time: number | undefined): number {
  return time === undefined ? Number.POSITIVE_INFINITY : performance.now() - time;
}
