// Calls functions and listeners of the program. Their errors do not interrupt what is done here.

import type { Duplex } from 'node:stream';
import { inspect, types } from 'node:util';
import { throwUncaught } from '../core/throw-uncaught';
import { resetAndDestroy } from './kernel';

/**
 * Calls a function that returns nothing. `fail` gets what it throws, or what the promise that it returns is
 * rejected with.
 */
export function callAndCatch(
  name: string,
  callback: () => unknown,
  fail: (error: Error) => void,
): void {
  let result: unknown;
  try {
    result = callback();
  } catch (error) {
    fail(asError(name, error));
    return;
  }
  if (typeof result !== 'object' || result === null) return;
  new Promise((resolve) => resolve(result)).catch((error) => fail(asError(name, error)));
}

/** Anything can be thrown, but a stream is destroyed with an `Error`. */
export function asError(name: string, thrown: unknown): Error {
  if (thrown instanceof Error || types.isNativeError(thrown)) return thrown;
  const message = `The "${name}" function threw a value that is not an Error: see the cause`;
  return new Error(message, { cause: thrown });
}

/**
 * Resets the socket that a callback should have closed, with the error of that callback unless it was reported. If
 * the socket is closed already, it cannot report an error: the process warns of it.
 */
export function resetAfterFailure(stream: Duplex, error: Error | undefined): void {
  if (!stream.destroyed) uninterrupted(() => resetAndDestroy(stream, error));
  // Errors of another realm (vm) are none to Node.
  else if (error !== undefined)
    process.emitWarning(error instanceof Error ? error : inspect(error));
}

/** Runs code of the program. What it throws is an uncaught exception, as with any listener. */
export function uninterrupted(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    throwUncaught(error);
  }
}
