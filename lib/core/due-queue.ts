// A priority queue by due time, as a binary heap. Adding, moving and removing an entry take logarithmic time.

/** Only the queue writes these fields. An entry can be in one queue at a time. */
export interface QueueEntry {
  dueAt: number;
  /** Index in the heap. -1: not in the queue. */
  heapIndex: number;
}

export class DueQueue<Entry extends QueueEntry> {
  /** The children of index `i` are at `2 * i + 1` and `2 * i + 2`. No child is due before its parent. */
  readonly #heap: Entry[] = [];

  /** The entry that is due first. */
  get first(): Entry | undefined {
    return this.#heap[0];
  }

  /** Adds an entry, or changes its due time. */
  set(entry: Entry, dueAt: number): void {
    entry.dueAt = dueAt;
    if (entry.heapIndex < 0) entry.heapIndex = this.#heap.push(entry) - 1;
    this.#moveUp(entry);
    this.#moveDown(entry);
  }

  /** Does nothing if the entry is not in the queue. */
  delete(entry: Entry): void {
    if (entry.heapIndex < 0) return;
    const last = this.#heap[this.#heap.length - 1] as Entry;
    this.#swap(entry, last);
    this.#heap.pop();
    entry.heapIndex = -1;
    if (last === entry) return;
    this.#moveUp(last);
    this.#moveDown(last);
  }

  #moveUp(entry: Entry): void {
    while (entry.heapIndex > 0) {
      const parent = this.#heap[(entry.heapIndex - 1) >> 1] as Entry;
      if (parent.dueAt <= entry.dueAt) return;
      this.#swap(entry, parent);
    }
  }

  #moveDown(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.heapIndex + 1];
      const right = this.#heap[2 * entry.heapIndex + 2];
      const child = left && right && right.dueAt < left.dueAt ? right : left;
      if (child === undefined || child.dueAt >= entry.dueAt) return;
      this.#swap(entry, child);
    }
  }

  #swap(one: Entry, other: Entry): void {
    const { heapIndex } = one;
    this.#heap[other.heapIndex] = one;
    this.#heap[heapIndex] = other;
    one.heapIndex = other.heapIndex;
    other.heapIndex = heapIndex;
  }
}
