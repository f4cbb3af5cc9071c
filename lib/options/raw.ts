// The escape hatch: any option by the kernel's own numbers.

import { constantTables } from '../core/constants';
import { systemError } from '../core/errors';
import {
  bytes,
  getRecords,
  MAX_VALUE_BYTES,
  RECORD_HEADER_WORDS,
  reserveRecord,
  setRecords,
  tcpInfoWords,
  words,
  writeBytesRecord,
  writeIntRecord,
} from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { copyBytes, typedArrayKind } from '../core/typed-arrays';
import { typeError, validateNumber, valueError } from '../core/validate';
import { refuseUnsafeOption } from './unsafe-options';

const INT = { integer: true, min: -2_147_483_648, max: 2_147_483_647 };
/** A C int, written as a signed or an unsigned number. */
const INT_OR_UNSIGNED = { ...INT, max: 4_294_967_295 };
const LENGTH = { integer: true, min: 0, max: MAX_VALUE_BYTES };

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
 * constants.TCP_KEEPIDLE)` returns an int as the kernel holds it, in the kernel's unit.
 *
 * With `length`, it returns the bytes that the kernel wrote into that much room (0 to 16 356): an empty
 * Buffer where the kernel wrote none. Without `length`, the kernel has to write an int of 4 bytes, or a
 * single byte. A longer value is cut off after 4 bytes: pass its length.
 *
 * The kernel finds only zeros in the room. So an option that takes input while it is read is asked
 * with zeros (`TCP_AO_INFO`). Options are refused with which the kernel would read or write memory
 * beyond the value, or open a descriptor: `SO_ATTACH_FILTER`, `SO_PEERPIDFD`, `TCP_ZEROCOPY_RECEIVE`,
 * `TCP_AO_GET_KEYS`, `MPTCP_FULL_INFO`, `EBT_SO_GET_ENTRIES` and `SCTP_SOCKOPT_PEELOFF` on Linux,
 * `SO_LABEL` and `IP_MSFILTER` on macOS, and those like them.
 *
 * Reading `SO_ERROR` clears it, and with it the error that Node waits for.
 * @throws TypeError, RangeError for a wrong argument, before any system call. `ERR_INVALID_ARG_VALUE`
 *   for an option that is refused as above, and, after the system call, for a call without `length`
 *   where the kernel wrote no int (`TCP_ULP`, `IP_OPTIONS`).
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
  validateNumber(level, 'level', INT);
  validateNumber(name, 'name', INT);
  const room = length === undefined ? 4 : validateNumber(length, 'length', LENGTH);
  refuseUnsafeOption('getsockopt', level, name);
  const fd = descriptorOf(socket);
  forgetEarlierCalls();
  reserveRecord(0, level, name, room);
  if (getRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'getsockopt', nameOf(level, name));
  }
  const written = Math.min(words[2] as number, room);
  if (length === undefined) return intOf(written, level, name);
  // A copy in memory of its own: the scratch buffer belongs to the next call, and Node's pool to all.
  return Buffer.from(
    bytes.slice(RECORD_HEADER_WORDS * 4, RECORD_HEADER_WORDS * 4 + written).buffer,
  );
}

/**
 * Kernels take input from the value, also while they read an option, and some look past its length
 * (do_ebt_get_ctl of Linux): all that they can find there is zeros.
 */
function forgetEarlierCalls(): void {
  words.fill(0);
  tcpInfoWords.fill(0);
}

/** The int that the kernel wrote, or the byte: what it writes for some switches. */
function intOf(written: number, level: number, name: number): number {
  if (written === 4) return words[RECORD_HEADER_WORDS] as number;
  if (written === 1) return bytes[RECORD_HEADER_WORDS * 4] as number;
  const reason = `must be given for ${nameOf(level, name)}: the kernel wrote ${written} bytes, which are no int`;
  throw valueError('length', reason, undefined);
}

/** The value as it is now: nothing that a getter or another thread does later changes it. */
function copyOfValue(value: unknown): number | Uint8Array {
  if (typedArrayKind(value) === 'Uint8Array') return copyBytes(value, 'value', MAX_VALUE_BYTES);
  if (typeof value !== 'number') throw typeError('value', 'an integer or a Uint8Array', value);
  return validateNumber(value, 'value', INT_OR_UNSIGNED);
}

/**
 * Sets any socket option by its numbers: `setRawOption(socket, constants.IPPROTO_TCP,
 * constants.TCP_KEEPIDLE, 30)`. A number goes down as a C int, in the kernel's unit. The bytes of a
 * Uint8Array go down as they are at the call (at most 16 356).
 *
 * Only the types of the arguments are checked. Options are refused whose value holds an address that
 * the kernel reads from or writes to: `SO_ATTACH_FILTER`, `SO_ATTACH_REUSEPORT_CBPF`,
 * `IPT_SO_SET_REPLACE`, `XDP_UMEM_REG` on Linux, `SO_LABEL` and `IP_MSFILTER` on macOS, and those like
 * them.
 * @throws TypeError, RangeError for a wrong argument, before any system call. `ERR_INVALID_ARG_VALUE`
 *   for an option that is refused as above.
 * @throws SocketOptionError for a call that the kernel refused, and for a socket that is not open.
 */
export function setRawOption(
  socket: SocketLike,
  level: number,
  name: number,
  value: number | Uint8Array,
): void {
  validateNumber(level, 'level', INT);
  validateNumber(name, 'name', INT);
  const copy = copyOfValue(value);
  refuseUnsafeOption('setsockopt', level, name);
  const fd = descriptorOf(socket);
  forgetEarlierCalls();
  if (typeof copy === 'number') writeIntRecord(0, level, name, copy);
  else writeBytesRecord(0, level, name, copy);
  if (setRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'setsockopt', nameOf(level, name));
  }
}
