// Finds the option of a name, as this system and the running kernel have it, and encodes values for it.

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
import {
  rangeError,
  readOnlyOption,
  unknownOption,
  validateBoolean,
  validateString,
} from '../core/validate';
import { codecs, kernelRange, MILLISECONDS, type Option } from './codec';
import { chosenAtOpening } from './too-late';

type Call = 'getsockopt' | 'setsockopt';

/** The options that are known to be supported here, by name; `null` for those that are not. */
const known = new Map<string, Option | null>();

/** An option whose support is unknown, because a system call failed: which call, and with which code. */
interface UnknownSupport {
  readonly option: Option;
  readonly syscall: 'socket' | 'getsockopt';
  readonly status: number;
}

/** These options, by name. Each call asks the kernel again, because the reason may pass (no descriptor, no memory). */
const unknownSupport = new Map<string, UnknownSupport>();

/**
 * Returns the option of a name. Throws for a name that is not in the catalogue, and for an option that this system does
 * not have. `path` names the object with this member, for the error.
 */
export function optionNamed(name: string, call: Call, path?: string): Option {
  const option = lookUp(name, path);
  if (option === null) throw missingError(name, call);
  return option;
}

function missingError(name: string, call: Call): Error {
  const kernelName = rows()[name]?.[process.platform as Platform]?.name;
  return kernelName === undefined
    ? unsupportedError(name, call, `${process.platform} has no such option`)
    : unsupportedError(kernelName, call, 'this kernel does not have the option');
}

/** Returns the option of a name. Throws also for an option that cannot be set. */
export function writableOption(name: string, path?: string): Option {
  const option = optionNamed(name, 'setsockopt', path);
  if (!option.writable) throw readOnlyError(option, path);
  return option;
}

/**
 * Checks the value of an option that is chosen when a socket is opened; returns whether it is such an option. Kernels that
 * cannot report the choice have it, too.
 */
export function validateIfChosen(name: string, value: unknown, path: string): boolean {
  const row = rowOf(name);
  if (row?.access !== 'open') return false;
  if (!row[process.platform as Platform]) throw missingError(name, 'setsockopt');
  validateBoolean(value, path);
  return true;
}

function readOnlyError(option: Option, path = 'options'): Error {
  const { name, row, platformOption } = option;
  if (row.access === 'open') return chosenAtOpening(option);
  return row.access === 'read'
    ? readOnlyOption(path, name)
    : unsupportedError(
        platformOption.name,
        'setsockopt',
        `${process.platform} can only read ${name}`,
      );
}

/** Returns the option, also if its support is unknown; `null` if it is not supported. */
function lookUp(name: string, path?: string): Option | null {
  const option = known.get(name);
  return option === undefined ? find(name, path) : option;
}

function find(name: string, path?: string): Option | null {
  validateString(name, 'name', 'the name of an option');
  const row = rowOf(name);
  if (row === undefined) throw unknownNameError(name, path);
  unknownSupport.delete(name);
  const option = onThisSystem(name, row);
  if (!unknownSupport.has(name) && (option !== null || !row.inModule)) known.set(name, option);
  return option;
}

/** Whether the kernel has answered that it has the option. Only then can a caller keep it. */
export function isConfirmed({ name }: Option): boolean {
  return known.has(name);
}

/** Whether the option is supported here, or this is unknown. */
export function mayBeSupported(name: OptionName): boolean {
  return lookUp(name) !== null;
}

/** Returns all options that are supported here, and those whose support is unknown. */
export function possibleOptions(): Option[] {
  return Object.keys(rows())
    .map((name) => lookUp(name))
    .filter((option) => option !== null);
}

function rowOf(name: string): Row | undefined {
  return Object.hasOwn(rows(), name) ? rows()[name] : undefined;
}

function onThisSystem(name: string, row: Row): Option | null {
  const tables = constantTables();
  // `undefined` on a system without a column.
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
    order: Object.keys(rows()).indexOf(name),
    codec: codecs[row.kind],
    writable: row.access === undefined && platformOption.access !== 'read',
    tcpOnly: row.tcpOnly === true,
    tooLate: platformOption.tooLate ?? row.tooLate,
    min: platformOption.min ?? 0,
    max: platformOption.max ?? 0,
    divisor: divisorOf(row, platformOption),
    path: `options.${name}`,
  };
  // The headers have the name. The running kernel may be older.
  const { status, syscall } = defaultOf(level, option);
  if (status >= 0) return found;
  const code = describeErrno(status)[0];
  if (syscall === 'getsockopt' && MISSING_CODES.includes(code)) return null;
  if (syscall === 'socket' || !PRESENT.includes(code)) {
    unknownSupport.set(name, { option: found, syscall, status });
  }
  return found;
}

/** The codes for an option that the kernel does not have. */
export const MISSING_CODES: readonly string[] = ['ENOPROTOOPT', 'ENOTSUP', 'EOPNOTSUPP'];
/** The codes for an option that the kernel has and a new socket cannot read: IP_MTU needs a route. */
const PRESENT = ['ENOTCONN', 'EINVAL'];

function divisorOf({ kind }: Row, { unit = 'ms' }: PlatformOption): number {
  if (kind === 'integer') return 1;
  return kind === 'duration' && unit !== 'us' ? MILLISECONDS[unit] : Number.NaN;
}

