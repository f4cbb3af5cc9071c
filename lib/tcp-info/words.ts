// Helpers for the decoders: numbers that are not one 32-bit word, and null for NaN.

import { isLittleEndian, LOWER, UPPER } from '../core/byte-order';

/** Reads 16 bits at a byte offset, which must be even. */
export function u16(words: Uint32Array, offset: number): number {
  const half = isLittleEndian ? offset & 2 : 2 - (offset & 2);
  return ((words[offset >> 2] as number) >>> (8 * half)) & 0xffff;
}

/** Reads 64 bits. Exact up to 2^53. */
export function u64(words: Uint32Array, word: number): number {
  return (words[word + LOWER] as number) + (words[word + UPPER] as number) * 2 ** 32;
}

/** Returns null for NaN. */
export function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
