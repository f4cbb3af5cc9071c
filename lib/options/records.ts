// Writes options as records into the buffer that the addon reads, and reads the results from it.

import { constantTables } from '../core/constants';
import { describeErrno, systemError } from '../core/errors';
import {
  getRecords,
  RECORD_HEADER_WORDS,
  reserveRecord,
  setRecords,
  words,
} from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import type { Option } from './codec';
import { familyOf } from './family';
import { MISSING_CODES, optionNamed, optionOf } from './option';
import { mustBeSetBefore } from './too-late';

/** Returns where the next record begins, after the record at `at` that was reserved to read `option`. */
export function after(at: number, option: Option): number {
  return at + RECORD_HEADER_WORDS + ((option.codec.room + 3) >> 2);
}

/** Whether the kernel wrote a value into the record at `at`. */
export function hasValue(at: number): boolean {
  return (words[at + 2] as number) >= 0;
}

/** Decodes the value that the kernel wrote into the record at `at`. */
export function decodeAt(at: number, option: Option): unknown {
  return option.codec.decode(at + RECORD_HEADER_WORDS, words[at + 2] as number, option);
}

/** Reads options into the record buffer. Throws for the first refused one. */
export function read(socket: SocketLike, options: readonly Option[]): void {
  if (readRecords(socket, options) !== options.length) throw readError(options);
}

/** Reads options into the record buffer. Throws only if the socket has none of them. */
export function readAvailable(socket: SocketLike, options: readonly Option[]): void {
  if (readRecords(socket, options) === 0 && options.length > 0) throw readError(options);
}

function readRecords(socket: SocketLike, options: readonly Option[]): number {
  const fd = descriptorOf(socket);
  let at = 0;
  for (let i = 0; i < options.length; i++) {
    const { level, option, codec } = options[i] as Option;
    at = reserveRecord(at, level, option, codec.room);
  }
  return getRecords(fd, options.length);
}

function readError(options: readonly Option[]): Error {
  let at = 0;
  for (const option of options) {
    if (!hasValue(at)) {
      return systemError(words[at + 2] as number, 'getsockopt', option.platformOption.name);
    }
    at = after(at, option);
  }
  throw new RangeError('the options do not fit into the record buffer');
}

/**
 * Sets the options of the first `count` records, in their order. Throws for a refused one. `options` are the options of
 * the records. Without them, the error finds them by their numbers.
 */
export function write(fd: number, count: number, options?: readonly Option[]): void {
  const done = setRecords(fd, count);
  if (done !== count) throw writeError(fd, done, options);
}

/** The error for the record after the `done` options that were set. */
function writeError(fd: number, done: number, options?: readonly Option[]): Error {
  const optionAt = (at: number, i: number): Option =>
    options?.[i] ?? optionOf(words[at] as number, words[at + 1] as number);
  // A Set, because `dscp` can have two records.
  const applied = new Set<string>();
  let at = 0;
  for (let i = 0; i < done; i++) {
    applied.add(optionAt(at, i).name);
    at += RECORD_HEADER_WORDS + (((words[at + 2] as number) + 3) >> 2);
  }
  return refusedError(fd, words[at + 2] as number, optionAt(at, done), [...applied]);
}

/**
 * The error for an option that the kernel refused with `errno`, after the options `applied` were set. It uses the record
 * buffer.
 */
export function refusedError(
  fd: number,
  errno: number,
  option: Option,
  applied: readonly string[],
): Error {
  const hint = hintFor(fd, describeErrno(errno)[0], option);
  return systemError(errno, 'setsockopt', option.platformOption.name, { hint, applied });
}

/** Returns why the kernel refused an option, according to the catalogue. */
function hintFor(fd: number, code: string, { row, level }: Option): string | undefined {
  const meaning = row.refusals?.[code];
  if (meaning !== undefined) return meaning;
  const denied = code === 'EPERM' || code === 'EACCES';
  if (denied && row.privilege !== undefined) return `it needs ${row.privilege}`;
  if (code === 'EINVAL' && row.before !== undefined) return `it ${mustBeSetBefore(row)}`;
  if (!MISSING_CODES.includes(code)) return undefined;
  if (level === constantTables().values.IPPROTO_IPV6 && familyOf(fd) === 4) {
    return 'it is for IPv6, and the socket is for IPv4';
  }
  if (isMptcp(fd)) return 'Multipath TCP does not have it';
  return undefined;
}

function isMptcp(fd: number): boolean {
  const { IPPROTO_MPTCP: mptcp } = constantTables().values;
  if (mptcp === undefined) return false;
  const { level, option, codec } = optionNamed('protocol', 'getsockopt');
  reserveRecord(0, level, option, codec.room);
  return getRecords(fd, 1) === 1 && words[RECORD_HEADER_WORDS] === mptcp;
}

/** The codes with which other sockets refuse an option of TCP. */
const NOT_TCP = [...MISSING_CODES, 'EINVAL'];

/**
 * Throws for a socket that is not TCP, before its SO_KEEPALIVE is set. Kernels accept this option on every socket and use
 * it only for TCP. A call that also sets a keepalive time needs no check: the kernel refuses the time.
 */
export function requireTcp(fd: number, option: Option): void {
  const tcp = optionNamed('noDelay', 'getsockopt');
  reserveRecord(0, tcp.level, tcp.option, tcp.codec.room);
  if (getRecords(fd, 1) === 1) return;
  const errno = words[2] as number;
  const { name } = option.platformOption;
  if (NOT_TCP.includes(describeErrno(errno)[0])) {
    throw systemError(errno, 'setsockopt', name, { hint: 'only TCP sockets support it' });
  }
  const hint = `cannot find out whether the socket is TCP, and only TCP supports ${name}`;
  throw systemError(errno, 'getsockopt', tcp.platformOption.name, { hint });
}
