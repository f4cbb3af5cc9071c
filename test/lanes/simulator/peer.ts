// The model of the peer's end: it acknowledges, closes its window, writes and probes on its own.

import type { Answer, Segment } from './path';
import { ANSWER_PACE } from './sender';

/** How the peer behaves. Times are in milliseconds; Infinity: never. */
export interface PeerBehaviour {
  /** How long it waits with an acknowledgement of a single segment. */
  readonly delayedAck: number;
  /** Between two units of data that it writes. */
  readonly writeInterval: number;
  readonly keepAliveInterval: number;
  /** From when to when its program reads nothing, and how much its window takes. */
  readonly closedFrom: number;
  readonly closedTo: number;
  readonly room: number;
}

const NONE: readonly number[] = [];
/** The most units in flight. */
const MOST_UNITS = 10;

export class Peer {
  now = 0;
  #received = 1;
  /** What arrived after a hole, as pairs of sequence numbers in order. */
  #blocks: readonly number[] = NONE;
  /** The end of the window. It never moves back. */
  #edge: number;
  #isReading = true;
  #echo = 0;
  #seen = 0;
  #probeAnsweredAt = Number.NEGATIVE_INFINITY;
  // Its own data.
  #next = 0;
  #acked = 0;
  #rto: number;
  #ackAt = Number.POSITIVE_INFINITY;
  #writeAt: number;
  #keepAliveAt: number;
  #sendAgainAt = Number.POSITIVE_INFINITY;
  #windowAt: number;

  constructor(
    private readonly behaviour: PeerBehaviour,
    start: number,
    private readonly roundTrip: number,
    private readonly send: (answer: Answer) => void,
  ) {
    this.#rto = 200 + roundTrip;
    this.#writeAt = start + behaviour.writeInterval;
    this.#keepAliveAt = start + behaviour.keepAliveInterval;
    this.#windowAt = behaviour.closedFrom;
    this.#edge = this.#received + behaviour.room;
  }

  get nextAt(): number {
    const sooner = Math.min(this.#ackAt, this.#writeAt, this.#keepAliveAt);
    return Math.min(sooner, this.#sendAgainAt, this.#windowAt);
  }

  onTimer(): void {
    const { now, behaviour } = this;
    if (now >= this.#ackAt) this.#answer('ack');
    else if (now >= this.#windowAt) this.#changeWindow();
    else if (now >= this.#writeAt) {
      this.#writeAt = now + behaviour.writeInterval;
      if (this.#next - this.#acked >= MOST_UNITS) return;
      if (this.#next === this.#acked) this.#sendAgainAt = now + this.#rto;
      this.#answer('data', this.#next++);
    } else if (now >= this.#sendAgainAt) {
      this.#rto = Math.min(2 * this.#rto, 120_000);
      this.#sendAgainAt = now + this.#rto;
      this.#answer('data', this.#acked);
    } else {
      this.#keepAliveAt = now + behaviour.keepAliveInterval;
      // A peer that has just received data is not idle.
      if (this.#ackAt === Number.POSITIVE_INFINITY) this.#answer('keepalive');
    }
  }

  #changeWindow(): void {
    const { closedTo } = this.behaviour;
    this.#isReading = !this.#isReading;
    this.#windowAt = this.#isReading ? Number.POSITIVE_INFINITY : closedTo;
    if (this.#isReading) this.#answer('ack');
  }

  receive({ kind, seq, end, sentAt, attempt, acked }: Segment): void {
    if (attempt > this.#seen) this.#seen = attempt;
    if (acked > this.#acked) this.#onAcked(acked);
    if (kind === 'ack') return;
    if (kind === 'probe') {
      if (this.now < this.#probeAnsweredAt + ANSWER_PACE) return;
      this.#probeAnsweredAt = this.now;
      this.#answer('ack');
      return;
    }
    const isInOrder = seq <= this.#received && end > this.#received;
    if (end > this.#edge || !isInOrder || this.#blocks.length > 0) {
      this.#echo = sentAt;
      if (end <= this.#edge && end > this.#received) this.#store(seq, end);
      this.#answer('ack');
      return;
    }
    this.#received = end;
    if (this.#ackAt === Number.POSITIVE_INFINITY && this.behaviour.delayedAck > 0) {
      this.#echo = sentAt;
      this.#ackAt = this.now + this.behaviour.delayedAck;
      return;
    }
    this.#echo = Math.max(this.#echo, sentAt);
    this.#answer('ack');
  }

  #onAcked(acked: number): void {
    this.#acked = acked;
    this.#rto = 200 + this.roundTrip;
    const isDone = acked === this.#next;
    this.#sendAgainAt = isDone ? Number.POSITIVE_INFINITY : this.now + this.#rto;
  }

  /** Notes data that may come after a hole. */
  #store(seq: number, end: number): void {
    const merged: number[] = [];
    let from = seq;
    let to = end;
    for (let at = 0; at < this.#blocks.length; at += 2) {
      const low = this.#blocks[at] as number;
      const high = this.#blocks[at + 1] as number;
      if (high < from || low > to) merged.push(low, high);
      else {
        from = Math.min(from, low);
        to = Math.max(to, high);
      }
    }
    if (from <= this.#received) this.#received = to;
    else merged.push(from, to);
    this.#blocks = merged.length === 0 ? NONE : merged;
  }

  #answer(kind: Answer['kind'], unit = 0): void {
    this.#ackAt = Number.POSITIVE_INFINITY;
    if (this.#isReading) this.#edge = this.#received + this.behaviour.room;
    this.send({
      kind,
      ack: this.#received,
      window: this.#edge - this.#received,
      blocks: this.#blocks,
      echo: this.#echo,
      seen: this.#seen,
      unit,
    });
  }
}
