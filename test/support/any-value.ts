// Values of every kind for arguments, and what a call made of them.

import fc from 'fast-check';
import { expect } from 'vitest';

/** Values of every kind, also those that look right: numeric strings, boxed and huge numbers. */
export const anything = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withNullPrototype: true }),
  fc.double(),
  fc.integer({ min: -10, max: 10 }),
  fc.constantFrom(
    ...[Number.NaN, Number.POSITIVE_INFINITY, -0.5, 2.7, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53, 1e300],
    ...['1000', '', 'system', 'true', '\0', 'reno\0x', 'x'.repeat(5_000)],
    ...[null, true, false, 1n, Symbol('s'), Object(5), Object(true), [1_000], () => 1],
    ...[new Date(), /x/, new Map(), Buffer.alloc(3), new Proxy({}, {}), Object.create(null)],
  ),
);

export type Thrown = Error & { code?: string };

export function outcome(call: () => unknown): Thrown | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error as Thrown;
  }
}

/** An error that came from the checks, and not from the kernel. */
export function expectChecked(error: Thrown | undefined): void {
  expect(error).toBeInstanceOf(Error);
  expect(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE']).toContain(
    error?.code,
  );
}
