// Adds one listener to each socket and each signal, for all heartbeats that end with it. Node warns of a leak at more than
// ten listeners.

import type { Duplex } from 'node:stream';

type Listener<Source> = (this: Source) => void;
type Change<Source> = (source: Source, listener: Listener<Source>) => void;

interface Closable {
  close(): void;
}

/** Closes the added objects when their source has ended. */
class SharedListeners<Source extends object> {
  /** A set only for several objects: it would be a fifth of a heartbeat's memory. */
  readonly #closables = new WeakMap<Source, Closable | Set<Closable>>();
  readonly #on: Change<Source>;
  readonly #off: Change<Source>;
  /** One function for all sources. */
  readonly #listener: Listener<Source>;

  constructor(on: Change<Source>, off: Change<Source>) {
    this.#on = on;
    this.#off = off;
    const closables = this.#closables;
    this.#listener = function listener() {
      const known = closables.get(this);
      if (known instanceof Set) for (const one of known) one.close();
      else known?.close();
    };
  }

  add(source: Source, closable: Closable): void {
    const known = this.#closables.get(source);
    if (known instanceof Set) known.add(closable);
    else this.#closables.set(source, known === undefined ? closable : new Set([known, closable]));
    if (known === undefined) this.#on(source, this.#listener);
  }

  /** Does nothing if `closable` was not added. */
  delete(source: Source, closable: Closable): void {
    const known = this.#closables.get(source);
    const isLast =
      known instanceof Set ? known.delete(closable) && known.size === 0 : known === closable;
    if (!isLast) return;
    this.#closables.delete(source);
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
