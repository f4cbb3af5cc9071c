// Sets keepalive on Windows with SIO_KEEPALIVE_VALS. It takes milliseconds, and the options take whole seconds. Versions
// before 10.1709 have no options for the times.

import { binding } from '../core/addon';
import { systemError, unsupportedError } from '../core/errors';
import { setRecords, words, writeIntRecord } from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { numberError, validateBoolean, validateNumber, valueError } from '../core/validate';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import type { KeepAliveOptions } from './keepalive-options';
import { encode, mayBeSupported, writableOption } from './option';
import { getOption } from './options';

const IOCTL = 'SIO_KEEPALIVE_VALS';
const DWORD_MAX = 4_294_967_295;

/** Whether the options of this Windows cannot set these values. */
export function needsIoctl({ initialDelay, interval, count }: KeepAliveOptions): boolean {
  if (isFraction(initialDelay) || isFraction(interval)) return true;
  const timed = initialDelay !== undefined || interval !== undefined;
  return (timed && !hasTimes()) || (count !== undefined && !mayBeSupported('keepAliveCount'));
}

function isFraction(value: unknown): boolean {
  return typeof value === 'number' && value % 1_000 !== 0;
}

function hasTimes(): boolean {
  return mayBeSupported('keepAliveInitialDelay') && mayBeSupported('keepAliveInterval');
}

/** Checks all values before the first system call. Sets the switch last, as setKeepAlive() does with options. */
export function setWithIoctl(socket: SocketLike, options: KeepAliveOptions): void {
  const initialDelay = milliseconds('initialDelay', options, 'keepAliveInitialDelay');
  const interval = milliseconds('interval', options, 'keepAliveInterval');
  const { enable } = options;
  if (enable !== undefined) validateBoolean(enable, 'options.enable');
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
  // The call always takes both times, so the present value is set again. It ignores the times when it switches off.
  const switched = enable ?? getOption(fd, 'keepAlive');
  const delay = timed ? (initialDelay ?? getOption(fd, 'keepAliveInitialDelay')) : 0;
  const pause = timed ? (interval ?? getOption(fd, 'keepAliveInterval')) : 0;

  const applied: string[] = [];
  if (count !== undefined) set(fd, 'keepAliveCount', count, applied);
  if (timed) {
    const status = binding().setKeepAliveValues(fd, true, delay, pause);
    if (status < 0) throw systemError(status, 'WSAIoctl', IOCTL, { applied });
    applied.push('keepAliveInitialDelay', 'keepAliveInterval');
  }
  set(fd, 'keepAlive', switched ? 1 : 0, applied);
}

function set(fd: number, name: 'keepAliveCount' | 'keepAlive', word: number, applied: string[]) {
  const { level, option, platformOption } = writableOption(name);
  writeIntRecord(0, level, option, word);
  if (setRecords(fd, 1) !== 1) {
    throw systemError(words[2] as number, 'setsockopt', platformOption.name, { applied });
  }
  applied.push(name);
}

function milliseconds(
  member: 'initialDelay' | 'interval',
  options: KeepAliveOptions,
  setting: 'keepAliveInitialDelay' | 'keepAliveInterval',
): number | undefined {
  const path = `options.${member}`;
  const value = options[member] as unknown;
  if (value === undefined) return undefined;
  if (value === 'system') {
    const system = getSystemDefaults()[setting].value;
    if (system !== null) return system;
    const reason = "cannot be 'system' here, because the registry value is not readable";
    throw valueError(path, reason, value);
  }
  const range = { above: 0, max: DWORD_MAX, milliseconds: true, or: "'system'", reason: IOCTL };
  return Math.ceil(validateNumber(value, path, range));
}

/** Returns the count to set, or `undefined` if the socket has it already. */
function countOf(count: unknown): number | undefined {
  if (count === undefined) return undefined;
  if (mayBeSupported('keepAliveCount')) {
    return encode(count, writableOption('keepAliveCount'), 'options.count') as number;
  }
  const fixed = getSystemDefaults().keepAliveCount.value;
  if (count === 'system' || count === fixed) return undefined;
  if (typeof count !== 'number') {
    throw numberError('options.count', { integer: true, or: "'system'" }, count);
  }
  throw unsupportedError('TCP_KEEPCNT', 'setsockopt', `this Windows always sends ${fixed} probes`);
}
