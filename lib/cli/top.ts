// Keeps the first items of a sequence in an order, without keeping the others.

/** Sorting at twice the limit costs less than a heap, and is simpler. */
const SLACK = 2;

export class Top<Item> {
  readonly #limit: number;
  readonly #compare: (a: Item, b: Item) => number;
  #items: Item[] = [];

  constructor(limit: number, compare: (a: Item, b: Item) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length >= SLACK * this.#limit) this.#cut();
  }

  /** How many items are kept now. */
  get size(): number {
    return this.#items.length;
  }

  /** The first items, in order. */
  sorted(): readonly Item[] {
    this.#cut();
    return this.#items;
  }

  /** The items in the sequence in which they came, if none was dropped. */
  unsorted(): readonly Item[] {
    return this.#items;
  }

  #cut(): void {
    this.#items.sort(this.#compare);
    if (this.#items.length > this.#limit) this.#items.length = this.#limit;
  }
}
