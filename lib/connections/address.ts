// Addresses as bytes and as text, in the form that Node writes: RFC 5952 for IPv6.

import { isIPv4, isIPv6 } from 'node:net';

/** A block of addresses: all whose first `bits` are those of `bytes`. */
export interface Prefix {
  /** 4 bytes or 16. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** The address of 4 or 16 bytes at `at`, as text. */
export function addressText(bytes: Uint8Array, at: number, size: number): string {
  return size === 4 ? ipv4Text(bytes, at) : ipv6Text(bytes, at);
}

function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push(((bytes[at + i] as number) << 8) | (bytes[at + i + 1] as number));
  }
  const [start, length] = longestZeros(groups);
  // ::ffff:192.0.2.1, and the older ::192.0.2.1, as inet_ntop(3) writes them.
  const mapped = start === 0 && length === 5 && groups[5] === 0xffff;
  const compatible = start === 0 && length === 6;
  if (mapped || compatible) return `${mapped ? '::ffff:' : '::'}${ipv4Text(bytes, at + 12)}`;
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** The longest run of groups that are zero, the first of several: where it begins, how long it is. */
function longestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [-1, 0];
  for (let i = 0, length = 0; i < groups.length; i++) {
    length = groups[i] === 0 ? length + 1 : 0;
    if (length > best[1]) best = [i - length + 1, length];
  }
  return best;
}

/** The bytes of an address, or `undefined` for a text that is none; a zone (`%eth0`) is none either. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const before = groupBytes(head);
  const after = groupBytes(tail ?? '');
  const bytes = new Uint8Array(16);
  bytes.set(before, 0);
  bytes.set(after, 16 - after.length);
  return bytes;
}

/** Groups between colons, the last of which may be an IPv4 address. */
function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** An address, or an address and a length in bits: `10.0.0.0/8`; `undefined` for what is neither. */
export function prefixOf(text: string): Prefix | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = addressBytes(address);
  if (bytes === undefined) return undefined;
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  return bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

/** Whether bytes are those of an IPv4 address within IPv6: `::ffff:192.0.2.1`. */
function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/**
 * Whether the address of `size` bytes at `at` is in a block. One of IPv4 also has the IPv4 addresses
 * that an IPv6 socket has as peers.
 */
export function isWithin(prefix: Prefix, bytes: Uint8Array, at: number, size: number): boolean {
  let from = at;
  if (size !== prefix.bytes.length) {
    if (size === 4 || !isMapped(bytes, at)) return false;
    from = at + 12;
  }
  const whole = prefix.bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[from + i] !== prefix.bytes[i]) return false;
  const rest = prefix.bits & 7;
  if (rest === 0) return true;
  const difference = (bytes[from + whole] as number) ^ (prefix.bytes[whole] as number);
  return difference >> (8 - rest) === 0;
}
