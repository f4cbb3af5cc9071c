// Helpers for the generated decoders: numbers that are not one 32-bit word, and null for NaN. Little-endian, as every
// processor with an addon.

/** Reads 16 bits at a byte offset, which must be even. */
export function u16(words: Uint32Array, offset: number): number {
  return ((words[offset >> 2] as number) >>> (8 * (offset & 2))) & 0xffff;
}

/** Reads 64 bits. Exact up to 2^53. */
export function u64(words: Uint32Array, word: number): number {
  return (words[word] as number) + (words[word + 1] as number) * 2 ** 32;
}

/** Returns null for NaN. */
export function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
