// How a system lays out its TCP_INFO structure: offsets in bytes. Read by scripts/tcp-info.mjs, not at run time.

/** A member of a structure. */
export interface StructureMember {
  /** Where its first byte is. */
  readonly offset: number;
  /**
   * How many bits it has, and the first of them where the little end is first: bit fields share a byte. Where the big end
   * is first, C begins at the other end of the byte.
   */
  readonly bits: number;
  readonly shift: number;
  /** How long the structure is, in bytes, where the system fills the member. */
  readonly length: number;
  /** The first version of Linux with this layout, where the length does not show it. */
  readonly since?: readonly [major: number, minor: number];
}

export type Structure = Readonly<Record<string, StructureMember>>;

export function u8(offset: number): StructureMember {
  return { offset, bits: 8, shift: 0, length: offset + 1 };
}

export function u16(offset: number): StructureMember {
  return { offset, bits: 16, shift: 0, length: offset + 2 };
}

export function u32(offset: number): StructureMember {
  return { offset, bits: 32, shift: 0, length: offset + 4 };
}

export function u64(offset: number): StructureMember {
  return { offset, bits: 64, shift: 0, length: offset + 8 };
}

/**
 * `bits` bits of a byte, from bit `shift` on. `length` is given where they took the place of padding: then their own end
 * does not show whether the system fills them.
 */
export function bits(
  offset: number,
  shift: number,
  bits: number,
  length = offset + 1,
): StructureMember {
  return { offset, bits, shift, length };
}
