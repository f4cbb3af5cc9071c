// A row of small bars, one for each value.

/** From the lowest bar to the highest. */
export const BARS = { unicode: '▁▂▃▄▅▆▇█', ascii: '_.:-=+*#' } as const;

/** The values with one more at the end; the oldest are dropped beyond `limit`. */
export function appendBounded<Value>(
  values: readonly Value[],
  value: Value,
  limit: number,
): Value[] {
  return [...values, value].slice(-limit);
}

/**
 * The last `width` values as bars, the newest at the right; a blank for `null`. The smallest value has
 * the lowest bar. The highest bar is at least twice the smallest value, so that small changes look small.
 */
export function sparkline(
  values: readonly (number | null)[],
  width: number,
  bars: string = BARS.unicode,
): string {
  const last = values.slice(-width);
  const known = last.filter((value) => value !== null);
  const low = Math.min(...known);
  const high = Math.max(...known, 2 * low);
  const bar = (value: number) => {
    // If all values are 0, so is the height.
    const share = high > low ? (value - low) / (high - low) : 0;
    return bars[Math.min(bars.length - 1, Math.floor(share * bars.length))];
  };
  return last
    .map((value) => (value === null ? ' ' : bar(value)))
    .join('')
    .padStart(width);
}
