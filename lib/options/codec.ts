// One codec for each kind of option. It converts a value to the bytes that the kernel takes, and back. Encoding checks
// the value: the kernel gets exactly this value, and no coerced one.

import type { Linger, PlatformOption, PortRange, Row, SocketState } from '../catalogue/catalogue';
import { LOWER, UPPER } from '../core/byte-order';
import { constantTables } from '../core/constants';
import { bytes, words } from '../core/record-buffer';
import {
  numberError,
  rangeError,
  typeError,
  validateBoolean,
  validateNumber,
  validateOneOf,
  validateString,
  valueError,
} from '../core/validate';
import { decodeAddress, decodeCredentials } from './structures';

/** An option as this system has it. */
export interface Option {
  readonly name: string;
  readonly row: Row;
  readonly platformOption: PlatformOption;
  readonly level: number;
  readonly option: number;
  /** The place in the catalogue: the options of one call are set in this order. */
  readonly order: number;
  readonly codec: Codec;
  // Copies of what every call reads: rows have many shapes in V8, and an Option has one.
  readonly writable: boolean;
  readonly tcpOnly: boolean;
  /** The states of a socket in which it is too late to set the option. */
  readonly tooLate: readonly SocketState[] | undefined;
  /** The range in the kernel's unit. */
  readonly min: number;
  readonly max: number;
  /** The kernel's unit in ours: 1000 for seconds. NaN if only the codec can convert. */
  readonly divisor: number;
  /** Its path in the argument of setOptions(), for errors. */
  readonly path: string;
}

export interface Codec {
  /** The size of the buffer for reading, in bytes. */
  readonly room: number;
  /** Checks a value and returns it as one word or as bytes. `path` names the value in an error. */
  encode(value: unknown, option: Option, path: string): number | Uint8Array;
  /** Returns the value at word `at` of the record buffer, where the kernel wrote `length` bytes. */
  decode(at: number, length: number, option: Option): unknown;
}

export const MILLISECONDS = { s: 1000, ms: 1, us: 0.001 } as const;
const UNIT_NAMES = { s: 's', ms: 'ms', us: 'µs' } as const;

/** Describes the kernel's name and range of an option, for an error. */
export function kernelRange({ name, min, max, unit }: PlatformOption): string {
  return `${name} on ${process.platform}: ${min} to ${max}${unit ? ` ${UNIT_NAMES[unit]}` : ''}`;
}

/** Converts a duration to the kernel's unit. Rounds up, and only 0 becomes 0. */
function toUnits(milliseconds: number, unit: 's' | 'ms' | 'us'): number {
  let units: number;
  if (unit === 's') units = Math.ceil(milliseconds / 1000);
  else if (unit === 'ms') units = Math.ceil(milliseconds);
  // 0.057 ms * 1000 is 57.00000000000001: a difference below a nanosecond does not round up.
  else units = Math.ceil(Math.round(milliseconds * 1e6) / 1e3);
  return units === 0 && milliseconds > 0 ? 1 : units;
}

function encodeDuration(value: unknown, option: Option, path: string): number {
  const { min, max } = option;
  const { unit = 'ms' } = option.platformOption;
  if (typeof value === 'number') {
    const units = toUnits(value, unit);
    // `value >= 0`, because a negative fraction would round up to 0. NaN fails each comparison.
    if (value >= 0 && units >= min && units <= max) return units;
  }
  const range = {
    // Every fraction of the first second is rounded up to 1 s.
    ...(min > 0 && unit === 's' ? { above: 0 } : { min: milliseconds(min, option.platformOption) }),
    max: milliseconds(max, option.platformOption),
    milliseconds: true,
  };
  throw numberError(path, { ...range, ...reasonAndAlternative(option) }, value);
}

function encodeInteger(value: unknown, option: Option, path: string): number {
  const { min, max } = option;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  throw numberError(path, { integer: true, min, max, ...reasonAndAlternative(option) }, value);
}

/** For the error: the kernel's range, and `'system'` if it is allowed. */
function reasonAndAlternative({ row, platformOption }: Option) {
  return { reason: kernelRange(platformOption), ...(row.system && { or: "'system'" }) };
}

function milliseconds(units: number, platformOption: PlatformOption): number {
  return platformOption.unit === 'us'
    ? units / 1000
    : units * MILLISECONDS[platformOption.unit ?? 'ms'];
}

function encodeReadOnly(): never {
  throw new Error('no system can set this option');
}

const boolean: Codec = {
  room: 4,
  encode: (value, _option, path) => (validateBoolean(value, path) ? 1 : 0),
  // Not `=== 1`: macOS returns the bit of the flag.
  decode: (at) => words[at] !== 0,
};

const integer: Codec = {
  room: 4,
  encode: encodeInteger,
  decode(at, _length, { platformOption }) {
    const value = words[at] as number;
    if (platformOption.none !== undefined && value === platformOption.none) return null;
    return value >>> 0;
  },
};

const duration: Codec = {
  room: 4,
  encode: encodeDuration,
  decode: (at, _length, { platformOption }) =>
    milliseconds((words[at] as number) >>> 0, platformOption),
};

const TWO_32 = 2 ** 32;

