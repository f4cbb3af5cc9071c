// One listener for each socket and each signal, however many heartbeats it ends: Node warns of a leak where there
// are more than ten.

import type { Duplex } from 'node:stream';

/** What is called when a source says that it is over. */
class SharedListeners<Source extends object> {
  readonly #bySource = new WeakMap<Source, { readonly calls: Set<() => void>; listener(): void }>();
  readonly #on: (source: Source, listener: () => void) => void;
  readonly #off: (source: Source, listener: () => void) => void;

  constructor(
    on: (source: Source, listener: () => void) => void,
    off: (source: Source, listener: () => void) => void,
  ) {
    this.#on = on;
    this.#off = off;
  }

  add(source: Source, call: () => void): void {
    const known = this.#bySource.get(source);
    if (known !== undefined) {
      known.calls.add(call);
      return;
    }
    const calls = new Set([call]);
    const listener = () => {
      for (const each of calls) each();
    };
    this.#bySource.set(source, { calls, listener });
    this.#on(source, listener);
  }

  /** Does nothing if it was not added. */
  delete(source: Source, call: () => void): void {
    const known = this.#bySource.get(source);
    if (!known?.calls.delete(call) || known.calls.size > 0) return;
    this.#bySource.delete(source);
    this.#off(source, known.listener);
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
