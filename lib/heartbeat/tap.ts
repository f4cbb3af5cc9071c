// Sees the chunks that a stream receives, without a listener: one would make the stream flow, or take
// chunks away from whoever reads it.

import type { Duplex } from 'node:stream';

type Push = Duplex['push'];

interface Tap {
  readonly original: Push;
  readonly wasOwn: boolean;
  isOpen: boolean;
}

/** Of each function that stands for a `push()`. */
const taps = new WeakMap<Push, Tap>();

/**
 * Calls `see` with each received chunk before the stream gets it: all chunks come through its `push()`. Returns
 * what puts that back. `fail` gets what `see` throws, after the stream got the chunk.
 */
export function tap(
  stream: Duplex,
  see: (chunk: unknown) => void,
  fail: (thrown: unknown) => void,
): () => void {
  const original = stream.push;
  const state: Tap = { original, wasOwn: Object.hasOwn(stream, 'push'), isOpen: true };
  function push(this: Duplex, ...args: Parameters<Push>): boolean {
    if (!state.isOpen || args[0] === null) return original.apply(this, args);
    try {
      see(args[0]);
    } catch (error) {
      const isHungry = original.apply(this, args);
      fail(error);
      return isHungry;
    }
    return original.apply(this, args);
  }
  taps.set(push, state);
  Object.defineProperty(stream, 'push', { value: push, configurable: true, writable: true });
  return () => {
    state.isOpen = false;
    takeOff(stream);
  };
}

/** Only what is ours, from the top: somebody may have put a function over it, which calls it. */
function takeOff(stream: Duplex): void {
  for (let top = taps.get(stream.push); top?.isOpen === false; top = taps.get(stream.push)) {
    if (top.wasOwn) stream.push = top.original;
    else Reflect.deleteProperty(stream, 'push');
  }
}
