// What waits for a turn of the event loop: some items overtake the others.

/** First in, first out. */
class Queue<Item> {
  #items: Item[] = [];
  #next = 0;

  get length(): number {
    return this.#items.length - this.#next;
  }

  add(item: Item): void {
    this.#items.push(item);
  }

  /** Removes the oldest items, at most `count`, without a copy of the others: there may be a hundred thousand. */
  take(count: number): Item[] {
    const taken = this.#items.slice(this.#next, this.#next + count);
    this.#next += taken.length;
    if (this.length === 0) {
      this.#items = [];
      this.#next = 0;
    }
    return taken;
  }
}

export class Turns<Item> {
  readonly #urgent = new Queue<Item>();
  readonly #others = new Queue<Item>();

  get length(): number {
    return this.#urgent.length + this.#others.length;
  }

  add(item: Item, isUrgent: boolean): void {
    (isUrgent ? this.#urgent : this.#others).add(item);
  }

  /** Removes the items of the next turn, at most `count`: the urgent ones first, and of these the oldest. */
  take(count: number): Item[] {
    const taken = this.#urgent.take(count);
    taken.push(...this.#others.take(count - taken.length));
    return taken;
  }
}
