// What of a kernel's structure is not a whole word of it. Little-endian, as all systems with an addon.

/** Of the byte at `offset`, `width` bits from bit `shift` on. */
export function bits(words: Uint32Array, offset: number, shift: number, width: number): number {
  const byte = (words[offset >> 2] as number) >>> (8 * (offset & 3));
  return (byte >>> shift) & ((1 << width) - 1);
}

export function u16(words: Uint32Array, offset: number): number {
  return ((words[offset >> 2] as number) >>> (8 * (offset & 2))) & 0xffff;
}

/** Exact up to 2^53. */
export function u64(words: Uint32Array, word: number): number {
  return (words[word] as number) + (words[word + 1] as number) * 2 ** 32;
}
