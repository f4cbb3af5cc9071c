// Reads and sets options of one socket by the names of the catalogue.

import type { OptionName, OptionValues, SocketOptions } from '../catalogue/catalogue';
import { describeErrno, unsupportedError } from '../core/errors';
import {
  getRecords,
  reserveRecord,
  setRecords,
  words,
  writeBytesRecord,
  writeIntRecord,
} from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { hiddenOption, isHidden, isOptions, typeError, validateArray } from '../core/validate';
import type { Option } from './codec';
import { dscpWords, readDscp } from './dscp';
import {
  encode,
  MISSING_CODES,
  optionNamed,
  possibleOptions,
  validateIfChosen,
  writableOption,
} from './option';
import { readOriginalDestination } from './original-destination';
import {
  after,
  decodeAt,
  hasValue,
  read,
  readAvailable,
  refusedError,
  requireTcp,
  write,
} from './records';
import { rejectTooLate, stateOf, tooLateError } from './too-late';

/**
 * Reads one option of a socket from the kernel, by one getsockopt(2).
 * @example
 * ```ts
 * getOption(socket, 'userTimeout'); // 30 000 (ms)
 * ```
 * @param socket The socket, or its descriptor.
 * @param name The name of the option in the catalogue.
 * @returns The kernel's value: durations in milliseconds, sizes in bytes; `null` if the kernel reports none.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for a name that is not in the catalogue.
 * @throws SocketOptionError `ENOPROTOOPT` if this system does not have the option (before any system call), or this
 *   kind of socket; other codes of the kernel; `ERR_SOCKET_*` for a socket that is not open.
 * @systems Every system, for the options that it has: see {@link OptionValues}.
 * @see getsockopt(2)
 */
export function getOption<Name extends OptionName>(
  socket: SocketLike,
  name: Name,
): OptionValues[Name] {
  const option = optionNamed(name, 'getsockopt');
  const reader = readerOf(option);
  if (reader !== undefined) {
    return readWith(reader, descriptorOf(socket), option) as OptionValues[Name];
  }
  read(socket, [option]);
  return decodeAt(0, option) as OptionValues[Name];
}

/**
 * Reads several options of a socket from the kernel, by one native call and one getsockopt(2) for each option.
 * @example
 * ```ts
 * const { keepAlive, userTimeout } = getOptions(socket, ['keepAlive', 'userTimeout']);
 * ```
 * @param socket The socket, or its descriptor.
 * @returns The kernel's values by name: durations in milliseconds, sizes in bytes.
 * @throws TypeError, SocketOptionError as {@link getOption} for each named option. Without `names`, it leaves out the
 *   options that the socket does not have.
 * @systems Every system, for the options that it has: see {@link OptionValues}.
 * @see getsockopt(2)
 */
export function getOptions(socket: SocketLike): Partial<OptionValues>;
/**
 * Reads the named options of a socket from the kernel. Without `names` it reads every option that the socket has.
 * @param names The names of the options in the catalogue.
 */
export function getOptions<Name extends OptionName>(
  socket: SocketLike,
  names: readonly Name[],
): Pick<OptionValues, Name>;
export function getOptions(
  socket: SocketLike,
  names?: readonly OptionName[],
): Partial<OptionValues> {
  const wanted = names === undefined ? possibleOptions() : optionsNamed(names);
  const fd = descriptorOf(socket);
  const values: Record<string, unknown> = {};
  // First, because the others use the same memory.
  for (const option of wanted) {
    const reader = readerOf(option);
    if (reader === undefined) continue;
    const value = names === undefined ? reader(fd) : readWith(reader, fd, option);
    if (value !== undefined) values[option.name] = value;
  }
  const others = wanted.filter((option) => readerOf(option) === undefined);
  if (names === undefined) readAvailable(fd, others);
  else read(fd, others);

  let at = 0;
  for (const option of others) {
    if (hasValue(at)) values[option.name] = decodeAt(at, option);
    at = after(at, option);
  }
  return values as Partial<OptionValues>;
}

