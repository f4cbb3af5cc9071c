// Within which time a socket fails, by what the kernel holds, and what is wrong with that.

import type { OptionName, OptionValues } from '../catalogue/catalogue';
import type { Platform } from '../catalogue/row';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { isSupported } from '../options/option';
import { getOptions } from '../options/options';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import { keepAliveSuffices } from './plan';
import {
  builtinHere,
  INITIAL_TIMEOUT,
  retransmissionHere,
  retransmissionTimeoutOf,
} from './retransmission-here';
import { boundsOf, type DeadPeerBounds, type DeadPeerPlatform, probesOf } from './rules';

/** What {@link getDeadPeerBounds} gives: bounds, and what is wrong with them in words. */
export interface DeadPeerReport extends DeadPeerBounds {
  /** What a reader of these bounds ought to know, worst first; empty where there is nothing. */
  readonly warnings: readonly string[];
}

const NAMES: readonly OptionName[] = [
  'keepAlive',
  'keepAliveInitialDelay',
  'keepAliveInterval',
  'keepAliveCount',
  'userTimeout',
  'retransmissionTimeoutMax',
];

/**
 * Within which time a socket fails if its peer vanishes now, by what the kernel holds, whoever set it:
 * `idle`, `busy` (data in flight) and `worst`, in milliseconds; Infinity is an answer. `warnings` says
 * in words what is wrong with them, and what was assumed because it could not be read (no /proc, no
 * retransmission timeout). Of a listening socket: for the connections that it accepts.
 *
 * Times count from the last segment of the peer, and of `busy` from the write. The kernel's timers may
 * be an eighth late, from about 16 s on.
 * @throws SocketOptionError for a socket that is not TCP or not open.
 */
export function getDeadPeerBounds(socket: SocketLike): DeadPeerReport {
  const platform = process.platform as Platform;
  const fd = descriptorOf(socket);
  const held = heldBy(fd);
  const rto = retransmissionTimeoutOf(fd);
  const timeout = rto ?? INITIAL_TIMEOUT;
  const { userTimeout, retransmissionTimeoutMax } = held;
  // A user timeout leaves nothing to the system's settings.
  const { retransmission, assumptions } = userTimeout
    ? { retransmission: { ...builtinHere, timeout }, assumptions: [] }
    : retransmissionHere(timeout, retransmissionTimeoutMax);
  const values = {
    keepAlive: held.keepAlive ?? false,
    keepAliveInitialDelay: held.keepAliveInitialDelay ?? systemDefault('keepAliveInitialDelay'),
    keepAliveInterval: held.keepAliveInterval ?? systemDefault('keepAliveInterval'),
    keepAliveCount: held.keepAliveCount ?? systemDefault('keepAliveCount'),
    userTimeout: userTimeout ?? 0,
  };
  const bounds = boundsOf(platform, values, retransmission);
  const warnings = warningsOn(platform, values, bounds);
  if (values.keepAlive && held.keepAliveInitialDelay === undefined) {
    warnings.push(
      'this system does not tell the keepalive times of a socket: its defaults are taken for them',
    );
  }
  warnings.push(...assumptions);
  if (rto === null) {
    warnings.push(
      `the retransmission timeout is not known: ${spell(INITIAL_TIMEOUT)} is assumed, and a slower path takes longer`,
    );
  }
  return { ...bounds, warnings };
}

function heldBy(fd: number): Partial<OptionValues> {
  let names: readonly OptionName[];
  try {
    names = NAMES.filter((name) => isSupported(name));
  } catch {
    // No socket can be made to ask the kernel what it has: this one answers for what it has.
    return getOptions(fd);
  }
  return getOptions(fd, names);
}

/** Of what no socket of this system tells. One that the system does not tell either never comes. */
function systemDefault(name: 'keepAliveInitialDelay' | 'keepAliveInterval' | 'keepAliveCount') {
  return getSystemDefaults()[name].value ?? Number.POSITIVE_INFINITY;
}

function warningsOn(
  platform: DeadPeerPlatform,
  values: Parameters<typeof probesOf>[1],
  bounds: DeadPeerBounds,
): string[] {
  const { keepAlive, keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } =
    values;
  const warnings: string[] = [];
  const counted = platform === 'linux' && userTimeout > 0;
  if (!keepAlive) {
    warnings.push('keepalive is off: a peer that vanishes while nothing is sent is never noticed');
  } else if (counted && userTimeout < keepAliveInitialDelay + keepAliveInterval) {
    warnings.push(
      `the user timeout (${spell(userTimeout)}) is shorter than initial delay and interval (${spell(keepAliveInitialDelay + keepAliveInterval)}): one lost keepalive probe ends a living connection`,
    );
  } else if (counted && probesOf(platform, values) !== keepAliveCount) {
    warnings.push(
      `the probe count (${keepAliveCount}) is ignored: with a user timeout an idle connection ends after ${probesOf(platform, values)} unanswered probes`,
    );
  } else if (bounds.idle >= 3_600_000) {
    warnings.push(
      `keepalive begins after ${spell(keepAliveInitialDelay)}: a peer that vanishes while nothing is sent is noticed after ${spell(bounds.idle)}`,
    );
  }
  if (userTimeout === 0 && !(keepAlive && keepAliveSuffices(platform))) {
    warnings.push(
      `there is no user timeout: a write to a peer that vanished hangs for about ${spell(bounds.busy)}`,
    );
  }
  if (counted) {
    warnings.push(
      `a living peer that does not read, so that its window stays closed for ${spell(userTimeout)}, is ended too`,
    );
  }
  return warnings;
}

/** A duration for people. */
function spell(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${Number((milliseconds / 1_000).toFixed(1))} s`;
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
