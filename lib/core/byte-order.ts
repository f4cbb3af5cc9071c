// The byte order of this processor: kernels write numbers in it. All but s390x have the little end first.

export const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The words of a 64-bit number: where its lower and its upper half are. */
export const LOWER = isLittleEndian ? 0 : 1;
export const UPPER = 1 - LOWER;

/** Returns the first byte of a word in memory. */
export function firstByte(word: number): number {
  return isLittleEndian ? word & 0xff : word >>> 24;
}

/** Returns the first 16 bits of a word in memory. */
export function firstHalf(word: number): number {
  return isLittleEndian ? word & 0xffff : word >>> 16;
}
