// The path between the two ends: delay, loss, and what is dropped on the way.

import type { Random } from './random';

/** What the sender sends. `seq` to `end` is its data. */
export interface Segment {
  readonly kind: 'data' | 'probe' | 'ack';
  readonly seq: number;
  readonly end: number;
  readonly sentAt: number;
  /** The number of this attempt to get an answer, from 1; acknowledgements are no attempts. */
  readonly attempt: number;
  /** The units of the peer's data that have arrived. */
  readonly acked: number;
}

/** What the peer sends. */
export interface Answer {
  /** `'keepalive'`: the peer's own probe. `'data'`: a unit of its data. */
  readonly kind: 'ack' | 'data' | 'keepalive';
  readonly ack: number;
  readonly window: number;
  /** Data that arrived after a hole, as pairs of sequence numbers. */
  readonly blocks: readonly number[];
  /** When the sender sent the segment that this answers. */
  readonly echo: number;
  /** The last attempt that the peer had received. */
  readonly seen: number;
  /** The number of the unit of data. */
  readonly unit: number;
}

/** From one time to another nothing passes. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** One direction. Segments arrive in the order in which they were sent. */
export class Path<Packet> {
  /** When the next packet arrives. */
  nextAt = Number.POSITIVE_INFINITY;
  readonly #packets: Packet[] = [];
  readonly #arrivals: number[] = [];
  #first = 0;
  #latest = 0;

  constructor(
    private readonly random: Random,
    private readonly loss: number,
    private readonly jitter: number,
    private readonly outages: readonly Outage[],
  ) {}

  send(packet: Packet, now: number, delay: number): void {
    if (this.loss > 0 && this.random.chance(this.loss)) return;
    for (const { from, to } of this.outages) if (now >= from && now < to) return;
    const variation = this.jitter > 0 ? this.random.next() * this.jitter : 0;
    this.#latest = Math.max(this.#latest, now + delay + variation);
    this.#packets.push(packet);
    this.#arrivals.push(this.#latest);
    if (this.#packets.length === this.#first + 1) this.nextAt = this.#latest;
  }

  receive(): Packet {
    const packet = this.#packets[this.#first++] as Packet;
    if (this.#first === this.#packets.length) {
      this.#packets.length = 0;
      this.#arrivals.length = 0;
      this.#first = 0;
    }
    this.nextAt = this.#arrivals[this.#first] ?? Number.POSITIVE_INFINITY;
    return packet;
  }
}
