// Typed arrays of a caller's: what they are, by their internal slots, which no getter, prototype or
// proxy can forge; and their bytes, taken once into memory of our own.

import { rangeError, typeError } from './validate';

/** A getter of every typed array, taken at load: a caller may replace it later. */
function slot(name: 'length' | typeof Symbol.toStringTag): (value: unknown) => unknown {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const { get } = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  return Function.prototype.call.bind(get as () => unknown);
}

const tagOf = slot(Symbol.toStringTag);
const slotLength = slot('length');

/** `'Uint8Array'`, `'Float64Array'`, ...; `undefined` for what is no typed array. */
export function typedArrayKind(value: unknown): string | undefined {
  return tagOf(value) as string | undefined;
}

/** Its length at this moment: 0 where its memory is detached, or no longer reaches so far. */
export function typedArrayLength(value: Uint8Array | Int32Array | Float64Array): number {
  return slotLength(value) as number;
}

/**
 * A copy of the bytes of a Uint8Array: nothing that the caller, or another thread, does later changes it.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for anything else, and where the memory is detached.
 * @throws RangeError `ERR_OUT_OF_RANGE` for more than `longest` bytes.
 */
export function copyBytes(value: unknown, argument: string, longest: number): Uint8Array {
  if (typedArrayKind(value) !== 'Uint8Array') throw typeError(argument, 'a Uint8Array', value);
  const source = value as Uint8Array;
  const copy = typedArrayLength(source) <= longest ? attachedCopy(source, argument) : undefined;
  // Another thread may have let a shared buffer grow after the first look.
  if (copy === undefined || copy.length > longest) {
    throw rangeError(`${argument}.length`, `<= ${longest}`, typedArrayLength(source));
  }
  return copy;
}

function attachedCopy(source: Uint8Array, argument: string): Uint8Array {
  try {
    return new Uint8Array(source);
  } catch {
    throw typeError(argument, 'a Uint8Array whose memory is not detached', source);
  }
}
