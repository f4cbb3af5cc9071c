// Reads the type, the length and the bytes of a caller's typed array. They come from its internal slots, which no
// getter, prototype or proxy can forge.

import { rangeError, typeError } from './validate';

/** Returns a getter of every typed array. It is taken at load time, because a program may replace it later. */
function slotReader(name: 'length' | typeof Symbol.toStringTag): (value: unknown) => unknown {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const { get } = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  return Function.prototype.call.bind(get as () => unknown);
}

const readTag = slotReader(Symbol.toStringTag);
const readLength = slotReader('length');

/** Returns `'Uint8Array'`, `'Float64Array'`, ...; `undefined` for a value that is no typed array. */
export function typedArrayKind(value: unknown): string | undefined {
  return readTag(value) as string | undefined;
}

/** Returns the present length: 0 if its memory is detached, or has shrunk below its start. */
export function typedArrayLength(value: Uint8Array | Int32Array | Float64Array): number {
  return readLength(value) as number;
}

/**
 * Returns a copy of the bytes of a Uint8Array. Neither the caller nor another thread can change it later.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for any other value, and for detached memory.
 * @throws RangeError `ERR_OUT_OF_RANGE` for more than `longest` bytes.
 */
export function copyBytes(value: unknown, path: string, longest: number): Uint8Array {
  if (typedArrayKind(value) !== 'Uint8Array') throw typeError(path, 'a Uint8Array', value);
  const source = value as Uint8Array;
  const copy = typedArrayLength(source) <= longest ? attachedCopy(source, path) : undefined;
  // Another thread can grow a shared buffer after the first check.
  if (copy === undefined || copy.length > longest) {
    throw rangeError(`${path}.length`, `<= ${longest}`, typedArrayLength(source));
  }
  return copy;
}

function attachedCopy(source: Uint8Array, path: string): Uint8Array {
  try {
    return new Uint8Array(source);
  } catch {
    throw typeError(path, 'a Uint8Array whose memory is not detached', source);
  }
}
