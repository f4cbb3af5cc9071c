// A moment that several connections share: it comes when each has arrived or left.

export class SharedMoment {
  #missing;
  #begin;
  #came;
  #resolve;

  /** `begin` is called then. */
  constructor(count, begin) {
    this.#missing = count;
    this.#begin = begin;
    this.#came = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Resolves with the time when `begin` was done. */
  arrive() {
    this.leave();
    return this.#came;
  }

  async leave() {
    if (--this.#missing > 0) return;
    await this.#begin();
    this.#resolve(performance.now());
  }
}