/** Returns each option once: the record buffer has room for all options. */
function optionsNamed(names: readonly string[]): Option[] {
  const wanted = validateArray(names, 'names', 'an array of option names');
  const options = wanted.map((name, index) => {
    if (typeof name !== 'string') throw typeError(`names[${index}]`, 'the name of an option', name);
    return optionNamed(name, 'getsockopt');
  });
  return [...new Set(options)];
}

function isDscp({ row }: Option): boolean {
  return row.kind === 'dscp';
}

/** Reads an option; returns `undefined` for a socket without it. */
type Reader = (fd: number) => unknown;

/** Returns what reads an option that is two options of the kernel, one of each IP version. */
function readerOf({ row }: Option): Reader | undefined {
  if (row.kind === 'dscp') return readDscp;
  return row.kind === 'address' ? readOriginalDestination : undefined;
}

function readWith(reader: Reader, fd: number, option: Option): unknown {
  const value = reader(fd);
  if (value !== undefined) return value;
  // The kernel's refusal is the error.
  read(fd, [option]);
  const { name, ipv6 = name } = option.platformOption;
  throw unsupportedError(ipv6, 'getsockopt', 'this kind of socket does not have the option');
}

/**
 * Sets options of a socket, by one native call and one setsockopt(2) for each option.
 *
 * Every value is checked before the first system call. The options are set in the order of the catalogue (keepalive:
 * initial delay, interval, count, and the switch last).
 * @example
 * ```ts
 * setOptions(socket, { userTimeout: 30_000, noDelay: true });
 * ```
 * @param socket The socket, or its descriptor.
 * @param options The values: durations in milliseconds, rounded up to the kernel's unit, sizes in bytes. An option that
 *   is `undefined` keeps its value. `'system'` restores the system's default, for the options that accept it.
 * @throws TypeError, RangeError for an unknown name and a wrong value, with the allowed range. Nothing was set.
 * @throws SocketOptionError `ENOPROTOOPT` for an option that this system does not have. Nothing was set.
 * @throws SocketOptionError `ERR_SOCKET_TOO_LATE` for an option that acts only before bind, listen or connect. Nothing
 *   was set. `connect()`, `listen()`, `bind()`, `openSocket()` and `tuneSockets()` set it in time.
 * @throws SocketOptionError for an option that the kernel refused. `applied` names the options that were set before it.
 * @systems Every system, for the options that it has: each member of {@link SocketOptions} has its systems, the
 *   kernel's name and its source.
 * @see setsockopt(2)
 */
export function setOptions(socket: SocketLike, options: SocketOptions): void {
  const writes = pendingWritesFor(options);
  const fd = descriptorOf(socket);
  const { wanted, values } = writes;
  if (writes.canBeLate) rejectTooLate(fd, wanted, writes.count);
  if (writes.count > 0 && wanted[0]?.tcpOnly && values[0] !== 0) requireTcp(fd, wanted[0]);
  if (writes.dscp !== undefined) resolveDscp(writes, fd);
  const { count } = writes;
  let at = 0;
  for (let i = 0; i < count; i++) at = put(at, wanted[i] as Option, values[i] as Encoded);
  pool = writes;
  write(fd, count, wanted);
}

function put(at: number, { level, option }: Option, value: Encoded): number {
  return typeof value === 'number'
    ? writeIntRecord(at, level, option, value)
    : writeBytesRecord(at, level, option, value);
}

/**
 * Sets each option of a TCP socket separately, and returns the errors of the refused ones. It leaves out the options that
 * the family or the protocol of the socket does not have. Not public.
 */
export function setEach(socket: SocketLike, options: SocketOptions): Error[] {
  const writes = pendingWritesFor(options);
  const fd = descriptorOf(socket);
  const state = writes.canBeLate ? stateOf(fd) : undefined;
  if (writes.dscp !== undefined) resolveDscp(writes, fd);
  const applied: string[] = [];
  const errors: Error[] = [];
  for (let i = 0; i < writes.count; i++) {
    const option = writes.wanted[i] as Option;
    const tooLate = tooLateError(fd, option, state);
    if (tooLate !== undefined) {
      errors.push(tooLate);
      continue;
    }
    put(0, option, writes.values[i] as Encoded);
    if (setRecords(fd, 1) === 1) {
      applied.push(option.name);
      continue;
    }
    const errno = words[2] as number;
    if (!isMissing(fd, option, errno)) errors.push(refusedError(fd, errno, option, [...applied]));
  }
  return errors;
}

