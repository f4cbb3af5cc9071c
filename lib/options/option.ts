// A name of the catalogue -> the option as this system has it.

import {
  type OptionName,
  type Platform,
  type PlatformOption,
  type Row,
  rows,
} from '../catalogue/catalogue';
import { addon } from '../core/addon';
import { constantTables } from '../core/constants';
import { describeErrno, systemError, unsupportedError } from '../core/errors';
import { defaultOf } from '../core/record-buffer';
import { rangeError, readOnlyOption, unknownOption, validateString } from '../core/validate';
import { codecs, kernelRange, MILLISECONDS, type Option } from './codec';

type Call = 'getsockopt' | 'setsockopt';

/** What this system, the running kernel included, said of each option: `null` where it has none. */
const known = new Map<string, Option | null>();

/** An option that the kernel could not be asked about: which call failed, and with which code. */
interface Unasked {
  readonly option: Option;
  readonly syscall: 'socket' | 'getsockopt';
  readonly status: number;
}

/** These: asked for again with each call, since the reason may pass (no descriptor left, no memory). */
const unasked = new Map<string, Unasked>();

/**
 * The option of that name; throws for one that is unknown, or that this system does not have. `path` names the object
 * that has the name, for the error.
 */
export function optionNamed(name: string, call: Call, path?: string): Option {
  const option = lookUp(name, path);
  if (option === null) throw missing(name, call);
  return option;
}

function missing(name: string, call: Call): Error {
  const kernelName = rows[name]?.[process.platform as Platform]?.name;
  return kernelName === undefined
    ? unsupportedError(name, call, `${process.platform} has no such option`)
    : unsupportedError(kernelName, call, 'this kernel does not have the option');
}

/** The option of that name, if it can be set here. */
export function writableOption(name: string, path?: string): Option {
  const option = optionNamed(name, 'setsockopt', path);
  if (!option.writable) throw readOnlyError(option, path);
  return option;
}

function readOnlyError({ name, row, platformOption }: Option, path = 'options'): Error {
  return row.access === 'read'
    ? readOnlyOption(path, name)
    : unsupportedError(
        platformOption.name,
        'setsockopt',
        `${process.platform} can only read ${name}`,
      );
}

/** The option, or `null`. Where the kernel could not be asked, the caller's own socket has to tell. */
function lookUp(name: string, path?: string): Option | null {
  const option = known.get(name);
  return option === undefined ? find(name, path) : option;
}

function find(name: string, path?: string): Option | null {
  validateString(name, 'name', 'the name of an option');
  const row = rowOf(name);
  if (row === undefined) throw unknownName(name, path);
  unasked.delete(name);
  const option = onThisSystem(name, row);
  if (!unasked.has(name)) known.set(name, option);
  return option;
}

/** Whether the kernel has said that it has the option, so that it may be kept. */
export function isAsked({ name }: Option): boolean {
  return known.has(name);
}

/** Whether this system has the option, or could not be asked: then the caller's own socket has to tell. */
export function mayHave(name: OptionName): boolean {
  return lookUp(name) !== null;
}

/** All options that this system has, and those that it could not be asked about. */
export function optionsToTry(): Option[] {
  return Object.keys(rows)
    .map((name) => lookUp(name))
    .filter((option) => option !== null);
}

function rowOf(name: string): Row | undefined {
  return Object.hasOwn(rows, name) ? rows[name] : undefined;
}

function onThisSystem(name: string, row: Row): Option | null {
  const tables = constantTables();
  // On a system without a column the lookup gives undefined.
  let platformOption: PlatformOption | null | undefined = row[process.platform as Platform];
  while (platformOption) {
    const option = resolveOption(name, row, platformOption, tables);
    if (option !== null) return option;
    platformOption = platformOption.older;
  }
  return null;
}

function resolveOption(
  name: string,
  row: Row,
  platformOption: PlatformOption,
  { values, levels }: ReturnType<typeof constantTables>,
): Option | null {
  const option = values[platformOption.name];
  const level = levels[platformOption.name];
  if (option === undefined || level === undefined) return null;
  const found: Option = {
    name,
    row,
    platformOption,
    level,
    option,
    order: Object.keys(rows).indexOf(name),
    codec: codecs[row.kind],
    writable: row.access !== 'read' && platformOption.access !== 'read',
    tcpOnly: row.tcpOnly === true,
    min: platformOption.min ?? 0,
    max: platformOption.max ?? 0,
    divisor: divisorOf(row, platformOption),
    path: `options.${name}`,
  };
  // The header knows the name; whether the running kernel does, only the kernel can tell.
  const { status, syscall } = defaultOf(level, option);
  if (status >= 0) return found;
  const code = describeErrno(status)[0];
  if (syscall === 'getsockopt' && MISSING.includes(code)) return null;
  if (syscall === 'socket' || !KNOWS.includes(code)) {
    unasked.set(name, { option: found, syscall, status });
  }
  return found;
}

/** What a kernel says of an option that it does not have. */
const MISSING = ['ENOPROTOOPT', 'ENOTSUP', 'EOPNOTSUPP'];
/** What it says of one that a new socket cannot answer: IP_MTU has a value once there is a route. */
const KNOWS = ['ENOTCONN', 'EINVAL'];

