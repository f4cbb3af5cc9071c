// The timer of a schedule, driven. It is made by the global setTimeout(), which nothing else here may call meanwhile.

/** A clock that jumps from one wake-up of the timer to the next, without waiting. */
export class DrivenClock {
  #real = globalThis.setTimeout;
  #now = performance.now();
  #timer;
  #delay = 0;
  #run = () => {};

  constructor() {
    performance.now = () => this.#now;
    globalThis.setTimeout = (run, delay) => {
      this.#run = run;
      this.#delay = delay;
      this.#timer = this.#real(run, delay);
      return this.#timer;
    };
  }

  /** Lets the timer fire that is waited for. Returns the milliseconds of this clock that it waited. */
  wakeUp() {
    const delay = this.#delay;
    this.#now += delay;
    clearTimeout(this.#timer);
    this.#run();
    return delay;
  }

  stop() {
    globalThis.setTimeout = this.#real;
    Reflect.deleteProperty(performance, 'now');
  }
}