/** Whether an option was refused because the socket's family or protocol does not have it. */
function isMissing(fd: number, { level, option, codec }: Option, errno: number): boolean {
  const [code] = describeErrno(errno);
  if (MISSING_CODES.includes(code)) return true;
  if (code !== 'EINVAL') return false;
  // XNU and FreeBSD return EINVAL for an option of the other IP version, and also refuse to read it.
  reserveRecord(0, level, option, codec.room);
  return getRecords(fd, 1) === 0;
}

/**
 * Throws what {@link setOptions} would throw before the first system call. `path` names the options in an error.
 * Not public.
 */
export function validateSocketOptions(options: SocketOptions, path?: string): void {
  pendingWritesFor(options, path);
}

/** As {@link validateSocketOptions}. It accepts options that are chosen when a socket is opened, too. Not public. */
export function validateOpeningOptions(options: SocketOptions, path?: string): void {
  pendingWritesFor(options, path, true);
}

function pendingWritesFor(
  options: SocketOptions,
  path?: string,
  isOpening?: boolean,
): PendingWrites {
  if (!isOptions(options)) {
    throw typeError(path ?? 'options', 'an object of options', options);
  }
  const writes = takeFromPool();
  for (const name in options) {
    if (!hasOwn.call(options, name)) {
      if (isHidden(options, name)) throw hiddenOption(path ?? 'options', name);
      continue;
    }
    add(writes, name, options[name as keyof SocketOptions], path, isOpening);
  }
  return writes;
}

const hasOwn = Object.prototype.hasOwnProperty;

/** A value as the kernel takes it. */
type Encoded = number | Uint8Array;

/** Checked values on their way to the kernel, in the order of writing. */
interface PendingWrites {
  readonly wanted: Option[];
  readonly values: Encoded[];
  count: number;
  /** The value of `dscp`. Its kernel options depend on the socket. */
  dscp: number | undefined;
  /** Whether there is an option that can be set too late. */
  canBeLate: boolean;
}

/** Writes whose arrays have grown already, for the next call: growing them takes as long as a system call. */
let pool: PendingWrites | undefined;

/** Returns empty writes. A call that a getter of the caller makes within a call gets writes of its own. */
function takeFromPool(): PendingWrites {
  const writes = pool ?? { wanted: [], values: [], count: 0, dscp: undefined, canBeLate: false };
  pool = undefined;
  writes.count = 0;
  writes.dscp = undefined;
  writes.canBeLate = false;
  return writes;
}

/** Adds the kernel options that this socket has for `dscp`. */
function resolveDscp(writes: PendingWrites, fd: number): void {
  for (const { option, word } of dscpWords(fd, writes.dscp as number)) insert(writes, option, word);
}

/** Checks a value and adds it, unless it is `undefined`. */
function add(
  writes: PendingWrites,
  name: string,
  value: unknown,
  path?: string,
  isOpening?: boolean,
): void {
  if (value === undefined) return;
  // The caller chooses it when it opens the socket.
  if (isOpening && validateIfChosen(name, value, `${path ?? 'options'}.${name}`)) return;
  const option = writableOption(name, path);
  const encoded = encode(value, option, path === undefined ? option.path : `${path}.${name}`);
  if (option.tooLate !== undefined) writes.canBeLate = true;
  if (isDscp(option)) writes.dscp = encoded as number;
  else insert(writes, option, encoded);
}

/** Adds a value in the order of the catalogue. */
function insert(writes: PendingWrites, option: Option, encoded: Encoded): void {
  const { wanted, values } = writes;
  let place = writes.count++;
  for (; place > 0 && (wanted[place - 1] as Option).order > option.order; place--) {
    wanted[place] = wanted[place - 1] as Option;
    values[place] = values[place - 1] as Encoded;
  }
  wanted[place] = option;
  values[place] = encoded;
}