function divisorOf({ kind }: Row, { unit = 'ms' }: PlatformOption): number {
  if (kind === 'integer') return 1;
  return kind === 'duration' && unit !== 'us' ? MILLISECONDS[unit] : Number.NaN;
}

/** The option of these numbers, among those that were asked for so far. */
export function optionOf(level: number, number: number): Option {
  for (const option of known.values()) {
    if (option?.level === level && option.option === number) return option;
  }
  for (const { option } of unasked.values()) {
    if (option.level === level && option.option === number) return option;
  }
  throw new Error(`no option has the numbers ${level}/${number}`);
}

/** Throws for a name that is not in the catalogue and not one of `others`. */
export function validateOptionName(name: string, path: string, others: readonly string[]): void {
  if (rowOf(name) === undefined && !others.includes(name)) throw unknownName(name, path, others);
}

/** The error for an unknown name. It suggests an option for the kernel's name of it, on any system, too. */
function unknownName(name: string, path = 'options', others: readonly string[] = []): Error {
  const names = Object.keys(rows);
  const meant = names.find((candidate) => {
    const { linux, darwin, win32, freebsd } = rows[candidate] as Row;
    return [linux, darwin, win32, win32?.older, freebsd].some(
      (platformOption) => platformOption?.name === name,
    );
  });
  return unknownOption(path, name, [...others, ...names], {
    meant,
    list: 'supportedOptions() returns the names',
  });
}

/**
 * Whether this system, the running kernel included, has the option: `isSupported('userTimeout')`. False
 * too for a name that this version of the package does not know, and on a system for which there is no
 * addon. Without a name: whether there is an addon.
 *
 * The kernel is asked once for each option, with getsockopt on a socket made for it, and its answer is
 * kept. Where it could not be asked, because no socket could be made (`EMFILE`, `ENOMEM`, `EPERM` of a
 * sandbox), there is no answer: the error of that call is thrown, and the next call asks again. Without
 * IPv6 (`EAFNOSUPPORT`) the options of IPv6 are not supported.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for a name that is no string.
 * @throws SocketOptionError with `syscall` `'socket'` or `'getsockopt'` where the kernel could not be asked.
 */
export function isSupported(name?: OptionName): boolean;
export function isSupported(name?: string): boolean;
export function isSupported(name?: string): boolean {
  if (name === undefined) return addon !== undefined;
  validateString(name, 'name', 'the name of an option');
  if (addon === undefined || rowOf(name) === undefined) return false;
  const option = lookUp(name);
  const failed = unasked.get(name);
  if (failed === undefined) return option !== null;
  if (isWithoutIpv6(failed)) return false;
  throw systemError(failed.status, failed.syscall, failed.option.platformOption.name, {
    hint: 'whether this kernel has the option could not be asked; the next call asks again',
  });
}

/**
 * A system without IPv6 has no option of it. Not for good: the module may be loaded later, and a process that is
 * denied new sockets of IPv6 may have been given one.
 */
function isWithoutIpv6({ option, syscall, status }: Unasked): boolean {
  const isIpv6 = option.level === constantTables().values.IPPROTO_IPV6;
  return syscall === 'socket' && isIpv6 && describeErrno(status)[0] === 'EAFNOSUPPORT';
}

/**
 * The names of all options that this system, the running kernel included, has.
 * @throws SocketOptionError where the kernel could not be asked, as {@link isSupported}.
 */
export function supportedOptions(): OptionName[] {
  return (Object.keys(rows) as OptionName[]).filter((name) => isSupported(name));
}

/** Checks a value for an option and makes of it what the kernel takes; `'system'` included. */
export function encode(value: unknown, option: Option, path: string): number | Uint8Array {
  // Nearly every value is a whole number of units in range. The codec knows the others, and the errors.
  if (typeof value === 'number') {
    const units = value / option.divisor;
    const inRange = units >= option.min && units <= option.max;
    // The quotient of the smallest numbers is 0, of either sign. `| 0`: 32 bits are what goes down.
    if (inRange && Number.isInteger(units) && (units !== 0 || value === 0)) return units | 0;
  }
  if (value === 'system' && option.row.system) return systemValue(option, path);
  if (value === 0 && option.platformOption.offAsNew) return valueOfNewSocket(option);
  return option.codec.encode(value, option, path);
}

/**
 * The system's default of an option. Where the kernel has no word for "back to the default", it is
 * what a new socket of this process has, so that it holds for the process's network namespace.
 */
function systemValue(option: Option, path: string): number {
  const { platformOption, min, max } = option;
  if (platformOption.system !== undefined) return platformOption.system;
  const value = valueOfNewSocket(option);
  if (value >= min && value <= max) return value;
  // A sysctl may hold what the option does not take: tcp_keepalive_probes goes from 0 to 255.
  throw rangeError(
    path,
    `a number here, because the system's default is ${value}, which a socket cannot be set to (${kernelRange(platformOption)})`,
    'system',
  );
}

function valueOfNewSocket({ level, option, platformOption }: Option): number {
  const { status, value, syscall } = defaultOf(level, option);
  if (status >= 0) return value;
  const hint = syscall === 'socket' ? 'for a new socket, which has the default' : 'of a new socket';
  throw systemError(status, syscall, platformOption.name, { hint });
}