/** Returns the option with these numbers, among those that were used so far. */
export function optionOf(level: number, number: number): Option {
  for (const option of known.values()) {
    if (option?.level === level && option.option === number) return option;
  }
  for (const { option } of unknownSupport.values()) {
    if (option.level === level && option.option === number) return option;
  }
  throw new Error(`no option has the numbers ${level}/${number}`);
}

/** Throws for a name that is not in the catalogue and not one of `others`. */
export function validateOptionName(name: string, path: string, others: readonly string[]): void {
  if (rowOf(name) === undefined && !others.includes(name))
    throw unknownNameError(name, path, others);
}

/** The error for an unknown name. It also suggests the option that a kernel, of any system, gives this name. */
function unknownNameError(name: string, path = 'options', others: readonly string[] = []): Error {
  const names = Object.keys(rows());
  const meant = names.find((candidate) => {
    const { linux, darwin, win32, freebsd } = rows()[candidate] as Row;
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
 * Returns whether this system and the running kernel have an option.
 *
 * The result is also `false` for a name that is not in the catalogue, so that a program can ask for an option of a
 * later version of this package; `setOptions` and `getOption` throw for a misspelt name.
 *
 * The kernel is asked once for each option, with getsockopt(2) on a new socket. If no socket can be opened (`EMFILE`,
 * `ENOMEM`, `EPERM` in a sandbox), the support is unknown: the error of that call is thrown, and the next call asks
 * again. On a system without IPv6 (`EAFNOSUPPORT`), the options of IPv6 are not supported.
 * @example
 * ```ts
 * if (isSupported('userTimeout')) setOptions(socket, { userTimeout: 30_000 });
 * ```
 * @param name The name of the option. Without a name, the result says whether the addon could be loaded.
 * @returns `true` if the option can be used here, `false` if not.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for a name that is no string.
 * @throws SocketOptionError with `syscall` `'socket'` or `'getsockopt'` if the support is unknown.
 * @systems Every system.
 * @see getsockopt(2)
 */
export function isSupported(name?: OptionName): boolean;
/** Returns `false` for a name that is not in the catalogue. */
export function isSupported(name?: string): boolean;
export function isSupported(name?: string): boolean {
  if (name === undefined) return addon !== undefined;
  validateString(name, 'name', 'the name of an option');
  if (addon === undefined || rowOf(name) === undefined) return false;
  const option = lookUp(name);
  const failed = unknownSupport.get(name);
  if (failed === undefined) return option !== null;
  if (isWithoutIpv6(failed)) return false;
  throw systemError(failed.status, failed.syscall, failed.option.platformOption.name, {
    hint: 'cannot find out whether this kernel has the option; the next call tries again',
  });
}

/**
 * Whether the option needs IPv6 and the system has none. The answer is not kept: the kernel module may be loaded later,
 * and a process that cannot open IPv6 sockets may get one from another process.
 */
function isWithoutIpv6({ option, syscall, status }: UnknownSupport): boolean {
  const isIpv6 = option.level === constantTables().values.IPPROTO_IPV6;
  return syscall === 'socket' && isIpv6 && describeErrno(status)[0] === 'EAFNOSUPPORT';
}

/**
 * Returns the names of all options that this system and the running kernel have.
 * @example
 * ```ts
 * supportedOptions().includes('userTimeout'); // true on Linux
 * ```
 * @returns The names, in the order of the catalogue, in which options are set.
 * @throws SocketOptionError if the support of an option is unknown, as {@link isSupported}.
 * @systems Every system. An option that the headers have and the running kernel lacks is not among them.
 * @see getsockopt(2)
 */
export function supportedOptions(): OptionName[] {
  return (Object.keys(rows()) as OptionName[]).filter((name) => isSupported(name));
}

/** Checks a value for an option, and returns it as the kernel takes it. The value may be `'system'`. */
export function encode(value: unknown, option: Option, path: string): number | Uint8Array {
  // The fast path: nearly every value is a whole number of units in range. The codec has the rest, and the errors.
  if (typeof value === 'number') {
    const units = value / option.divisor;
    const inRange = units >= option.min && units <= option.max;
    // The quotient of a tiny number can be 0 or -0. `| 0` gives the 32 bits that are written.
    if (inRange && Number.isInteger(units) && (units !== 0 || value === 0)) return units | 0;
  }
  if (value === 'system' && option.row.system) return systemValue(option, path);
  if (value === 0 && option.platformOption.offAsNew) return valueOfNewSocket(option);
  return option.codec.encode(value, option, path);
}

/**
 * Returns the system's default. If the kernel has no value for "restore the default", it is the value of a new socket of
 * this process, which follows the settings of the network namespace.
 */
function systemValue(option: Option, path: string): number {
  const { platformOption, min, max } = option;
  if (platformOption.system !== undefined) return platformOption.system;
  const value = valueOfNewSocket(option);
  if (value >= min && value <= max) return value;
  // A sysctl can have a value that the option does not accept: tcp_keepalive_probes is 0 to 255.
  throw rangeError(
    path,
    `a number here, because a socket does not accept the system's default of ${value} (${kernelRange(platformOption)})`,
    'system',
  );
}

function valueOfNewSocket({ level, option, platformOption }: Option): number {
  const { status, value, syscall } = defaultOf(level, option);
  if (status >= 0) return value;
  const hint = syscall === 'socket' ? 'to read the default from a new socket' : 'on a new socket';
  throw systemError(status, syscall, platformOption.name, { hint });
}
