// The escape hatch: any option by the kernel's own numbers.

import {
  bytes,
  constantTables,
  getRecords,
  HEAD,
  LONGEST,
  putBytes,
  putRoom,
  putWord,
  setRecords,
  words,
} from './binding';
import { rangeError, systemError, typeError, valueError } from './error';
import { descriptorOf, type SocketLike } from './socket';

const INT_MIN = -2_147_483_648;
const INT_MAX = 2_147_483_647;
const UINT_MAX = 4_294_967_295;

function checkInteger(argument: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw typeError(argument, 'an integer', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw rangeError(argument, `an integer >= ${min} and <= ${max}`, value);
  }
  return value;
}

/** What an error calls an option: the kernel's name, where a constant has these numbers. */
function nameOf(level: number, name: number): string {
  const { levels, values } = constantTables();
  for (const constant of Object.keys(levels)) {
    if (levels[constant] === level && values[constant] === name) return constant;
  }
  return `${level}/${name}`;
}

/**
 * Reads any socket option by its numbers: `getRawOption(socket, constants.IPPROTO_TCP,
 * constants.TCP_KEEPIDLE)` gives an int as the kernel holds it, in the kernel's unit.
 * With `length`, the bytes that the kernel wrote into that much room (at most 16 356).
 *
 * `SO_ERROR` can be read so, but reading clears it, and with it the error that Node waits for.
 * @throws TypeError, RangeError for a wrong argument, before any system call.
 * @throws SocketOptionError for a call that the kernel refused, and for a socket that is not open.
 */
export function getRawOption(socket: SocketLike, level: number, name: number): number;
export function getRawOption(
  socket: SocketLike,
  level: number,
  name: number,
  length: number,
): Buffer;
export function getRawOption(
  socket: SocketLike,
  level: number,
  name: number,
  length?: number,
): number | Buffer {
  checkInteger('level', level, INT_MIN, INT_MAX);
  checkInteger('name', name, INT_MIN, INT_MAX);
  const room = length === undefined ? 4 : checkInteger('length', length, 0, LONGEST);
  const { SOL_SOCKET, SO_ATTACH_FILTER } = constantTables().values;
  if (level === SOL_SOCKET && name === SO_ATTACH_FILTER) {
    // As SO_GET_FILTER Linux counts the length in instructions of 8 bytes: it would write past it.
    throw valueError('name', 'cannot be SO_ATTACH_FILTER for reading', name);
  }
  const fd = descriptorOf(socket);
  putRoom(0, level, name, room);
  if (getRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'getsockopt', nameOf(level, name));
  }
  if (length === undefined) return words[HEAD] as number;
  // A copy: the scratch buffer belongs to the next call.
  return Buffer.from(bytes.subarray(HEAD * 4, HEAD * 4 + (words[2] as number)));
}

/**
 * Sets any socket option by its numbers: `setRawOption(socket, constants.IPPROTO_TCP,
 * constants.TCP_KEEPIDLE, 30)`. A number goes down as a C int, in the kernel's unit; bytes go as
 * they are (at most 16 356). Nothing but the argument types is checked here.
 * @throws TypeError, RangeError for a wrong argument, before any system call.
 * @throws SocketOptionError for a call that the kernel refused, and for a socket that is not open.
 */
export function setRawOption(
  socket: SocketLike,
  level: number,
  name: number,
  value: number | Uint8Array,
): void {
  checkInteger('level', level, INT_MIN, INT_MAX);
  checkInteger('name', name, INT_MIN, INT_MAX);
  if (!(value instanceof Uint8Array)) {
    if (typeof value !== 'number') throw typeError('value', 'an integer or a Uint8Array', value);
    checkInteger('value', value, INT_MIN, UINT_MAX);
  } else if (value.length > LONGEST) {
    throw rangeError('value.length', `<= ${LONGEST}`, value.length);
  }
  const fd = descriptorOf(socket);
  if (typeof value === 'number') putWord(0, level, name, value);
  else putBytes(0, level, name, value);
  if (setRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'setsockopt', nameOf(level, name));
  }
}
