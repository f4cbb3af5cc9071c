// Sees the chunks that a stream receives, without a listener: one would make the stream flow, or take
// chunks away from whoever reads it.

import type { Duplex } from 'node:stream';
import { throwLater } from './ticker';

type Push = Duplex['push'];

/** Stands in the place of a stream's `push()`, through which everything comes that it receives. */
export class Tap {
  readonly #stream: Duplex;
  readonly #original: Push;
  readonly #tapped: Push;
  readonly #wasOwn: boolean;
  #isOpen = false;

  constructor(stream: Duplex, onChunk: (chunk: unknown) => void) {
    const original = stream.push;
    const see = (chunk: unknown): void => {
      if (!this.#isOpen || chunk === null) return;
      try {
        onChunk(chunk);
      } catch (error) {
        // Not from here, where it would lose the chunk.
        throwLater(error);
      }
    };
    this.#stream = stream;
    this.#original = original;
    this.#wasOwn = Object.hasOwn(stream, 'push');
    this.#tapped = function push(this: Duplex, ...args: Parameters<Push>): boolean {
      see(args[0]);
      return original.apply(this, args);
    };
    Object.defineProperty(stream, 'push', {
      value: original,
      configurable: true,
      writable: true,
    });
  }

  /** Sees each chunk from now on. */
  open(): void {
    this.#isOpen = true;
    this.#replace(this.#original, this.#tapped);
  }

  /** Sees none until it is opened again, and costs nothing. */
  rest(): void {
    this.#isOpen = false;
    this.#replace(this.#tapped, this.#original);
  }

  /** Leaves the stream as it was. */
  remove(): void {
    this.rest();
    if (!this.#wasOwn && this.#stream.push === this.#original) {
      Reflect.deleteProperty(this.#stream, 'push');
    }
  }

  /** Only what is ours: somebody may have put a function over it, which calls it. */
  #replace(before: Push, after: Push): void {
    if (this.#stream.push === before) this.#stream.push = after;
  }
}
