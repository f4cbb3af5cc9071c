// The one timer of all heartbeats, watched or driven: it is made by the global setTimeout(), which nothing
// else here may call meanwhile.

/** Of heartbeats, in milliseconds. */
export const TICK = 20;

/** What each tick takes, and by how much a count grows in it. */
export class TickWatch {
  #real = globalThis.setTimeout;
  #count;
  #ticks = [];

  constructor(count) {
    this.#count = count;
    globalThis.setTimeout = (run, delay) => this.#real(() => this.#time(run), delay);
  }

  #time(run) {
    const before = this.#count();
    const start = process.hrtime.bigint();
    run();
    this.#ticks.push({
      us: Number(process.hrtime.bigint() - start) / 1_000,
      counted: this.#count() - before,
    });
  }

  stop() {
    globalThis.setTimeout = this.#real;
    return this.#ticks;
  }
}

/** A clock that goes on when it is told, by a tick. The timer that is waited for is made as always. */
export class DrivenClock {
  #real = globalThis.setTimeout;
  #now = performance.now();
  #timer;
  #run = () => {};

  constructor() {
    performance.now = () => this.#now;
    globalThis.setTimeout = (run, delay) => {
      this.#run = run;
      this.#timer = this.#real(run, delay);
      return this.#timer;
    };
  }

  tick() {
    this.#now += TICK;
    clearTimeout(this.#timer);
    this.#run();
  }

  stop() {
    globalThis.setTimeout = this.#real;
    Reflect.deleteProperty(performance, 'now');
  }
}
