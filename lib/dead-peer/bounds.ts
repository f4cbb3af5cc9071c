// Reports how long it takes until a socket fails, according to the kernel's present values, and warns of problems.

import type { OptionName, OptionValues } from '../catalogue/catalogue';
import type { Platform } from '../catalogue/row';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { isSupported } from '../options/option';
import { getOptions } from '../options/options';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import {
  builtinHere,
  INITIAL_TIMEOUT,
  retransmissionHere,
  retransmissionTimeoutOf,
} from './retransmission-here';
import {
  boundsOf,
  type DeadPeerBounds,
  type DeadPeerPlatform,
  keepAliveSuffices,
  probesOf,
} from './rules';

/** The result of {@link getDeadPeerBounds}: the bounds, and warnings about them. */
export interface DeadPeerReport extends DeadPeerBounds {
  /** Problems and assumptions as English sentences, the worst first. */
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
 * Returns how long it takes until a socket fails if its peer vanishes now: `getDeadPeerBounds(socket).worst`.
 *
 * The bounds follow from the kernel's present values, also if another library has set them. For a listening socket they
 * apply to the connections that it accepts. They count from the last segment of the peer, and `busy` from the write. The
 * kernel's timers may be late, by up to an eighth from about 16 s on.
 * @returns `idle`, `busy` (data in flight) and `worst` in milliseconds, Infinity for never; and `warnings` about problems
 *   and about values that were assumed because they could not be read (no /proc, no retransmission timeout).
 * @throws SocketOptionError `ENOPROTOOPT`, `ENOTSUP` for a socket that is not TCP, `ERR_SOCKET_*` for a socket that is not
 *   open.
 * @see tcp(7), RFC 9293 section 3.8.3 and 3.8.4
 */
export function getDeadPeerBounds(socket: SocketLike): DeadPeerReport {
  const platform = process.platform as Platform;
  const fd = descriptorOf(socket);
  const held = readValues(fd);
  const rto = retransmissionTimeoutOf(fd);
  const timeout = rto ?? INITIAL_TIMEOUT;
  const { userTimeout, retransmissionTimeoutMax } = held;
  // With a user timeout the system's settings do not matter.
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
  const warnings = warningsAbout(platform, values, bounds);
  if (values.keepAlive && held.keepAliveInitialDelay === undefined) {
    warnings.push(
      'this system does not report the keepalive times of a socket: the system defaults are assumed',
    );
  }
  warnings.push(...assumptions);
  if (rto === null) {
    warnings.push(
      `the retransmission timeout is unknown: ${formatDuration(INITIAL_TIMEOUT)} is assumed, and a slower path takes longer`,
    );
  }
  return { ...bounds, warnings };
}

function readValues(fd: number): Partial<OptionValues> {
  let names: readonly OptionName[];
  try {
    names = NAMES.filter((name) => isSupported(name));
  } catch {
    // The support is unknown, because no socket can be opened: read the options that this socket has.
    return getOptions(fd);
  }
  return getOptions(fd, names);
}

/** The system default, for a value that no socket of this system reports; Infinity if that is unknown too. */
function systemDefault(name: 'keepAliveInitialDelay' | 'keepAliveInterval' | 'keepAliveCount') {
  return getSystemDefaults()[name].value ?? Number.POSITIVE_INFINITY;
}

function warningsAbout(
  platform: DeadPeerPlatform,
  values: Parameters<typeof probesOf>[1],
  bounds: DeadPeerBounds,
): string[] {
  const { keepAlive, keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } =
    values;
  const warnings: string[] = [];
  const counted = platform === 'linux' && userTimeout > 0;
  if (!keepAlive) {
    warnings.push('keepalive is off: a peer that vanishes while nothing is sent is never detected');
  } else if (counted && userTimeout < keepAliveInitialDelay + keepAliveInterval) {
    warnings.push(
      `the user timeout (${formatDuration(userTimeout)}) is shorter than initial delay plus interval (${formatDuration(keepAliveInitialDelay + keepAliveInterval)}): one lost keepalive probe ends a living connection`,
    );
  } else if (counted && probesOf(platform, values) !== keepAliveCount) {
    warnings.push(
      `the probe count (${keepAliveCount}) is ignored: with a user timeout an idle connection ends after ${probesOf(platform, values)} unanswered probes`,
    );
  } else if (bounds.idle >= 3_600_000) {
    warnings.push(
      `keepalive begins after ${formatDuration(keepAliveInitialDelay)}: a peer that vanishes while nothing is sent is detected after ${formatDuration(bounds.idle)}`,
    );
  }
  if (userTimeout === 0 && !(keepAlive && keepAliveSuffices(platform))) {
    warnings.push(
      `there is no user timeout: a write to a peer that vanished hangs for about ${formatDuration(bounds.busy)}`,
    );
  }
  if (counted) {
    warnings.push(
      `a living peer that does not read loses its connection when its window was closed for ${formatDuration(userTimeout)}`,
    );
  }
  return warnings;
}

/** A duration as text. */
function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${Number((milliseconds / 1_000).toFixed(1))} s`;
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
