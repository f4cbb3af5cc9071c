// The pings of one heartbeat: when the next one is due, how many left, and how long an answer took. The monitor decides
// whether a ping leaves.

import type { Duplex } from 'node:stream';
import { TICK } from '../core/schedule';
import { callAndCatch } from './callbacks';

/** A protocol's ping: what is written, or what writes it. A promise that it returns is rejected if no ping left. */
export type Send = Buffer | ((stream: Duplex) => unknown);

/** A timer fires so many milliseconds late even in an idle process. */
const TIMER_LATENESS = 1;

/** An answer may take so many milliseconds longer than the last one. */
const ANSWER_SLACK = 2 * TICK;

/** Times are those of `performance.now()`; `undefined`: there was no such ping. */
export class Pinger {
  /** When the next ping is due. In the past: it waits until it can leave. */
  dueAt: number;
  sent = 0;
  skipped = 0;
  /** A ping waits until earlier data has left. */
  isBlocked = false;
  /** The last round-trip time. `null`: none was measured. */
  rtt: number | null = null;
  #hasNewRtt = false;
  readonly #send: Send;
  readonly #interval: number;
  readonly #grid: number;
  #lastAt: number | undefined;
  #lastButOneAt: number | undefined;
  /** The first ping that was not answered. */
  #unansweredAt: number | undefined;
  /** The first ping of this silence. */
  #askedAt: number | undefined;
  /** Counts from before this silence. */
  #sentBefore = 0;
  #skippedBefore = 0;

  /** @param grid Pings leave at multiples of this, so that one wake-up serves many. */
  constructor(send: Send, interval: number, grid: number) {
    this.#send = send;
    this.#interval = interval;
    this.#grid = grid;
    // Heartbeats that begin together do not ping together: the first ping is up to half an interval early.
    const now = performance.now();
    const latest = this.#onGrid(now + interval - TIMER_LATENESS);
    this.dueAt = latest - this.#onGrid(Math.random() * (latest - now - interval / 2));
  }

  /**
   * The next ping leaves `early` milliseconds before the interval is over or later. `fail` gets the error of a ping that could
   * not be sent, which does not count.
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

  /** A ping is due, and would only join the queue of the stream. */
  skip(): void {
    if (!this.isBlocked) this.skipped++;
    this.isBlocked = true;
  }

  /** The peer answered, if it was asked. */
  measureAnswer(): void {
    if (this.#unansweredAt === undefined) return;
    this.rtt = performance.now() - this.#unansweredAt;
    this.#hasNewRtt = true;
    this.#unansweredAt = undefined;
  }

  /** The peer may have answered, at an unknown time. */
  forgetQuestion(): void {
    this.#unansweredAt = undefined;
  }

  /** The round-trip time, if it was measured since the last call. */
  takeNewRtt(): number | null {
    const rtt = this.#hasNewRtt ? this.rtt : null;
    this.#hasNewRtt = false;
    return rtt;
  }

  /** The peer gave a sign of life. */
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

  /** Milliseconds. Infinity: no ping waits for its answer. */
  get sinceFirstUnanswered(): number {
    return since(this.#unansweredAt);
  }

  get sinceLastButOne(): number {
    return since(this.#lastButOneAt);
  }

  /**
   * How long the first ping of this silence still has to be answered, in milliseconds.
   * @param roundTrip as the kernel knows it. If the last answer took longer, that counts.
   */
  timeLeftToAnswer(roundTrip: number): number {
    return Math.max(roundTrip, this.rtt ?? 0) + ANSWER_SLACK - since(this.#askedAt);
  }

  #nextDueAt(now: number, early: number): number {
    const period = this.#onGrid(this.#interval);
    if (now < this.dueAt + early) return this.dueAt + period;
    // Pings that were late together do not leave together again.
    return this.#onGrid(now) + period - this.#onGrid(Math.random() * early);
  }

  #onGrid(time: number): number {
    return Math.floor(time / this.#grid) * this.#grid;
  }
}

function since(time: number | undefined): number {
  return time === undefined ? Number.POSITIVE_INFINITY : performance.now() - time;
}
