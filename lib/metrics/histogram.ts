// A histogram with fixed bounds, as Prometheus has it.

export class Histogram {
  /** Upper bounds of the buckets, ascending. The last bucket has no bound. */
  readonly bounds: readonly number[];
  /** How many values are in each bucket: not cumulative. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  record(value: number): void {
    let bucket = 0;
    // A loop: there are at most 20 bounds.
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
  }
}
