// Percentiles of the round-trip times of open connections. Times are counted in buckets, so that one can be removed when its
// connection changes or closes. Each bucket is 5 % above the one before.

/** In milliseconds: below the resolution of the kernel's times. */
const SMALLEST = 0.001;
/** The ratio of two bounds. A percentile is exact within half of it. */
const RATIO = 1.05;
const BUCKETS = 400;
const SCALE = 1 / Math.log(RATIO);

export class PercentileCounts {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  /** Returns the bucket of a time in milliseconds; -1 for NaN. */
  static bucketOf(time: number): number {
    if (Number.isNaN(time)) return -1;
    const bucket = Math.round(Math.log(Math.max(time, SMALLEST) / SMALLEST) * SCALE);
    return Math.min(bucket, BUCKETS - 1);
  }

  /** Adds a time to a bucket, or removes it. */
  change(bucket: number, by: 1 | -1): void {
    if (bucket < 0) return;
    this.#counts[bucket] = (this.#counts[bucket] as number) + by;
    this.#total += by;
  }

  /** Returns the time in milliseconds that `share` of the times do not exceed; `undefined` without times. */
  percentile(share: number): number | undefined {
    if (this.#total === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    let bucket = 0;
    for (; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= rank) break;
    }
    return SMALLEST * RATIO ** bucket;
  }
}
