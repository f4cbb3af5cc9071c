// Calls functions and listeners of the program. Their errors do not interrupt the caller.

import type { Duplex } from 'node:stream';
import { inspect, types } from 'node:util';
import { throwUncaught } from '../core/throw-uncaught';
import { resetAndDestroy } from './kernel';

/**
 * Calls a function that returns nothing. `fail` receives the error that it throws, or the rejection of the promise
 * that it returns.
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

/** Returns an `Error`, which a stream can be destroyed with. Anything can be thrown. */
export function asError(name: string, thrown: unknown): Error {
  if (thrown instanceof Error || types.isNativeError(thrown)) return thrown;
  const message = `The "${name}" function threw a value that is not an Error: see the cause`;
  return new Error(message, { cause: thrown });
}

/**
 * Resets the socket that a failed callback should have closed. `error` is the callback's error, unless it is reported
 * already. A closed socket cannot report an error, so a process warning does.
 */
export function resetAfterFailure(stream: Duplex, error: Error | undefined): void {
  if (!stream.destroyed) uninterrupted(() => resetAndDestroy(stream, error));
  // `emitWarning()` refuses errors of another realm (vm).
  else if (error !== undefined)
    process.emitWarning(error instanceof Error ? error : inspect(error));
}

/** Runs code of the program. An error that it throws becomes an uncaught exception, and does not interrupt the caller. */
export function uninterrupted(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    throwUncaught(error);
  }
}
