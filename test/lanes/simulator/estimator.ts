// The retransmission timeout of Linux and its timer wheel: net/ipv4/tcp_input.c, tcp_rtt_estimator(); kernel/time/timer.c.

/** TCP_RTO_MIN. */
export const RTO_MIN = 200;
/** One tick with HZ=250. */
export const JIFFY = 4;

export class RttEstimator {
  srtt = 0;
  rto = 1_000;
  #variation = 0;
  #largest = 0;
  /** Four times the mean deviation, as the kernel keeps it, and at least RTO_MIN. */
  #rttvar = 0;
  #roundEnd = 0;

  /** `una` and `next` are sequence numbers: the deviation shrinks once per round trip. */
  sample(rtt: number, una: number, next: number): void {
    if (this.srtt === 0) {
      this.srtt = rtt;
      this.#variation = 2 * rtt;
      this.#rttvar = Math.max(this.#variation, RTO_MIN);
      this.#largest = this.#rttvar;
      this.#roundEnd = next;
    } else {
      const error = rtt - this.srtt;
      this.srtt += error / 8;
      let change = Math.abs(error) - this.#variation / 4;
      if (error < 0 && change > 0) change /= 8;
      this.#variation += change;
      this.#largest = Math.max(this.#largest, this.#variation);
      this.#rttvar = Math.max(this.#rttvar, this.#largest);
      if (una > this.#roundEnd) {
        this.#rttvar -= Math.max(0, this.#rttvar - this.#largest) / 4;
        this.#roundEnd = next;
        this.#largest = RTO_MIN;
      }
    }
    this.rto = this.srtt + this.#rttvar;
  }
}

/** Returns when a timer fires that is set now for `duration`: the longer, the coarser its slots. */
export function fireTime(now: number, duration: number): number {
  const present = Math.floor(now / JIFFY);
  const ticks = Math.max(0, Math.ceil(duration / JIFFY));
  let step = 1;
  while (ticks >= 63 * step) step *= 8;
  return (Math.floor((present + ticks) / step) + 1) * step * JIFFY;
}
