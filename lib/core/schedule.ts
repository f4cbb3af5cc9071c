// Runs entries when they are due, by one timer for all entries of a schedule. Keeps a clock without the time in which the
// event loop was blocked.

import { DueQueue, type QueueEntry } from './due-queue';
import { throwUncaught } from './throw-uncaught';

/** In milliseconds. The timer fires at multiples of this, so that one wake-up runs many entries. */
export const TICK = 20;

/** In milliseconds. The longest time between two wake-ups: a wake-up detects that the process was stopped. */
const LONGEST_PACE = 512 * TICK;

/** Number of schedules per power of two. */
const CLASSES = 4;

/** Number of entries that run in one wake-up. The event loop reads its sockets before the next batch runs. */
const BATCH = 256;

/** Time between two batches, in milliseconds. */
const BATCH_PAUSE = 4;

/** What a schedule runs. */
export abstract class ScheduleEntry implements QueueEntry {
  dueAt = 0;
  heapIndex = -1;
  /** Called once for each `Schedule.set()`. An error that it throws becomes an uncaught exception. */
  abstract onDue(): void;
}

/**
 * All times are whole milliseconds. `now` is `performance.now()` at the last wake-up. `awake` is the same clock without the
 * time in which this process could not run: of a late timer's delay, `awake` counts at most `allowance`.
 */
export class Schedule {
  now = 0;
  awake = 0;
  /** Upper bound of `awake` until the next wake-up. Reading it takes no system call. */
  latestAwake = 0;
  /** Longest time between two wake-ups. */
  readonly pace: number;
  readonly #allowance: number;
  readonly #queue = new DueQueue<ScheduleEntry>();
  readonly #onTimer = (): void => this.#wake();
  /** `now - awake`. */
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerDueAt = 0;
  #isRunning = false;
  /** Entries that keep the process running. */
  readonly #referenced = new Set<ScheduleEntry>();

  constructor(pace: number, allowance = pace) {
    this.pace = pace;
    this.#allowance = allowance;
  }

  /**
   * Returns the shared schedule whose times are exact to `resolution` + TICK: `latestAwake` is late by at most that.
   * Resolutions that differ by at most a fifth share one. The smallest resolution is one TICK.
   */
  static for(resolution: number): Schedule {
    const power = Math.floor(Math.log2(resolution / TICK / CLASSES));
    const unit = TICK * 2 ** Math.max(0, power);
    const rounded = Math.max(TICK, Math.floor(resolution / unit) * unit);
    const known = schedules.get(rounded);
    if (known !== undefined) return known;
    const half = Math.floor(rounded / 2 / TICK) * TICK;
    const pace = Math.min(LONGEST_PACE, Math.max(TICK, half));
    const schedule = new Schedule(pace, Math.min(rounded + TICK - pace, half + 2 * TICK));
    schedules.set(rounded, schedule);
    return schedule;
  }

  /** Returns the exact `awake` time, by a system call. For the start of an entry. */
  readAwake(): number {
    this.#readClockIfIdle();
    return Math.min(Math.ceil(performance.now()) - this.#lost, this.latestAwake);
  }

  /** Converts an `awake` time to a `now` time. It assumes that the event loop will not be blocked. */
  whenAwake(time: number): number {
    return time + this.#lost;
  }

  /** Runs an entry once, at `time` or up to a TICK later. A second call replaces the time. */
  set(entry: ScheduleEntry, time: number): void {
    this.#readClockIfIdle();
    const dueAt = Math.ceil(Math.max(time, this.now + 1) / TICK) * TICK;
    this.#queue.set(entry, dueAt);
    if (this.#timer === undefined || dueAt < this.#timerDueAt) this.#startTimer();
  }

  /** Does nothing if the entry is not set. */
  cancel(entry: ScheduleEntry): void {
    this.setRef(entry, false);
    this.#queue.delete(entry);
    if (this.#queue.first === undefined && !this.#isRunning) this.#stopTimer();
  }

  /** Sets whether this entry keeps the process running until it is cancelled. */
  setRef(entry: ScheduleEntry, isReferenced: boolean): void {
    if (isReferenced) this.#referenced.add(entry);
    else this.#referenced.delete(entry);
    if (this.#referenced.size > 0) this.#timer?.ref();
    else this.#timer?.unref();
  }

  #readClock(): void {
    this.now = Math.floor(performance.now());
    this.awake = this.now - this.#lost;
  }

  /** Without a timer, no wake-up updates the clocks. */
  #readClockIfIdle(): void {
    if (this.#timer !== undefined) return;
    this.#readClock();
    this.latestAwake = Number.POSITIVE_INFINITY;
  }

  #wake(): void {
    const lateBy = Math.floor(performance.now()) - this.#timerDueAt;
    this.#lost += Math.max(0, lateBy - this.#allowance);
    this.#readClock();
    this.#isRunning = true;
    for (let count = 0; count < BATCH; count++) {
      const entry = this.#queue.first;
      if (entry === undefined || entry.dueAt > this.now) break;
      this.#queue.delete(entry);
      try {
        entry.onDue();
      } catch (error) {
        throwUncaught(error);
      }
    }
    this.#isRunning = false;
    this.#startTimer();
  }

  #startTimer(): void {
    this.#stopTimer();
    const { first } = this.#queue;
    if (first === undefined) return;
    const isBehind = first.dueAt <= this.now;
    const paceEnd = Math.floor((this.now + this.pace) / TICK) * TICK;
    this.#timerDueAt = isBehind ? this.now + BATCH_PAUSE : Math.min(first.dueAt, paceEnd);
    this.latestAwake = this.#timerDueAt + this.#allowance - this.#lost;
    const delay = Math.ceil(this.#timerDueAt - performance.now());
    this.#timer = setTimeout(this.#onTimer, Math.max(1, delay));
    if (this.#referenced.size === 0) this.#timer.unref();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** The shared schedules, by rounded resolution. */
const schedules = new Map<number, Schedule>();
