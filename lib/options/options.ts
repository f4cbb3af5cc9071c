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
import { isOptions, rangeError, typeError } from '../core/validate';
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

/** More names than that are no list of options, but a sparse array or a Proxy. */
const MOST_NAMES = 65_536;

/** Each option once: the scratch buffer has room for that. */
function optionsNamed(names: readonly string[]): Option[] {
  if (!Array.isArray(names)) throw typeError('names', 'an array of option names', names);
  const { length } = names;
  if (length > MOST_NAMES) throw rangeError('names.length', `<= ${MOST_NAMES}`, length);
  const wanted = new Set<Option>();
  for (let i = 0; i < length; i++) wanted.add(optionNamed(names[i] as string, 'getsockopt'));
  return [...wanted];
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
  const draft = draftOf(options);
  const fd = descriptorOf(socket);
  const { wanted, values } = draft;
  if (draft.count > 0 && wanted[0]?.tcpOnly && values[0] !== 0) requireTcp(fd, wanted[0]);
  if (draft.dscp !== undefined) resolveDscp(draft, fd);
  const { count } = draft;
  let at = 0;
  for (let i = 0; i < count; i++) at = put(at, wanted[i] as Option, values[i] as Encoded);
  spare = draft;
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
  const draft = draftOf(options);
  const fd = descriptorOf(socket);
  if (draft.dscp !== undefined) resolveDscp(draft, fd);
  const applied: string[] = [];
  const errors: Error[] = [];
  for (let i = 0; i < draft.count; i++) {
    const option = draft.wanted[i] as Option;
    put(0, option, draft.values[i] as Encoded);
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

/** Throws what {@link setOptions} would throw before the first system call. Not public. */
export function checkOptions(options: SocketOptions): void {
  draftOf(options);
}

function draftOf(options: SocketOptions): Draft {
  if (!isOptions(options)) {
    throw typeError('options', 'an object of options', options);
  }
  const draft = newDraft();
  for (const name in options) {
    if (!hasOwn.call(options, name)) continue;
    add(draft, name, options[name as keyof SocketOptions]);
  }
  return draft;
}

const hasOwn = Object.prototype.hasOwnProperty;

/** A checked value as the kernel takes it. */
type Encoded = number | Uint8Array;

/** Checked values on their way to the kernel, in the order of writing. */
interface Draft {
  readonly wanted: Option[];
  readonly values: Encoded[];
  count: number;
  /** The value of `dscp`, whose options are known when the socket is. */
  dscp: number | undefined;
}

/** A draft whose arrays have grown already: growing them takes as long as a system call. */
let spare: Draft | undefined;

/** An empty draft; one of its own for a call that a getter of the caller's makes within a call. */
function newDraft(): Draft {
  const draft = spare ?? { wanted: [], values: [], count: 0, dscp: undefined };
  spare = undefined;
  draft.count = 0;
  draft.dscp = undefined;
  return draft;
}

/** Puts the options that this socket has for `dscp` in their place. */
function resolveDscp(draft: Draft, fd: number): void {
  for (const { option, word } of dscpWords(fd, draft.dscp as number)) insert(draft, option, word);
}

/** Adds a value, checked, in its option's place in the catalogue; `undefined` is left alone. */
function add(draft: Draft, name: string, value: unknown): void {
  if (value === undefined) return;
  const option = writableOption(name);
  const encoded = encode(value, option, name);
  if (isDscp(option)) draft.dscp = encoded as number;
  else insert(draft, option, encoded);
}

function insert(draft: Draft, option: Option, encoded: Encoded): void {
  const { wanted, values } = draft;
  let place = draft.count++;
  for (; place > 0 && (wanted[place - 1] as Option).order > option.order; place--) {
    wanted[place] = wanted[place - 1] as Option;
    values[place] = values[place - 1] as Encoded;
  }
  wanted[place] = option;
  values[place] = encoded;
}
