// What callers pass, checked before anything is done with it.

import { rangeError, typeError, valueError } from '../given';
import { smallestTimeout, type Wish, type ZeroWindow } from './plan';
import type { DeadPeerPlatform } from './rules';

export function membersOf(options: unknown, names: readonly string[]): Record<string, unknown> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw typeError('options', `an object with any of ${names.join(', ')}`, options);
  }
  for (const [name, value] of Object.entries(options)) {
    if (names.includes(name)) continue;
    throw valueError(`options.${name}`, `is not known: there are ${names.join(', ')}`, value);
  }
  return options as Record<string, unknown>;
}

export function checkedNumber(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw typeError(name, 'a number', value);
  if (!(value >= least && value <= most)) {
    throw rangeError(name, `>= ${least} and <= ${most}`, value);
  }
  return value;
}

/** Longer than a century, and a number of milliseconds that every kernel takes in its own unit. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

export function checkedTimeout(timeout: unknown): number {
  if (typeof timeout !== 'number') throw typeError('timeout', 'a number of milliseconds', timeout);
  if (!(timeout > 0 && timeout <= LONGEST_TIMEOUT)) {
    throw rangeError('timeout', `> 0 and <= ${LONGEST_TIMEOUT} ms`, timeout);
  }
  return timeout;
}

/** The members of `DeadPeerOptions`. */
export const DEAD_PEER_OPTIONS = ['minProbes', 'zeroWindow'];

export function checkedWish(
  options: Record<string, unknown>,
): Pick<Wish, 'minProbes' | 'zeroWindow'> {
  const { minProbes = 3, zeroWindow = 'fail' } = options;
  const probes = checkedNumber('options.minProbes', minProbes, 1, 127);
  if (!Number.isInteger(probes)) throw rangeError('options.minProbes', 'an integer', minProbes);
  if (zeroWindow !== 'fail' && zeroWindow !== 'tolerate') {
    throw valueError('options.zeroWindow', "must be 'fail' or 'tolerate'", zeroWindow);
  }
  return { minProbes: probes, zeroWindow };
}

/** `'tolerate'` takes another bound for data: keepalive's own, or more frequent retransmissions. */
export function checkTolerance(platform: DeadPeerPlatform, zeroWindow: ZeroWindow): void {
  if (zeroWindow === 'tolerate' && (platform === 'win32' || platform === 'gvisor')) {
    const reason = `cannot be 'tolerate' on ${platform}: nothing but the user timeout bounds data there`;
    throw valueError('options.zeroWindow', reason, zeroWindow);
  }
}

export function tooSmall(timeout: number, wish: Wish): Error {
  const { minProbes, retransmission } = wish;
  const given = `${minProbes} unanswered ${minProbes === 1 ? 'probe' : 'probes'}, retransmission timeout ${retransmission.timeout} ms`;
  return rangeError('timeout', `>= ${smallestTimeout(wish)} ms (${given})`, timeout);
}
