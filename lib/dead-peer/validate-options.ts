// What callers pass, checked before anything is done with it.

import { isOptions, rangeError, typeError, unknownOption, valueError } from '../core/validate';
import { keepAliveSuffices, smallestTimeout, type Wish, type ZeroWindow } from './plan';
import type { DeadPeerPlatform } from './rules';

export function membersOf(options: unknown, names: readonly string[]): Record<string, unknown> {
  if (options === undefined) return {};
  if (!isOptions(options)) {
    throw typeError('options', `an object with any of ${names.join(', ')}`, options);
  }
  // A copy: what is checked is what is used, whatever getters the caller's object has.
  const members: Record<string, unknown> = { ...options };
  const unknown = Object.keys(members).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownOption('options', unknown, names);
  return members;
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
  const { platform, minProbes, retransmission } = wish;
  const smallest = smallestTimeout(wish);
  if (smallest > LONGEST_TIMEOUT) {
    // Nothing but this has no bound of its own: a kernel takes any number for the setting.
    const reason = `cannot be 'tolerate' here: ${retransmission.retries} retransmissions (net.ipv4.tcp_retries2) take longer than any timeout`;
    return valueError('options.zeroWindow', reason, wish.zeroWindow);
  }
  const probes = `${minProbes} unanswered ${minProbes === 1 ? 'probe' : 'probes'}`;
  // Where keepalive alone decides, retransmissions have no part in it.
  const given = keepAliveSuffices(platform)
    ? probes
    : `${probes}, retransmission timeout ${retransmission.timeout} ms`;
  return rangeError('timeout', `>= ${smallest} ms (${given})`, timeout);
}
