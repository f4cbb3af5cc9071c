// The escape hatch: any option by the kernel's own numbers.

import { copyBytes, typedArrayKind } from '../bytes';
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
  tcpInfo,
  typeError,
  valueError,
  words,
} from '../given';
import { HEAD, LONGEST } from '../scratch';
import type { SocketLike } from '../socket';
import { refuseUnsafeOption } from './unsafe-options';

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
  refuseUnsafeOption('getsockopt', level, name);
  const fd = descriptorOf(socket);
  forgetEarlierCalls();
  putRoom(0, level, name, room);
  if (getRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'getsockopt', nameOf(level, name));
  }
  const written = Math.min(words[2] as number, room);
  if (length === undefined) return intOf(written, level, name);
  // A copy in memory of its own: the scratch buffer belongs to the next call, and Node's pool to all.
  return Buffer.from(bytes.slice(HEAD * 4, HEAD * 4 + written).buffer);
}

/**
 * Kernels take input from the value, also while they read an option, and some look past its length
 * (do_ebt_get_ctl of Linux): all that they can find there is zeros.
 */
function forgetEarlierCalls(): void {
  words.fill(0);
  tcpInfo.fill(0);
}

/** The int that the kernel wrote, or the byte: what it writes for some switches. */
function intOf(written: number, level: number, name: number): number {
  if (written === 4) return words[HEAD] as number;
  if (written === 1) return bytes[HEAD * 4] as number;
  const reason = `must be given for ${nameOf(level, name)}: the kernel wrote ${written} bytes, which are no int`;
  throw valueError('length', reason, undefined);
}

/** The value as it is now: nothing that a getter or another thread does later changes it. */
function checkValue(value: unknown): number | Uint8Array {
  if (typedArrayKind(value) === 'Uint8Array') return copyBytes(value, 'value', LONGEST);
  if (typeof value !== 'number') throw typeError('value', 'an integer or a Uint8Array', value);
  return checkInteger('value', value, INT_MIN, UINT_MAX);
}

export function setRawOption(
  socket: SocketLike,
  level: number,
  name: number,
  value: number | Uint8Array,
): void {
  checkInteger('level', level, INT_MIN, INT_MAX);
  checkInteger('name', name, INT_MIN, INT_MAX);
  const checked = checkValue(value);
  refuseUnsafeOption('setsockopt', level, name);
  const fd = descriptorOf(socket);
  forgetEarlierCalls();
  if (typeof checked === 'number') putWord(0, level, name, checked);
  else putBytes(0, level, name, checked);
  if (setRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'setsockopt', nameOf(level, name));
  }
}
