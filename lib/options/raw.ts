// The escape hatch: any option by the kernel's own numbers.

import {
  bytes,
  constantTables,
  descriptorOf,
  getRecords,
  putBytes,
  putRoom,
  putWord,
  rangeError,
  setRecords,
  systemError,
  typeError,
  valueError,
  words,
} from '../given';
import { HEAD, LONGEST } from '../scratch';
import type { SocketLike } from '../socket';

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
