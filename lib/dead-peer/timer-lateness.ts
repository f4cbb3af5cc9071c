// How late a timer of Linux may fire. Plans for other systems assume the same.

/** The ticks per second with which Linux is built. */
const TICK_RATES = [100, 250, 300, 1_000];

/**
 * Returns how late a timer of Linux may fire, in milliseconds: by up to an eighth. The timer wheel has 64 slots for each
 * granularity, and each further level is eight times coarser.
 * @see kernel/time/timer.c
 */
export function timerLateness(duration: number): number {
  if (duration === Number.POSITIVE_INFINITY) return 0;
  const granularities = TICK_RATES.map((rate) => {
    let granularity = 1000 / rate;
    while (duration >= 63 * granularity) granularity *= 8;
    return granularity;
  });
  return Math.ceil(Math.max(...granularities));
}

/** Returns the time after which a timer has fired, however late it is. */
export function latest(duration: number): number {
  return duration + timerLateness(duration);
}

/** The greatest lateness, as a factor: from 63 slots on, they are 8 times coarser. */
const LATEST = 1.13;

/** Returns a duration whose timer fires within a time, however late it is. */
export function surelyWithin(time: number): number {
  return time / LATEST;
}
