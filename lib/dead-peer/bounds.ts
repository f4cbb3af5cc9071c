// Reports how long it takes until a socket fails, according to the kernel's present values, and warns of problems.

import type { OptionName, OptionValues } from '../catalogue/catalogue';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { KEEP_ALIVE } from '../options/keepalive-options';
import { isSupported } from '../options/option';
import { getOption, getOptions } from '../options/options';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import { PLAN_OPTIONS } from './apply-options';
import { planOfServer } from './dead-peer-timeout';
import {
  boundsOf,
  type DeadPeerBounds,
  type DeadPeerPlatform,
  type DeadPeerValues,
  keepAliveSuffices,
  probesOf,
} from './kernel-rules';
import {
  INITIAL_TIMEOUT,
  retransmissionHere,
  retransmissionTimeoutOf,
} from './retransmission-here';
import { planNow } from './socket-plan';
import { type Supervision, supervisionOf } from './supervision/supervisor';
import type { SupervisedSocket } from './supervision/verdict';
import { systemOf } from './system-of';

/** The result of {@link getDeadPeerBounds}: the bounds, and warnings about them. */
export interface DeadPeerReport extends DeadPeerBounds {
  /** Problems and assumptions as English sentences, the worst first. */
  readonly warnings: readonly string[];
}

/**
 * Returns how long it takes until a socket fails if its peer vanishes now.
 *
 * For a supervised socket these are the bounds and warnings that its plan would have now. For others they follow from
 * the kernel's present values, also if another library has set them. For a listening socket they apply to the
 * connections that it accepts. They count from the last segment of the peer, and `busy` from the write. They include
 * timers of the kernel that are late: by up to an eighth.
 * @example
 * ```ts
 * const { worst, warnings } = getDeadPeerBounds(socket); // 20 000 (ms), []
 * ```
 * @param socket The TCP socket, or a server for the connections that it accepts.
 * @returns `idle`, `busy` (data in flight), `closedWindow` and `worst` in milliseconds, Infinity for never (in JSON
 *   `null`); and `warnings` about problems and about values that were assumed because they could not be read (no /proc,
 *   no retransmission timeout).
 * @throws SocketOptionError `ENOPROTOOPT`, `ENOTSUP` for a socket that is not TCP, `ERR_SOCKET_*` for a socket that is
 *   not open.
 * @throws TypeError, RangeError for a value that is no socket and no descriptor.
 * @systems Linux, macOS, Windows, FreeBSD: `SO_KEEPALIVE`, `TCP_KEEPIDLE` (macOS `TCP_KEEPALIVE`), `TCP_KEEPINTVL`,
 *   `TCP_KEEPCNT` and the option of `userTimeout`. The rules of Linux were measured; those of the other systems come
 *   from documents and source.
 * @see tcp(7), RFC 9293 section 3.8.3 and 3.8.4
 */
export function getDeadPeerBounds(socket: SocketLike): DeadPeerReport {
  const fd = descriptorOf(socket);
  const plan = planOfServer(socket);
  if (plan?.supervised) return { ...plan.bounds, warnings: plan.warnings };
  const supervision =
    typeof socket === 'object' ? supervisionOf(socket as SupervisedSocket) : undefined;
  // Where the kernel gives the verdict, its values decide.
  return supervision?.plan.supervised ? boundsOfSupervision(fd, supervision) : boundsOfValues(fd);
}

function boundsOfSupervision(fd: number, { plan, chosen, since }: Supervision): DeadPeerReport {
  const { bounds, warnings } = planNow(fd, plan, chosen, performance.now() - since);
  const userTimeout = plan.platform === 'linux' ? getOption(fd, 'userTimeout') : 0;
  const isForeign = userTimeout > 0 && userTimeout !== plan.options.userTimeout;
  const more = isForeign
    ? [
        `the program has set a user timeout (${formatDuration(userTimeout)}) after the plan: it can end a living peer that does not answer or read for that long`,
      ]
    : [];
  return { ...bounds, warnings: [...more, ...warnings] };
}

function boundsOfValues(fd: number): DeadPeerReport {
  const system = systemOf(fd);
  const held = readValues(fd, system);
  const rto = retransmissionTimeoutOf(fd);
  const timeout = rto ?? INITIAL_TIMEOUT;
  const { userTimeout, retransmissionTimeoutMax } = held;
  const { retransmission, assumptions } = retransmissionHere(timeout, retransmissionTimeoutMax);
  const values = {
    keepAlive: held.keepAlive ?? false,
    keepAliveInitialDelay: held.keepAliveInitialDelay ?? systemDefault('keepAliveInitialDelay'),
    keepAliveInterval: held.keepAliveInterval ?? systemDefault('keepAliveInterval'),
    keepAliveCount: held.keepAliveCount ?? systemDefault('keepAliveCount'),
    userTimeout: userTimeout ?? 0,
  };
  const bounds = boundsOf(system, values, retransmission);
  const warnings = warningsAbout(system, values, bounds);
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

function readValues(fd: number, system: DeadPeerPlatform): Partial<OptionValues> {
  // An MPTCP socket refuses the options that only TCP has.
  const known = system === 'mptcp' ? KEEP_ALIVE : PLAN_OPTIONS;
  let names: readonly OptionName[];
  try {
    names = known.filter((name) => isSupported(name));
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
  system: DeadPeerPlatform,
  values: DeadPeerValues,
  bounds: DeadPeerBounds,
): string[] {
  const { keepAlive, keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } =
    values;
  const warnings: string[] = [];
  const isTimed = system === 'linux' && userTimeout > 0;
  const probes = probesOf(system, values);
  if (!keepAlive) {
    warnings.push('keepalive is off: a peer that vanishes while nothing is sent is never detected');
  } else if (isTimed && probes === 1) {
    warnings.push(
      `the user timeout (${formatDuration(userTimeout)}) leaves room for one keepalive probe (initial delay ${formatDuration(keepAliveInitialDelay)}, interval ${formatDuration(keepAliveInterval)}): if it is lost, a living connection ends`,
    );
  } else if (isTimed && probes !== keepAliveCount) {
    warnings.push(
      `the probe count (${keepAliveCount}) is ignored: with a user timeout an idle connection ends after ${probes} unanswered probes`,
    );
  } else if (bounds.idle >= 3_600_000) {
    warnings.push(
      `keepalive begins after ${formatDuration(keepAliveInitialDelay)}: a peer that vanishes while nothing is sent is detected after ${formatDuration(bounds.idle)}`,
    );
  }
  if (userTimeout === 0 && !(keepAlive && keepAliveSuffices(system))) {
    warnings.push(
      `there is no user timeout: a write to a peer that vanished hangs for about ${formatDuration(bounds.busy)}`,
    );
  }
  if (!keepAliveSuffices(system) && system !== 'win32') {
    warnings.push(
      'a program that keeps writing postpones the end without limit: each write restarts the timer of the tail-loss probe',
    );
  }
  if (isTimed) {
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
