// Options as records of the scratch buffer: laid down, handed to the addon, read back.

import { binding, HEAD, putBytes, putRoom, putWord, words } from './binding';
import type { Option } from './codec';
import { describeErrno, systemError } from './error';
import { optionNamed } from './option';
import { descriptorOf, type SocketLike } from './socket';

/** Where the record after that of `option` at `at` begins, when it was laid down to be read. */
export function after(at: number, option: Option): number {
  return at + HEAD + ((option.codec.room + 3) >> 2);
}

/** Whether the kernel answered the record at `at`. */
export function answered(at: number): boolean {
  return (words[at + 2] as number) >= 0;
}

/** The value that the kernel wrote into the record at `at`. */
export function decodeAt(at: number, option: Option): unknown {
  return option.codec.decode(at + HEAD, words[at + 2] as number, option);
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
  for (const { level, option, codec } of options) at = putRoom(at, level, option, codec.room);
  return binding().getOptions(fd, options.length);
}

function refusedToRead(options: readonly Option[]): Error {
  let at = 0;
  for (const option of options) {
    if (!answered(at)) {
      return systemError(words[at + 2] as number, 'getsockopt', option.spelling.name);
    }
    at = after(at, option);
  }
  throw new RangeError('the options do not fit into the scratch buffer');
}

/**
 * Writes checked values, in order. The descriptor is looked up last: no code of the caller's (a
 * getter, a valueOf) runs between that and the system call.
 */
export function write(
  socket: SocketLike,
  options: readonly Option[],
  values: readonly (number | Uint8Array)[],
): void {
  const fd = descriptorOf(socket);
  const first = options[0];
  if (first?.row.tcpOnly && values[0] !== 0) requireTcp(fd, first);
  let at = 0;
  for (let i = 0; i < options.length; i++) {
    const { level, option } = options[i] as Option;
    const value = values[i] as number | Uint8Array;
    at =
      typeof value === 'number'
        ? putWord(at, level, option, value)
        : putBytes(at, level, option, value);
  }
  const done = binding().setOptions(fd, options.length);
  if (done !== options.length) throw refusedToWrite(options, values, done);
}

function refusedToWrite(
  options: readonly Option[],
  values: readonly (number | Uint8Array)[],
  done: number,
): Error {
  let at = 0;
  for (const value of values.slice(0, done)) {
    at += HEAD + (typeof value === 'number' ? 1 : (value.length + 3) >> 2);
  }
  const option = options[done] as Option;
  const errno = words[at + 2] as number;
  return systemError(errno, 'setsockopt', option.spelling.name, {
    hint: hintFor(describeErrno(errno)[0], option),
    applied: options.slice(0, done).map(({ name }) => name),
  });
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

/**
 * Kernels accept SO_KEEPALIVE on any socket and act on it only for TCP: a silent no-op. Where a
 * keepalive value is written first it is refused with that; where the switch is alone, ask.
 */
function requireTcp(fd: number, option: Option): void {
  const tcp = optionNamed('noDelay', 'getsockopt');
  putRoom(0, tcp.level, tcp.option, tcp.codec.room);
  if (binding().getOptions(fd, 1) === 1) return;
  const errno = words[2] as number;
  const hint = describeErrno(errno)[0] === 'EBADF' ? undefined : 'only a TCP socket acts on it';
  throw systemError(errno, 'setsockopt', option.spelling.name, { hint });
}
