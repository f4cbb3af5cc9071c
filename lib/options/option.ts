// A name of the catalogue -> the option as this system has it.

import { type OptionName, type Platform, type Row, rows, type Spelling } from '../catalogue';
import {
  constantTables,
  defaultOf,
  errnoOf,
  isLoaded,
  optionError,
  rangeError,
  systemError,
  typeError,
  unsupportedError,
} from '../given';
import { codecs, kernelRange, MILLISECONDS, type Option } from './codec';

type Call = 'getsockopt' | 'setsockopt';

/** What was found out of each option asked for so far: `null` where this system has none. */
const known = new Map<string, Option | null>();

/** The option of that name; throws for one that is unknown, or that this system does not have. */
export function optionNamed(name: string, call: Call): Option {
  const option = lookUp(name);
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
export function writableOption(name: string): Option {
  const option = optionNamed(name, 'setsockopt');
  if (!option.writable) throw readOnly(option);
  return option;
}

function readOnly({ name, row, spelling }: Option): Error {
  return row.access === 'read'
    ? optionError(name, 'is read-only')
    : unsupportedError(spelling.name, 'setsockopt', `${process.platform} can only read ${name}`);
}

function lookUp(name: string): Option | null {
  const option = known.get(name);
  return option === undefined ? find(name) : option;
}

function find(name: string): Option | null {
  if (typeof name !== 'string') throw typeError('name', 'the name of an option', name);
  const row = rowOf(name);
  if (row === undefined) throw optionError(name, `is not known${likely(name)}`);
  const option = onThisSystem(name, row);
  known.set(name, option);
  return option;
}

function rowOf(name: string): Row | undefined {
  return Object.hasOwn(rows, name) ? rows[name] : undefined;
}

function onThisSystem(name: string, row: Row): Option | null {
  const tables = constantTables();
  // On a system without a column the lookup gives undefined.
  let spelling: Spelling | null | undefined = row[process.platform as Platform];
  while (spelling) {
    const option = asSpelled(name, row, spelling, tables);
    if (option !== null) return option;
    spelling = spelling.older;
  }
  return null;
}

function asSpelled(
  name: string,
  row: Row,
  spelling: Spelling,
  { values, levels }: ReturnType<typeof constantTables>,
): Option | null {
  const option = values[spelling.name];
  const level = levels[spelling.name];
  if (option === undefined || level === undefined) return null;
  // The header knows the name; whether the running kernel does, only the kernel can tell.
  if (defaultOf(level, option).status === errnoOf('ENOPROTOOPT')) return null;
  return {
    name,
    row,
    spelling,
    level,
    option,
    order: Object.keys(rows).indexOf(name),
    codec: codecs[row.kind],
    writable: row.access !== 'read' && spelling.access !== 'read',
    tcpOnly: row.tcpOnly === true,
    min: spelling.min ?? 0,
    max: spelling.max ?? 0,
    divisor: divisorOf(row, spelling),
  };
}

function divisorOf({ kind }: Row, { unit = 'ms' }: Spelling): number {
  if (kind === 'integer') return 1;
  return kind === 'duration' && unit !== 'us' ? MILLISECONDS[unit] : Number.NaN;
}

/** The option of these numbers, among those that were asked for so far. */
export function optionOf(level: number, number: number): Option {
  for (const option of known.values()) {
    if (option?.level === level && option.option === number) return option;
  }
  throw new Error(`no option has the numbers ${level}/${number}`);
}

/** A name that the caller may have meant: other case, or the kernel's name. */
function likely(name: string): string {
  const meant = Object.keys(rows).find((candidate) => {
    const spelling = rows[candidate]?.[process.platform as Platform];
    return candidate.toLowerCase() === name.toLowerCase() || spelling?.name === name;
  });
  return meant === undefined ? '' : ` (did you mean '${meant}'?)`;
}

export function isSupported(name: string): boolean {
  if (typeof name !== 'string') throw typeError('name', 'the name of an option', name);
  if (!isLoaded || rowOf(name) === undefined) return false;
  return lookUp(name) !== null;
}

export function supportedOptions(): OptionName[] {
  return (Object.keys(rows) as OptionName[]).filter(isSupported);
}

/** Checks a value for an option and makes of it what the kernel takes; `'system'` included. */
export function encode(value: unknown, option: Option, label: string): number | Uint8Array {
  // Nearly every value is a whole number of units in range. The codec knows the others, and the errors.
  if (typeof value === 'number') {
    const units = value / option.divisor;
    const inRange = units >= option.min && units <= option.max;
    // The quotient of the smallest numbers is 0, of either sign. `| 0`: 32 bits are what goes down.
    if (inRange && Number.isInteger(units) && (units !== 0 || value === 0)) return units | 0;
  }
  if (value === 'system' && option.row.system) return systemValue(option, label);
  if (value === 0 && option.spelling.offAsNew) return valueOfNewSocket(option);
  return option.codec.encode(value, option, label);
}

/**
 * The system's default of an option. Where the kernel has no word for "back to the default", it is
 * what a new socket of this process has, so that it holds for the process's network namespace.
 */
function systemValue(option: Option, label: string): number {
  const { spelling } = option;
  if (spelling.system !== undefined) return spelling.system;
  const value = valueOfNewSocket(option);
  const { min = 0, max = 0 } = spelling;
  if (value >= min && value <= max) return value;
  // A sysctl may hold what the option does not take: tcp_keepalive_probes goes from 0 to 255.
  throw rangeError(
    label,
    `a number here, because the system's default is ${value}, which a socket cannot be set to (${kernelRange(spelling)})`,
    'system',
  );
}

function valueOfNewSocket({ level, option, spelling }: Option): number {
  const { status, value } = defaultOf(level, option);
  if (status < 0) {
    throw systemError(status, 'getsockopt', spelling.name, { hint: 'of a new socket' });
  }
  return value;
}
