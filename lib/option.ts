// A name of the catalogue -> the option as this system has it.

import { binding, isLoaded, words } from './binding';
import { type OptionName, type Platform, type Row, rows } from './catalogue';
import { codecs, kernelRange, type Option } from './codec';
import {
  errnoOf,
  optionError,
  rangeError,
  systemError,
  typeError,
  unsupportedError,
} from './error';

type Call = 'getsockopt' | 'setsockopt';

const ENOPROTOOPT = errnoOf('ENOPROTOOPT');

const names = Object.keys(rows);

/** What was found out of each option asked for so far: `null` where this system has none. */
const known = new Map<string, Option | null>();

/** The option of that name; throws for one that is unknown, or that this system does not have. */
export function optionNamed(name: string, call: Call): Option {
  const option = lookUp(name);
  if (option !== null) return option;
  const kernelName = rows[name]?.[process.platform as Platform]?.name;
  throw kernelName === undefined
    ? unsupportedError(name, call, `${process.platform} has no such option`)
    : unsupportedError(kernelName, call, 'this kernel does not have the option');
}

/** The option of that name, if it can be set here. */
export function writableOption(name: string): Option {
  const option = optionNamed(name, 'setsockopt');
  if (option.row.access === 'read') throw optionError(name, 'is read-only');
  if (option.spelling.access === 'read') {
    throw unsupportedError(
      option.spelling.name,
      'setsockopt',
      `${process.platform} can only read ${name}`,
    );
  }
  return option;
}

function lookUp(name: string): Option | null {
  const option = known.get(name);
  return option === undefined ? find(name) : option;
}

function find(name: string): Option | null {
  if (typeof name !== 'string') throw typeError('name', 'the name of an option', name);
  if (!Object.hasOwn(rows, name)) throw optionError(name, `is not known${likely(name)}`);
  const option = onThisSystem(name, rows[name] as Row);
  known.set(name, option);
  return option;
}

function onThisSystem(name: string, row: Row): Option | null {
  const { constants, levels, getDefault } = binding();
  // Not narrowed by a type guard: on a system without a column the lookup gives undefined.
  const spelling = row[process.platform as Platform];
  if (spelling === null || spelling === undefined) return null;
  const option = constants[spelling.name];
  const level = levels[spelling.name];
  if (option === undefined || level === undefined) return null;
  // The header knows the name; whether the running kernel does, only the kernel can tell.
  if (getDefault(level, option) === ENOPROTOOPT) return null;
  return {
    name,
    row,
    spelling,
    level,
    option,
    order: names.indexOf(name),
    codec: codecs[row.kind],
  };
}

/** A name that the caller may have meant: other case, or the kernel's name. */
function likely(name: string): string {
  const meant = names.find((candidate) => {
    const spelling = rows[candidate]?.[process.platform as Platform];
    return candidate.toLowerCase() === name.toLowerCase() || spelling?.name === name;
  });
  return meant === undefined ? '' : ` (did you mean '${meant}'?)`;
}

/**
 * Whether this system, the running kernel included, has the option. False too for a name that
 * this version of the package does not know, and on a system for which there is no addon.
 *
 * The kernel is asked once for each option, with getsockopt on a socket of its own.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for anything but a string.
 */
export function isSupported(name: OptionName): boolean;
export function isSupported(name: string): boolean;
export function isSupported(name: string): boolean {
  if (typeof name !== 'string') throw typeError('name', 'the name of an option', name);
  if (!isLoaded || !Object.hasOwn(rows, name)) return false;
  return lookUp(name) !== null;
}

/** The names of all options that this system, the running kernel included, has. */
export function supportedOptions(): OptionName[] {
  return (names as OptionName[]).filter(isSupported);
}

/** Checks a value for an option and makes of it what the kernel takes; `'system'` included. */
export function encode(value: unknown, option: Option, label: string): number | Uint8Array {
  if (value === 'system' && option.row.system) return systemValue(option, label);
  return option.codec.encode(value, option, label);
}

/**
 * The system's default of an option. Where the kernel has no word for "back to the default", it is
 * what a new socket of this process has, so that it holds for the process's network namespace.
 */
function systemValue(option: Option, label: string): number {
  const { spelling } = option;
  if (spelling.system !== undefined) return spelling.system;
  const status = binding().getDefault(option.level, option.option);
  if (status < 0) {
    throw systemError(status, 'getsockopt', spelling.name, { hint: 'of a new socket' });
  }
  const value = words[0] as number;
  const { min = 0, max = 0 } = spelling;
  if (value >= min && value <= max) return value;
  // A sysctl may hold what the option does not take: tcp_keepalive_probes goes from 0 to 255.
  throw rangeError(
    label,
    `a number here, because the system's default is ${value}, which a socket cannot be set to (${kernelRange(spelling)})`,
    'system',
  );
}
