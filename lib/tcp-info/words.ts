// What decoders are made of: numbers that are not one word of a structure, and NaN for null. Little-endian, as
// on every processor with an addon.

export function u16(words: Uint32Array, offset: number): number {
  return ((words[offset >> 2] as number) >>> (8 * (offset & 2))) & 0xffff;
}

/** Exact up to 2^53. */
export function u64(words: Uint32Array, word: number): number {
  return (words[word] as number) + (words[word + 1] as number) * 2 ** 32;
}

export function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
