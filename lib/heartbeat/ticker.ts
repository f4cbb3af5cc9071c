// One timer for everything that is looked at again and again in this thread: a timing wheel.

/** How far apart the ticks are, in milliseconds. */
export const TICK = 20;

/** A power of two. A revolution of the wheel takes 10 s. */
const SLOTS = 512;
const LAST_SLOT = SLOTS - 1;

/** A place in a list, which closes to a ring. */
class Link {
  next: Link = this;
  previous: Link = this;

  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
  }

  /** As the last one of the ring that `head` stands for. */
  linkBefore(head: Link): void {
    this.previous = head.previous;
    this.next = head;
    head.previous.next = this;
    head.previous = this;
  }

  /** All that is in another ring, into this one, which is empty. */
  takeFrom(head: Link): void {
    this.linkBefore(head);
    head.unlink();
  }

  get isAlone(): boolean {
    return this.next === this;
  }
}

/** What is looked at every few ticks, from `start` to `stop`. */
export abstract class Entry extends Link {
  /** In ticks. */
  period = 1;
  /** The remainder of its ticks by its period: kept, so that a late tick gathers nobody in one place. */
  phase = 0;
  /** The tick of its next look. */
  due = 0;

  /** `tick`: the number of this one. What it throws is thrown when all have been looked at. */
  abstract look(tick: number): void;
}

/** Spreads any number of phases evenly, and beside its square also over two dimensions: 1 / plastic ratio. */
const SPREAD = 0.7548776662466927;

class Ticker {
  readonly #slots = Array.from({ length: SLOTS }, () => new Link());
  readonly #run = (): void => this.#tick();
  #entries = 0;
  /** Of them, those that keep the process from ending. */
  #held = 0;
  /** The last phase, as a fraction of a period. */
  #spread = 0;
  /** The last tick that has been. */
  #last = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The tick that the timer waits for. */
  #awaited = 0;
  #isTicking = false;

  /** Has an entry looked at once in each of its periods. Returns the number of this tick. */
  start(entry: Entry): number {
    const tick = tickAt(performance.now());
    if (this.#entries === 0) this.#last = tick;
    this.#entries++;
    this.#spread = (this.#spread + SPREAD) % 1;
    entry.phase = Math.floor(this.#spread * entry.period);
    this.#place(entry, Math.max(tick, this.#last));
    if (!this.#isTicking) this.#await(entry.due);
    return tick;
  }

  /** Has an entry looked at once more before its next look, after so many ticks. */
  hurry(entry: Entry, ticks: number): void {
    const due = tickAt(performance.now()) + ticks;
    if (due >= entry.due) return;
    entry.unlink();
    entry.due = due;
    entry.linkBefore(this.#slots[due & LAST_SLOT] as Link);
    if (!this.#isTicking) this.#await(due);
  }

  stop(entry: Entry): void {
    if (entry.isAlone) return;
    entry.unlink();
    this.#entries--;
    if (this.#entries > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Whether one entry more, or one less, keeps the process from ending. */
  hold(isHeld: boolean): void {
    this.#held += isHeld ? 1 : -1;
    if (this.#held > 0) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** Puts an entry where its next look after `tick` is. */
  #place(entry: Entry, tick: number): void {
    const { period, phase } = entry;
    entry.due = tick + period - ((tick - phase + period) % period);
    entry.linkBefore(this.#slots[entry.due & LAST_SLOT] as Link);
  }

  #tick(): void {
    this.#timer = undefined;
    this.#isTicking = true;
    const tick = tickAt(performance.now());
    // Ticks that were missed have one look together.
    for (let at = Math.max(this.#last, tick - SLOTS) + 1; at <= tick; at++) {
      this.#lookAt(this.#slots[at & LAST_SLOT] as Link, tick);
    }
    this.#last = Math.max(this.#last, tick);
    this.#isTicking = false;
    if (this.#entries > 0) this.#await(this.#nextDue());
  }

  #lookAt(slot: Link, tick: number): void {
    if (slot.isAlone) return;
    // Apart, since a look may stop any entry, and entries come back to the slot.
    const ring = new Link();
    ring.takeFrom(slot);
    while (!ring.isAlone) {
      const entry = ring.next as Entry;
      entry.unlink();
      if (entry.due > tick) {
        entry.linkBefore(slot);
        continue;
      }
      this.#place(entry, tick);
      try {
        entry.look(tick);
      } catch (error) {
        throwLater(error);
      }
    }
  }

  /** The tick of the first entry; at most a revolution ahead. */
  #nextDue(): number {
    let tick = this.#last + 1;
    const end = this.#last + SLOTS;
    while (tick < end && (this.#slots[tick & LAST_SLOT] as Link).isAlone) tick++;
    return tick;
  }

  #await(tick: number): void {
    if (this.#timer !== undefined) {
      if (this.#awaited <= tick) return;
      clearTimeout(this.#timer);
    }
    this.#awaited = tick;
    const delay = Math.min(tick, this.#last + SLOTS) * TICK - performance.now();
    this.#timer = setTimeout(this.#run, Math.max(1, Math.ceil(delay)));
    if (this.#held === 0) this.#timer.unref();
  }
}

function tickAt(now: number): number {
  return Math.floor(now / TICK);
}

/** As anything that is thrown in a timer: uncaught, and after what else has to be done now. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

export const ticker = new Ticker();
