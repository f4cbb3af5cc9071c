// Reading and writing the options of one socket by the names of the catalogue.

import type { OptionName, OptionValues, SocketOptions } from '../catalogue/catalogue';
import { describeErrno } from '../core/errors';
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
import { isOptions, typeError, validateArray } from '../core/validate';
import type { Option } from './codec';
import { dscpWords, readDscp } from './dscp';
import { encode, optionNamed, optionsToTry, writableOption } from './option';
import {
  after,
  answered,
  decodeAt,
  read,
  readWhatAnswers,
  refusal,
  requireTcp,
  write,
} from './records';

/**
 * Reads one option from the kernel: `getOption(socket, 'userTimeout')`.
 *
 * Durations come in milliseconds, sizes in bytes. One getsockopt(2).
 * @throws SocketOptionError `ENOPROTOOPT` where this system or this kind of socket does not have
 *   the option (before any system call where that is known), other codes as the kernel gives them,
 *   `ERR_SOCKET_*` for a socket that is not open.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for a name that is none.
 */
export function getOption<Name extends OptionName>(
  socket: SocketLike,
  name: Name,
): OptionValues[Name] {
  const option = optionNamed(name, 'getsockopt');
  if (isDscp(option)) return dscpOf(descriptorOf(socket), option) as OptionValues[Name];
  read(socket, [option]);
  return decodeAt(0, option) as OptionValues[Name];
}

/**
 * Reads several options from the kernel in one native call: those named, or else every option that
 * this kind of socket answers.
 *
 * @throws as {@link getOption}, where options are named; without names, what the socket does not
 *   have is left out.
 */
export function getOptions(socket: SocketLike): Partial<OptionValues>;
export function getOptions<Name extends OptionName>(
  socket: SocketLike,
  names: readonly Name[],
): Pick<OptionValues, Name>;
export function getOptions(
  socket: SocketLike,
  names?: readonly OptionName[],
): Partial<OptionValues> {
  const wanted = names === undefined ? optionsToTry() : optionsNamed(names);
  const fd = descriptorOf(socket);
  // Before the others, whose records are read from the same memory.
  const dscp = wanted.find(isDscp);
  const dscpHeld = dscp && (names ? dscpOf(fd, dscp) : readDscp(fd));
  const others = dscp ? wanted.filter((option) => option !== dscp) : wanted;
  if (names === undefined) readWhatAnswers(fd, others);
  else read(fd, others);

  const values: Record<string, unknown> = {};
  let at = 0;
  for (const option of others) {
    if (answered(at)) values[option.name] = decodeAt(at, option);
    at = after(at, option);
  }
  if (dscpHeld !== undefined) values.dscp = dscpHeld;
  return values as Partial<OptionValues>;
}

/** Each option once: the scratch buffer has room for that. */
function optionsNamed(names: readonly string[]): Option[] {
  const wanted = validateArray(names, 'names', 'an array of option names');
  return [...new Set(wanted.map((name) => optionNamed(name as string, 'getsockopt')))];
}

function isDscp({ row }: Option): boolean {
  return row.kind === 'dscp';
}

function dscpOf(fd: number, option: Option): number {
  const dscp = readDscp(fd);
  if (dscp !== undefined) return dscp;
  read(fd, [option]);
  return decodeAt(0, option) as number;
}

/**
 * Sets options: `setOptions(socket, { userTimeout: 30_000, noDelay: true })`.
 *
 * Every value is checked before the first system call; then all go down in one native call, in the
 * order of the catalogue (keepalive: initial delay, interval, count, and the switch last).
 * `undefined` is left alone. Durations are in milliseconds and rounded up to the kernel's unit.
 * @throws TypeError, RangeError for a wrong value; nothing was set then.
 * @throws SocketOptionError for a call that the kernel refused; `applied` names the options that
 *   had been set before it, and `ENOPROTOOPT` is what this system does not have (nothing was set).
 */
export function setOptions(socket: SocketLike, options: SocketOptions): void {
  const writes = pendingWritesFor(options);
  const fd = descriptorOf(socket);
  const { wanted, values } = writes;
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
 * Sets each option of a TCP socket separately. Leaves out what its family or protocol does not have; a refused
 * option does not keep the others from being set. Returns the errors of the refused options. Not public.
 */
export function setEach(socket: SocketLike, options: SocketOptions): Error[] {
  const writes = pendingWritesFor(options);
  const fd = descriptorOf(socket);
  if (writes.dscp !== undefined) resolveDscp(writes, fd);
  const applied: string[] = [];
  const errors: Error[] = [];
  for (let i = 0; i < writes.count; i++) {
    const option = writes.wanted[i] as Option;
    put(0, option, writes.values[i] as Encoded);
    if (setRecords(fd, 1) === 1) {
      applied.push(option.name);
      continue;
    }
    const errno = words[2] as number;
    if (!isWithout(fd, option, errno)) errors.push(refusal(errno, option, [...applied]));
  }
  return errors;
}

const NOT_THERE = ['ENOPROTOOPT', 'ENOTSUP', 'EOPNOTSUPP'];

/** Whether an option was refused because the socket's family or protocol does not have it. */
function isWithout(fd: number, { level, option, codec }: Option, errno: number): boolean {
  const [code] = describeErrno(errno);
  if (NOT_THERE.includes(code)) return true;
  if (code !== 'EINVAL') return false;
  // XNU and FreeBSD say so of an option of the other IP version, and then refuse to read it too.
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

function pendingWritesFor(options: SocketOptions, path?: string): PendingWrites {
  if (!isOptions(options)) {
    throw typeError(path ?? 'options', 'an object of options', options);
  }
  const writes = takeFromPool();
  for (const name in options) {
    if (!hasOwn.call(options, name)) continue;
    add(writes, name, options[name as keyof SocketOptions], path);
  }
  return writes;
}

const hasOwn = Object.prototype.hasOwnProperty;

/** A checked value as the kernel takes it. */
type Encoded = number | Uint8Array;

/** Checked values on their way to the kernel, in the order of writing. */
interface PendingWrites {
  readonly wanted: Option[];
  readonly values: Encoded[];
  count: number;
  /** The value of `dscp`, whose options are known when the socket is. */
  dscp: number | undefined;
}

/** Writes whose arrays have grown already, for the next call: growing them takes as long as a system call. */
let pool: PendingWrites | undefined;

/** Returns empty writes. A call that a getter of the caller makes within a call gets writes of its own. */
function takeFromPool(): PendingWrites {
  const writes = pool ?? { wanted: [], values: [], count: 0, dscp: undefined };
  pool = undefined;
  writes.count = 0;
  writes.dscp = undefined;
  return writes;
}

/** Puts the options that this socket has for `dscp` in their place. */
function resolveDscp(writes: PendingWrites, fd: number): void {
  for (const { option, word } of dscpWords(fd, writes.dscp as number)) insert(writes, option, word);
}

/** Adds a value, checked, in its option's place in the catalogue; `undefined` is left alone. */
function add(writes: PendingWrites, name: string, value: unknown, path?: string): void {
  if (value === undefined) return;
  const option = writableOption(name, path);
  const encoded = encode(value, option, path === undefined ? option.path : `${path}.${name}`);
  if (isDscp(option)) writes.dscp = encoded as number;
  else insert(writes, option, encoded);
}

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
