// Reads and sets any option by the kernel's own numbers.

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
import { rejectUnsafeOption } from './unsafe-options';

const INT = { integer: true, min: -2_147_483_648, max: 2_147_483_647 };
/** A C int, written as a signed or an unsigned number. */
const INT_OR_UNSIGNED = { ...INT, max: 4_294_967_295 };
const LENGTH = { integer: true, min: 0, max: MAX_VALUE_BYTES };

/** Names an option in an error: by the kernel's name, if a constant has these numbers. */
function nameOf(level: number, name: number): string {
  const { levels, values } = constantTables();
  for (const constant of Object.keys(levels)) {
    if (levels[constant] === level && values[constant] === name) return constant;
  }
  return `${level}/${name}`;
}

/**
 * Reads any socket option by its numbers.
 *
 * With `length` it returns the bytes that the kernel wrote into a buffer of this size: an empty Buffer if it wrote
 * none. Without `length`, the kernel must write an int of 4 bytes or a single byte. A longer value is cut off after 4
 * bytes: pass its length.
 *
 * The buffer is zero before the call, also for an option that takes input while it is read (`TCP_AO_INFO`). This
 * function rejects options with which the kernel would read or write memory beyond the value, or open a descriptor:
 * `SO_ATTACH_FILTER`, `SO_PEERPIDFD`, `TCP_ZEROCOPY_RECEIVE`, `TCP_AO_GET_KEYS`, `MPTCP_FULL_INFO`,
 * `EBT_SO_GET_ENTRIES` and `SCTP_SOCKOPT_PEELOFF` on Linux, `SO_LABEL` and `IP_MSFILTER` on macOS, and similar ones.
 *
 * Reading `SO_ERROR` clears it. Node then misses this error.
 * @example
 * ```ts
 * getRawOption(socket, constants.IPPROTO_TCP, constants.TCP_KEEPIDLE as number); // 30 (seconds)
 * ```
 * @param socket The socket, or its descriptor.
 * @param level Number of the level: `constants.SOL_SOCKET`, `constants.IPPROTO_TCP` and others.
 * @param name Number of the option: `constants.TCP_KEEPIDLE` and others.
 * @returns The int, in the kernel's unit; with `length` the bytes as a Buffer.
 * @throws TypeError, RangeError for a wrong argument, before any system call. `ERR_INVALID_ARG_VALUE` for a rejected
 *   option, and, after the system call, without `length` if the kernel wrote no int (`TCP_ULP`, `IP_OPTIONS`).
 * @throws SocketOptionError for a call that the kernel refused, `ERR_SOCKET_*` for a socket that is not open.
 * @systems Every system, with its own numbers: see {@link constants}.
 * @see getsockopt(2)
 */
export function getRawOption(socket: SocketLike, level: number, name: number): number;
/**
 * Reads the bytes of any socket option by its numbers.
 * @param length Size of the buffer in bytes: 0 to 16 356.
 */
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
  rejectUnsafeOption('getsockopt', level, name);
  const fd = descriptorOf(socket);
  clearBuffer();
  reserveRecord(0, level, name, room);
  if (getRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'getsockopt', nameOf(level, name));
  }
  const written = Math.min(words[2] as number, room);
  if (length === undefined) return intOf(written, level, name);
  // A copy in its own memory: the record buffer belongs to the next call, and Node's pool to all Buffers.
  return Buffer.from(
    bytes.slice(RECORD_HEADER_WORDS * 4, RECORD_HEADER_WORDS * 4 + written).buffer,
  );
}

/**
 * Clears the data of earlier calls. Kernels also take input from the value of an option that they read, and some read
 * past its end (do_ebt_get_ctl in Linux).
 */
function clearBuffer(): void {
  words.fill(0);
  tcpInfoWords.fill(0);
}

/** Returns the int that the kernel wrote, or the single byte that it writes for some switches. */
function intOf(written: number, level: number, name: number): number {
  if (written === 4) return words[RECORD_HEADER_WORDS] as number;
  if (written === 1) return bytes[RECORD_HEADER_WORDS * 4] as number;
  const reason = `must be given for ${nameOf(level, name)}: the kernel wrote ${written} bytes, and an int has 4`;
  throw valueError('length', reason, undefined);
}

/** Returns a copy of the value, which neither a getter nor another thread can change later. */
function copyOfValue(value: unknown): number | Uint8Array {
  if (typedArrayKind(value) === 'Uint8Array') return copyBytes(value, 'value', MAX_VALUE_BYTES);
  if (typeof value !== 'number') throw typeError('value', 'an integer or a Uint8Array', value);
  return validateNumber(value, 'value', INT_OR_UNSIGNED);
}

/**
 * Sets any socket option by its numbers.
 *
 * Only the types of the arguments are checked. This function rejects options whose value holds an address that the
 * kernel reads from or writes to: `SO_ATTACH_FILTER`, `SO_ATTACH_REUSEPORT_CBPF`, `IPT_SO_SET_REPLACE`, `XDP_UMEM_REG`
 * on Linux, `SO_LABEL` and `IP_MSFILTER` on macOS, and similar ones.
 * @example
 * ```ts
 * setRawOption(socket, constants.IPPROTO_TCP, constants.TCP_KEEPIDLE as number, 30); // seconds
 * ```
 * @param socket The socket, or its descriptor.
 * @param level Number of the level: `constants.SOL_SOCKET`, `constants.IPPROTO_TCP` and others.
 * @param name Number of the option: `constants.TCP_KEEPIDLE` and others.
 * @param value A number from -2^31 to 2^32 - 1 is set as a C int, in the kernel's unit. A Uint8Array is copied, at most
 *   16 356 bytes.
 * @throws TypeError, RangeError for a wrong argument, before any system call. `ERR_INVALID_ARG_VALUE` for a rejected
 *   option.
 * @throws SocketOptionError for a call that the kernel refused, `ERR_SOCKET_*` for a socket that is not open.
 * @systems Every system, with its own numbers: see {@link constants}.
 * @see setsockopt(2)
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
  rejectUnsafeOption('setsockopt', level, name);
  const fd = descriptorOf(socket);
  clearBuffer();
  if (typeof copy === 'number') writeIntRecord(0, level, name, copy);
  else writeBytesRecord(0, level, name, copy);
  if (setRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'setsockopt', nameOf(level, name));
  }
}