// An unsigned long: 8 bytes on 64-bit systems. All ones means no limit.
const rate: Codec = {
  room: 8,
  encode(value, option, path) {
    if (value === Number.POSITIVE_INFINITY) return new Uint8Array(8).fill(0xff);
    const whole = encodeInteger(value, option, path);
    const halves = new Uint32Array(2);
    halves[LOWER] = whole % TWO_32;
    halves[UPPER] = whole / TWO_32;
    return new Uint8Array(halves.buffer);
  },
  decode(at, length) {
    // Kernels before 5.0 have 32 bits.
    const isShort = length < 8;
    const low = (words[isShort ? at : at + LOWER] as number) >>> 0;
    if (isShort) return low === 0xffff_ffff ? Number.POSITIVE_INFINITY : low;
    const high = (words[at + UPPER] as number) >>> 0;
    const unlimited = low === 0xffff_ffff && high === 0xffff_ffff;
    return unlimited ? Number.POSITIVE_INFINITY : high * TWO_32 + low;
  },
};

// dscp.ts reads and sets it. Only its check is here.
const dscp: Codec = {
  room: 4,
  encode: encodeInteger,
  decode: (at) => ((words[at] as number) & 0xff) >> 2,
};

const text: Codec = {
  room: 64,
  encode(value, { platformOption, min, max }, path) {
    const characters = validateString(value, path);
    // The kernel's names are ASCII, and end at a NUL.
    if (!/^[\x20-\x7e]*$/.test(characters)) {
      throw valueError(path, 'must consist of printable ASCII characters', value);
    }
    if (characters.length < min || characters.length > max) {
      throw rangeError(path, `${min} to ${max} characters long (${platformOption.name})`, value);
    }
    // With the NUL, because the empty string would have no bytes without it.
    return Buffer.from(`${characters}\0`, 'latin1');
  },
  decode(at, length) {
    const value = Buffer.from(bytes.subarray(at * 4, at * 4 + length)).toString('latin1');
    const end = value.indexOf('\0');
    return end < 0 ? value : value.slice(0, end);
  },
};

/** A 64-bit number as decimal digits, because `JSON.stringify` does not accept a bigint. */
const cookie: Codec = {
  room: 8,
  encode: encodeReadOnly,
  decode(at) {
    const low = BigInt((words[at + LOWER] as number) >>> 0);
    return String((BigInt((words[at + UPPER] as number) >>> 0) << 32n) | low);
  },
};

const portRange: Codec = {
  room: 4,
  encode(value, { platformOption, min, max }, path) {
    if (typeof value !== 'object' || value === null) {
      throw typeError(path, "an object { low, high }, or 'system'", value);
    }
    const { low, high } = value as Partial<PortRange>;
    const range = { integer: true, max, reason: kernelRange(platformOption) };
    const first = validateNumber(low, `${path}.low`, { ...range, min });
    const last = validateNumber(high, `${path}.high`, { ...range, min: first });
    return ((last << 16) | first) >>> 0;
  },
  decode(at): PortRange | null {
    const word = words[at] as number;
    return word === 0 ? null : { low: word & 0xffff, high: word >>> 16 };
  },
};

const credentials: Codec = { room: 12, encode: encodeReadOnly, decode: decodeCredentials };

// original-destination.ts reads it.
const address: Codec = { room: 28, encode: encodeReadOnly, decode: decodeAddress };

const linger: Codec = {
  room: 8,
  encode(value, option, path) {
    if (typeof value !== 'object' || value === null) {
      throw typeError(path, 'an object { enable, timeout }', value);
    }
    const { enable, timeout } = value as Partial<Linger>;
    const members = [
      Number(validateBoolean(enable, `${path}.enable`)),
      encodeDuration(timeout, option, `${path}.timeout`),
    ];
    return new Uint8Array(
      option.platformOption.layout === 'short'
        ? Uint16Array.from(members).buffer
        : Int32Array.from(members).buffer,
    );
  },
  decode(at, _length, { platformOption }): Linger {
    const [enable, seconds] =
      platformOption.layout === 'short'
        ? new Uint16Array(words.slice(at, at + 1).buffer)
        : words.subarray(at, at + 2);
    return { enable: enable !== 0, timeout: milliseconds(seconds as number, platformOption) };
  },
};

const enumeration: Codec = {
  room: 4,
  encode(value, option, path) {
    const numbers = numbersByName(option);
    return numbers.get(validateOneOf(value, path, [...numbers.keys()])) as number;
  },
  decode(at, _length, option) {
    for (const [name, number] of numbersByName(option)) if (number === words[at]) return name;
    return null;
  },
};

/** Returns the names of an enumeration that this system has, with its numbers. */
function numbersByName({ row }: Option): Map<string, number> {
  const numbers = new Map<string, number>();
  if (row.kind !== 'enum') return numbers;
  for (const [name, constant] of Object.entries(row.values)) {
    const number = constantTables().values[constant];
    if (number !== undefined) numbers.set(name, number);
  }
  return numbers;
}

export const codecs: Readonly<Record<Row['kind'], Codec>> = {
  boolean,
  integer,
  duration,
  rate,
  dscp,
  string: text,
  cookie,
  portRange,
  credentials,
  address,
  linger,
  enum: enumeration,
};
