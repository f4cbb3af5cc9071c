// Options as records of the scratch buffer: laid down, handed to the addon, read back.

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
import { optionNamed, optionOf } from './option';

/** Where the record after that of `option` at `at` begins, when it was laid down to be read. */
export function after(at: number, option: Option): number {
  return at + RECORD_HEADER_WORDS + ((option.codec.room + 3) >> 2);
}

/** Whether the kernel answered the record at `at`. */
export function answered(at: number): boolean {
  return (words[at + 2] as number) >= 0;
}

/** The value that the kernel wrote into the record at `at`. */
export function decodeAt(at: number, option: Option): unknown {
  return option.codec.decode(at + RECORD_HEADER_WORDS, words[at + 2] as number, option);
}

/** Reads options into the scratch buffer; throws for the first that is refused. */
export function read(socket: SocketLike, options: readonly Option[]): void {
  if (readRecords(socket, options) !== options.length) throw refusedToRead(options);
}

/** Reads options into the scratch buffer, of which a socket need not answer all, but some. */
export function readWhatAnswers(socket: SocketLike, options: readonly Option[]): void {
  if (readRecords(socket, options) === 0 && options.length > 0) throw refusedToRead(options);
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

function refusedToRead(options: readonly Option[]): Error {
  let at = 0;
  for (const option of options) {
    if (!answered(at)) {
      return systemError(words[at + 2] as number, 'getsockopt', option.platformOption.name);
    }
    at = after(at, option);
  }
  throw new RangeError('the options do not fit into the scratch buffer');
}

/**
 * Writes the first `count` records, which were laid down in order; throws for one refused. `options` names
 * them; without it, their numbers do.
 */
export function write(fd: number, count: number, options?: readonly Option[]): void {
  const done = setRecords(fd, count);
  if (done !== count) throw refusedToWrite(done, options);
}

/** The error for the record after the `done` that were written. */
function refusedToWrite(done: number, options?: readonly Option[]): Error {
  const optionAt = (at: number, i: number): Option =>
    options?.[i] ?? optionOf(words[at] as number, words[at + 1] as number);
  // A Set: `dscp` has two records.
  const applied = new Set<string>();
  let at = 0;
  for (let i = 0; i < done; i++) {
    applied.add(optionAt(at, i).name);
    at += RECORD_HEADER_WORDS + (((words[at + 2] as number) + 3) >> 2);
  }
  return refusal(words[at + 2] as number, optionAt(at, done), [...applied]);
}

/** The error for an option that the kernel refused with `errno`, after `applied` had been set. */
export function refusal(errno: number, option: Option, applied: readonly string[]): Error {
  const hint = hintFor(describeErrno(errno)[0], option);
  return systemError(errno, 'setsockopt', option.platformOption.name, { hint, applied });
}

/** What the catalogue knows of why an option may be refused. */
function hintFor(code: string, { row }: Option): string | undefined {
  const meaning = row.refusals?.[code];
  if (meaning !== undefined) return meaning;
  const denied = code === 'EPERM' || code === 'EACCES';
  if (denied && row.privilege !== undefined) return `it takes ${row.privilege}`;
  if (code === 'EINVAL' && row.before !== undefined) return `it is to be set before ${row.before}`;
  return undefined;
}

/** What other sockets say to an option of TCP. */
const NOT_TCP = ['ENOPROTOOPT', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL'];

/**
 * Kernels accept SO_KEEPALIVE on any socket and act on it only for TCP: a silent no-op. Where a
 * keepalive value is written first it is refused with that; where the switch is alone, ask.
 */
export function requireTcp(fd: number, option: Option): void {
  const tcp = optionNamed('noDelay', 'getsockopt');
  reserveRecord(0, tcp.level, tcp.option, tcp.codec.room);
  if (getRecords(fd, 1) === 1) return;
  const errno = words[2] as number;
  const { name } = option.platformOption;
  if (NOT_TCP.includes(describeErrno(errno)[0])) {
    throw systemError(errno, 'setsockopt', name, { hint: 'only a TCP socket acts on it' });
  }
  const hint = `asked before ${name}, on which only a TCP socket acts`;
  throw systemError(errno, 'getsockopt', tcp.platformOption.name, { hint });
}
