// What reads the fields of a kernel's structure as they are: each by its offset, and null beyond the
// length that the kernel wrote.

/** Module state, so that a field costs a comparison and a load. */
let memory: Uint32Array = new Uint32Array(0);
let start = 0;
let end = 0;

/** Reads from here on the `length` bytes from word `at` of `words` on. */
export function readFrom(words: Uint32Array, at: number, length: number): void {
  memory = words;
  start = at;
  end = length;
}

export function u8(offset: number): number | null {
  return bits(offset, 0, 8);
}

export function u16(offset: number): number | null {
  if (offset + 2 > end) return null;
  return ((memory[start + (offset >> 2)] as number) >>> (8 * (offset & 2))) & 0xffff;
}

export function u32(offset: number): number | null {
  return offset + 4 > end ? null : (memory[start + (offset >> 2)] as number);
}

/** Exact up to 2^53. */
export function u64(offset: number): number | null {
  if (offset + 8 > end) return null;
  const word = start + (offset >> 2);
  return (memory[word] as number) + (memory[word + 1] as number) * 2 ** 32;
}

/** Of the byte at `offset`, `width` bits from bit `shift` on. */
export function bits(offset: number, shift: number, width: number): number | null {
  if (offset + 1 > end) return null;
  const byte = (memory[start + (offset >> 2)] as number) >>> (8 * (offset & 3));
  return (byte >>> shift) & ((1 << width) - 1);
}

/** A field that the kernel began to fill when it wrote `length` bytes, in a place that was there before. */
export function since(length: number, value: number | null): number | null {
  return end >= length ? value : null;
}
