// IP addresses as bytes and as text. IPv6 is written as Node writes it (RFC 5952).

import { builtins } from './builtins';

/** A block of addresses: all that share the first `bits` bits of `bytes`. */
export interface Prefix {
  /** 4 bytes or 16. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** The address that has `size` (4 or 16) bytes from `at` on. */
export function formatAddress(bytes: Uint8Array, at: number, size: number): string {
  return size === 4 ? formatIPv4(bytes, at) : formatIPv6(bytes, at);
}

/** Formats addresses. Many connections share an address: they get the same string. */
export class AddressFormatter {
  readonly #formatted = new Map<number | string, string>();

  /** The address that has `size` (4 or 16) bytes from `at` on. */
  format(bytes: Uint8Array, at: number, size: number): string {
    const key = size === 4 ? wordAt(bytes, at) : latin1At(bytes, at);
    const known = this.#formatted.get(key);
    if (known !== undefined) return known;
    if (this.#formatted.size === MOST_FORMATTED) this.#formatted.clear();
    const text = formatAddress(bytes, at, size);
    this.#formatted.set(key, text);
    return text;
  }
}

/** How many addresses a formatter keeps. */
const MOST_FORMATTED = 1_024;

function wordAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return (a << 24) | (b << 16) | (c << 8) | d;
}

/** 16 bytes as characters. */
const latin1At = (bytes: Uint8Array, at: number) =>
  String.fromCharCode(...bytes.subarray(at, at + 16));

function formatIPv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function formatIPv6(bytes: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push(((bytes[at + i] as number) << 8) | (bytes[at + i + 1] as number));
  }
  const [start, length] = findLongestZeros(groups);
  // ::ffff:192.0.2.1, and the older ::192.0.2.1, as inet_ntop(3) writes them.
  const mapped = start === 0 && length === 5 && groups[5] === 0xffff;
  const compatible = start === 0 && length === 6;
  if (mapped || compatible) return `${mapped ? '::ffff:' : '::'}${formatIPv4(bytes, at + 12)}`;
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups. RFC 5952 shortens this one to `::`. */
function findLongestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [-1, 0];
  for (let i = 0, length = 0; i < groups.length; i++) {
    length = groups[i] === 0 ? length + 1 : 0;
    if (length > best[1]) best = [i - length + 1, length];
  }
  return best;
}

/** The bytes of an address; `undefined` if the text is not one, or has a zone (`%eth0`). */
export function parseAddress(text: string): Uint8Array | undefined {
  if (builtins.net.isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!builtins.net.isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const before = parseGroups(head);
  const after = parseGroups(tail ?? '');
  const bytes = new Uint8Array(16);
  bytes.set(before, 0);
  bytes.set(after, 16 - after.length);
  return bytes;
}

/** The bytes of groups between colons. The last group may be an IPv4 address. */
function parseGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** Parses an address (a prefix of all its bits) or a prefix (`10.0.0.0/8`); `undefined` for other texts. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const bytes = parseAddress(address);
  if (bytes === undefined) return undefined;
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  return bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

/** Whether the 16 bytes are an IPv4-mapped address: `::ffff:192.0.2.1`. */
function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/**
 * Whether the address that has `size` bytes from `at` on is in the block. An IPv4 block also contains
 * IPv4-mapped addresses, which are the IPv4 peers of IPv6 sockets.
 */
export function isInPrefix(prefix: Prefix, bytes: Uint8Array, at: number, size: number): boolean {
  let start = at;
  if (size !== prefix.bytes.length) {
    if (size === 4 || !isMapped(bytes, at)) return false;
    start = at + 12;
  }
  const fullBytes = prefix.bits >> 3;
  for (let i = 0; i < fullBytes; i++) if (bytes[start + i] !== prefix.bytes[i]) return false;
  const remainingBits = prefix.bits & 7;
  if (remainingBits === 0) return true;
  const difference = (bytes[start + fullBytes] as number) ^ (prefix.bytes[fullBytes] as number);
  return difference >> (8 - remainingBits) === 0;
}
