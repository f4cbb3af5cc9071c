// The segments in flight of the model: which arrived after a hole, which are thought to be lost, and how small ones are merged.

export const MSS = 1_448;

export interface Sent {
  readonly seq: number;
  end: number;
  sentAt: number;
  isSacked: boolean;
  isLost: boolean;
  isRetransmitted: boolean;
}

export class Flight {
  readonly #queue: Sent[] = [];
  /** The index of the oldest segment: removing each one from the front would be slow. */
  #first = 0;
  #sacked = 0;
  #lost = 0;
  #retransmitted = 0;

  get count(): number {
    return this.#queue.length - this.#first;
  }

  get hasHoles(): boolean {
    return this.#sacked > 0;
  }

  /** Segments that are thought to be on the way: tcp_packets_in_flight(). */
  get onTheWay(): number {
    return this.count - this.#sacked - this.#lost + this.#retransmitted;
  }

  get oldest(): Sent {
    return this.#queue[this.#first] as Sent;
  }

  get newest(): Sent {
    return this.#queue.at(-1) as Sent;
  }

  add(seq: number, end: number, sentAt: number): void {
    const flags = { isSacked: false, isLost: false, isRetransmitted: false };
    this.#queue.push({ seq, end, sentAt, ...flags });
  }

  /** Removes what is acknowledged. Returns how many segments that was. */
  acknowledge(ack: number): number {
    let count = 0;
    while (this.count > 0 && this.oldest.end <= ack) {
      this.#uncount(this.oldest);
      this.#first++;
      count++;
    }
    if (this.#first > 64) {
      this.#queue.splice(0, this.#first);
      this.#first = 0;
    }
    return count;
  }

  #uncount(sent: Sent): void {
    if (sent.isSacked) this.#sacked--;
    if (sent.isLost) this.#lost--;
    if (sent.isRetransmitted) this.#retransmitted--;
  }

  /** Notes data that arrived after a hole, as pairs of sequence numbers. */
  sack(blocks: readonly number[]): void {
    for (let index = this.#first; index < this.#queue.length; index++) {
      const sent = this.#queue[index] as Sent;
      if (sent.isSacked || !isWithin(sent, blocks)) continue;
      this.#uncount(sent);
      sent.isSacked = true;
      sent.isLost = false;
      sent.isRetransmitted = false;
      this.#sacked++;
    }
  }

  /** tcp_rack_mark_lost(): what was sent before a segment that arrived is lost. Returns whether there is such a segment. */
  findLost(deliveredAt: number): boolean {
    let isAnyLost = false;
    for (let index = this.#first; index < this.#queue.length; index++) {
      const sent = this.#queue[index] as Sent;
      if (sent.isSacked || sent.sentAt >= deliveredAt) continue;
      this.#uncount(sent);
      sent.isRetransmitted = false;
      sent.isLost = true;
      this.#lost++;
      isAnyLost = true;
    }
    return isAnyLost;
  }

  /** tcp_enter_loss(). */
  loseAll(): void {
    this.#lost = 0;
    this.#retransmitted = 0;
    for (let index = this.#first; index < this.#queue.length; index++) {
      const sent = this.#queue[index] as Sent;
      sent.isRetransmitted = false;
      sent.isLost = !sent.isSacked;
      if (sent.isLost) this.#lost++;
    }
  }

  /** Returns the oldest segment that must be sent again. */
  nextLost(): Sent | undefined {
    for (let index = this.#first; index < this.#queue.length; index++) {
      const sent = this.#queue[index] as Sent;
      if (sent.isLost && !sent.isRetransmitted) return sent;
    }
    return undefined;
  }

  noteRetransmission(sent: Sent, now: number): void {
    sent.sentAt = now;
    if (!sent.isLost || sent.isRetransmitted) return;
    sent.isRetransmitted = true;
    this.#retransmitted++;
  }

  /** Merges small segments that follow: tcp_retrans_try_collapse(). */
  collapse(sent: Sent): void {
    const index = this.#queue.indexOf(sent, this.#first);
    let merged = 0;
    while (true) {
      const following = this.#queue[index + 1 + merged];
      if (following === undefined || following.isSacked) break;
      if (following.end - sent.seq > MSS) break;
      this.#uncount(following);
      sent.end = following.end;
      merged++;
    }
    if (merged > 0) this.#queue.splice(index + 1, merged);
  }
}

function isWithin({ seq, end }: Sent, blocks: readonly number[]): boolean {
  for (let at = 0; at < blocks.length; at += 2) {
    if (seq >= (blocks[at] as number) && end <= (blocks[at + 1] as number)) return true;
  }
  return false;
}
