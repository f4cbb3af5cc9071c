// Times derived from a heartbeat's interval and timeout. All are in milliseconds.

import { Schedule, TICK } from '../core/schedule';

export interface Rhythm {
  readonly interval: number;
  /** Infinity: this side only sends. */
  readonly timeout: number;
}

/** Number of steps in the interval, or in `timeout - interval` if that is less. */
const STEPS = 8;

/** Number of ping times between two wake-ups. Pings share these times, so one wake-up sends many. */
const PINGS_IN_PACE = 16;

/** Time between two checks of a silence. Also how early a ping may leave. */
export function stepOf({ interval, timeout }: Rhythm): number {
  return Math.min(interval, timeout - interval) / STEPS;
}

/** Silence after which the peer is late. */
export function lateAfter({ interval, timeout }: Rhythm): number {
  return (interval + timeout) / 2;
}

/** Returns the schedule that measures signs of life exactly to one step. */
export function scheduleFor(rhythm: Rhythm): Schedule {
  return Schedule.for(stepOf(rhythm));
}

/** Pings leave at multiples of this time. */
export function pingGridOf({ pace }: Schedule): number {
  return Math.max(TICK, Math.floor(pace / PINGS_IN_PACE / TICK) * TICK);
}
