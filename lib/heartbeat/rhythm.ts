// The times of a heartbeat that follow from its interval and timeout. All are milliseconds.

import { Schedule, TICK } from '../core/schedule';

export interface Rhythm {
  readonly interval: number;
  /** Infinity: the peer is not expected to say anything. */
  readonly timeout: number;
}

/** In an interval, or in the time by which the timeout is longer. */
const STEPS = 8;

/** At so many points between two wake-ups pings leave at the most: so one wake-up serves many. */
const PINGS_IN_PACE = 16;

/** How often a silence is looked at, and how much before the interval is over a ping may leave. */
export function stepOf({ interval, timeout }: Rhythm): number {
  return Math.min(interval, timeout - interval) / STEPS;
}

/** The silence that is longer than it should be. */
export function lateAfter({ interval, timeout }: Rhythm): number {
  return (interval + timeout) / 2;
}

/** It times signs of life to a step. */
export function scheduleFor(rhythm: Rhythm): Schedule {
  return Schedule.for(stepOf(rhythm));
}

/** Pings leave at multiples of this. */
export function pingGridOf({ pace }: Schedule): number {
  return Math.max(TICK, Math.floor(pace / PINGS_IN_PACE / TICK) * TICK);
}
