// Keepalive of Windows by SIO_KEEPALIVE_VALS: in milliseconds, where the options take whole seconds;
// and the only way on versions before 10.1709, which have no options for it.

import {
  binding,
  descriptorOf,
  optionError,
  putWord,
  rangeError,
  systemError,
  typeError,
  unsupportedError,
} from '../given';
import type { SocketLike } from '../socket';
import type { SystemDefaults } from '../system/read';
import type { KeepAliveOptions } from './keepalive';
import { encode, isSupported, optionNamed, writableOption } from './option';
import { getOption } from './options';
import { write } from './record';

const IOCTL = 'SIO_KEEPALIVE_VALS';
const DWORD_MAX = 4_294_967_295;
/** What versions send that have no TCP_KEEPCNT. */
const FIXED_COUNT = 10;

let systemDefaults: () => SystemDefaults;

export function useSystemDefaults(getSystemDefaults: () => SystemDefaults): void {
  systemDefaults = getSystemDefaults;
}

/** Whether these values are beyond the options that this Windows has. */
export function needsValues({ initialDelay, interval, count }: KeepAliveOptions): boolean {
  if (isFraction(initialDelay) || isFraction(interval)) return true;
  const timed = initialDelay !== undefined || interval !== undefined;
  return (timed && !hasTimes()) || (count !== undefined && !isSupported('keepAliveCount'));
}

function isFraction(value: unknown): boolean {
  return typeof value === 'number' && value % 1_000 !== 0;
}

function hasTimes(): boolean {
  return isSupported('keepAliveInitialDelay') && isSupported('keepAliveInterval');
}

/** Checks everything before the first system call, and writes the switch last, as options are written. */
export function setKeepAliveValues(socket: SocketLike, options: KeepAliveOptions): void {
  const initialDelay = milliseconds('initialDelay', options, 'keepAliveInitialDelay');
  const interval = milliseconds('interval', options, 'keepAliveInterval');
  const { enable } = options;
  if (enable !== undefined && typeof enable !== 'boolean') {
    throw typeError('options.enable', 'a boolean', enable);
  }
  const count = countOf(options.count);
  const timed = initialDelay !== undefined || interval !== undefined;
  if (timed && !hasTimes() && (initialDelay === undefined || interval === undefined)) {
    throw unsupportedError(
      IOCTL,
      'WSAIoctl',
      'this Windows sets initialDelay and interval only together',
    );
  }

  const fd = descriptorOf(socket);
  const switched = enable ?? getOption(fd, 'keepAlive');
  const applied: string[] = [];
  if (count !== undefined) {
    const { name, level, option } = writableOption('keepAliveCount');
    putWord(0, level, option, count);
    write(fd, 1);
    applied.push(name);
  }
  if (timed) {
    // It has no word for "leave alone", and ignores both times where it is to switch off.
    const status = binding().setKeepAliveValues(
      fd,
      true,
      initialDelay ?? getOption(fd, 'keepAliveInitialDelay'),
      interval ?? getOption(fd, 'keepAliveInterval'),
    );
    if (status < 0) throw systemError(status, 'WSAIoctl', IOCTL, { applied });
  }
  const { level, option } = optionNamed('keepAlive', 'setsockopt');
  putWord(0, level, option, switched ? 1 : 0);
  write(fd, 1);
}

function milliseconds(
  member: 'initialDelay' | 'interval',
  options: KeepAliveOptions,
  setting: 'keepAliveInitialDelay' | 'keepAliveInterval',
): number | undefined {
  const label = `options.${member}`;
  const value = options[member] as unknown;
  if (value === undefined) return undefined;
  if (value === 'system') {
    const system = systemDefaults()[setting].value;
    if (system === null) throw optionError(label, "cannot be 'system': the registry is not told");
    return system;
  }
  if (typeof value !== 'number') {
    throw typeError(label, "a number of milliseconds, or 'system'", value);
  }
  const rounded = Math.ceil(value);
  if (!(value > 0 && rounded <= DWORD_MAX)) {
    throw rangeError(label, `> 0 and <= ${DWORD_MAX} ms (${IOCTL})`, value);
  }
  return rounded;
}

/** The word to write, or `undefined` where nothing is to be written. */
function countOf(count: unknown): number | undefined {
  if (count === undefined) return undefined;
  if (isSupported('keepAliveCount')) {
    return encode(count, writableOption('keepAliveCount'), 'options.count') as number;
  }
  if (count === 'system' || count === FIXED_COUNT) return undefined;
  if (typeof count !== 'number') throw typeError('options.count', "an integer, or 'system'", count);
  throw unsupportedError(
    'TCP_KEEPCNT',
    'setsockopt',
    `this Windows always sends ${FIXED_COUNT} probes`,
  );
}
