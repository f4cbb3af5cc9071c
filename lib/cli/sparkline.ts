// A row of small bars, one for each value.

/** From the lowest bar to the highest. */
export const BARS = { unicode: '▁▂▃▄▅▆▇█', ascii: '_.:-=+*#' } as const;

/** The values with one more, and without the oldest where that makes more than `most`. */
export function remember<Value>(values: readonly Value[], value: Value, most: number): Value[] {
  return [...values, value].slice(-most);
}

/**
 * The last `width` values as bars, the newest at the right; a blank where there was none. The
 * smallest of them has the lowest bar; the highest is for the largest, but for at least twice the
 * smallest, so that what hardly changes looks like it.
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
    // All of them 0: no height to share out.
    const share = high > low ? (value - low) / (high - low) : 0;
    return bars[Math.min(bars.length - 1, Math.floor(share * bars.length))];
  };
  return last
    .map((value) => (value === null ? ' ' : bar(value)))
    .join('')
    .padStart(width);
}
