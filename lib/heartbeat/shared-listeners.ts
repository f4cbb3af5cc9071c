// One listener for each socket and each signal, however many heartbeats it ends: Node warns of a leak where there
// are more than ten.

import type { Duplex } from 'node:stream';

type Listener<Source> = (this: Source) => void;
type Change<Source> = (source: Source, listener: Listener<Source>) => void;

/** What is called when a source says that it is over. */
class SharedListeners<Source extends object> {
  readonly #calls = new WeakMap<Source, Set<() => void>>();
  readonly #on: Change<Source>;
  readonly #off: Change<Source>;
  /** Of all sources. */
  readonly #listener: Listener<Source>;

  constructor(on: Change<Source>, off: Change<Source>) {
    this.#on = on;
    this.#off = off;
    const calls = this.#calls;
    this.#listener = function listener() {
      for (const call of calls.get(this) ?? []) call();
    };
  }

  add(source: Source, call: () => void): void {
    const known = this.#calls.get(source);
    if (known !== undefined) {
      known.add(call);
      return;
    }
    this.#calls.set(source, new Set([call]));
    this.#on(source, this.#listener);
  }

  /** Does nothing if it was not added. */
  delete(source: Source, call: () => void): void {
    const known = this.#calls.get(source);
    if (!known?.delete(call) || known.size > 0) return;
    this.#calls.delete(source);
    this.#off(source, this.#listener);
  }
}

export const closeListeners = new SharedListeners<Duplex>(
  (stream, listener) => void stream.on('close', listener),
  (stream, listener) => void stream.off('close', listener),
);

export const abortListeners = new SharedListeners<AbortSignal>(
  (signal, listener) => signal.addEventListener('abort', listener),
  (signal, listener) => signal.removeEventListener('abort', listener),
);
