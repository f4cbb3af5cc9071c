// planDeadPeerTimeout and setDeadPeerTimeout: make a plan, and apply it to a socket or to the connections of a server.

import type { Server } from 'node:net';
import type { SocketOptions } from '../catalogue/catalogue';
import type { Platform } from '../catalogue/row';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { validateNumber, validateOneOf, validateOptions } from '../core/validate';
import { setKeepAlive } from '../options/keepalive';
import { isSupported } from '../options/option';
import { setOptions, validateSocketOptions } from '../options/options';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import {
  type DeadPeerOptions,
  type DeadPeerPlan,
  keepAliveSuffices,
  type PlanOptions,
  type PlanRequest,
  planFor,
} from './plan';
import {
  BUILTIN,
  builtinHere,
  INITIAL_TIMEOUT,
  retransmissionHere,
  retransmissionTimeoutOf,
} from './retransmission-here';
import type { DeadPeerPlatform } from './rules';
import {
  type ArgumentPaths,
  DEAD_PEER_OPTIONS,
  timeoutTooSmallError,
  validatePlanOptions,
  validateTimeout,
  validateTolerance,
} from './validate-options';

const isWindows = process.platform === 'win32';
/** Whether plans for this system set the user timeout, so that `null` must reset it. */
const isUserTimeoutOurs = !keepAliveSuffices(process.platform as Platform);

const PLATFORMS: readonly DeadPeerPlatform[] = ['linux', 'darwin', 'win32', 'freebsd', 'gvisor'];

const PLAN_OPTIONS = [
  ...DEAD_PEER_OPTIONS,
  ...(['platform', 'retransmissionTimeout', 'lossRate'] as const),
] as const;

const PATHS: ArgumentPaths = { timeout: 'timeout', options: 'options' };

/**
 * Returns what {@link setDeadPeerTimeout} would set on this or another system, and the bounds that follow:
 * `planDeadPeerTimeout(20_000, { platform: 'win32' }).bounds`.
 *
 * It makes no system call and works without the addon. `timeout` is in milliseconds, up to 2^31 - 1. With a `lossRate` the
 * plan also has the chance that a living, idle peer counts as dead within an hour.
 *
 * The rules for Linux were measured. The rules for macOS, FreeBSD, Windows and gVisor come from their documents and source
 * (`measured: false`).
 * @returns the plan, frozen. Its times are in milliseconds.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a timeout that is too small. Its `smallestTimeout` is the smallest possible one,
 *   in milliseconds, and its `reason` says why.
 * @throws TypeError, RangeError for a wrong argument, with the allowed values.
 */
export function planDeadPeerTimeout(timeout: number, options: PlanOptions = {}): DeadPeerPlan {
  return makePlan(timeout, validateOptions(options, 'options', PLAN_OPTIONS), PATHS);
}

/** Makes a plan from arguments that have other names in errors. Does not check for unknown options. Not public. */
export function makePlan(
  timeout: number,
  options: PlanOptions,
  paths: ArgumentPaths,
): DeadPeerPlan {
  validateTimeout(timeout, paths.timeout);
  const { platform = process.platform, retransmissionTimeout = INITIAL_TIMEOUT } = options;
  const system = validateOneOf(platform, `${paths.options}.platform`, PLATFORMS);
  const chosen = validatePlanOptions(options, paths.options);
  validateTolerance(system, chosen.zeroWindow, paths.options);
  const range = { min: 1, max: 120_000, milliseconds: true };
  validateNumber(retransmissionTimeout, `${paths.options}.retransmissionTimeout`, range);
  const request: PlanRequest = {
    platform: system,
    ...chosen,
    assumptions: [],
    retransmission: { ...BUILTIN[system], timeout: retransmissionTimeout },
  };
  const { lossRate } = options;
  if (lossRate !== undefined) {
    validateNumber(lossRate, `${paths.options}.lossRate`, { min: 0, max: 1 });
  }
  const plan = planFor(request, timeout, lossRate);
  if (plan === undefined) throw timeoutTooSmallError(timeout, request, paths);
  return plan;
}

/** Makes the plan for a socket. It assumes a retransmission timeout of 1 s or more, if the timeout has room for that. */
function planForSocket(
  timeout: number,
  chosen: ReturnType<typeof validatePlanOptions>,
  rto: number | null,
): DeadPeerPlan {
  const platform = process.platform as Platform;
  const requestWith = (assumed: number): PlanRequest => ({
    ...chosen,
    platform,
    fixedCount: fixedCount(),
    // With a user timeout the system's settings do not matter.
    ...(chosen.zeroWindow === 'fail'
      ? { retransmission: { ...builtinHere, timeout: assumed }, assumptions: [] }
      : retransmissionHere(assumed)),
  });
  const request = requestWith(Math.max(rto ?? 0, INITIAL_TIMEOUT));
  const plan = cachedPlanFor(request, timeout);
  if (plan !== undefined) return plan;
  const exact = rto === null ? request : requestWith(rto);
  const tight = planFor(exact, timeout);
  if (tight === undefined) throw timeoutTooSmallError(timeout, exact, PATHS);
  return tight;
}

/** Returns the number of probes of Windows before 10.1703, which has no TCP_KEEPCNT. */
function fixedCount(): number | undefined {
  if (!isWindows || isSupported('keepAliveCount')) return undefined;
  return getSystemDefaults().keepAliveCount.value ?? undefined;
}

let recent: { readonly key: string; readonly plan: DeadPeerPlan | undefined } | undefined;

/** Keeps the last plan, because most programs have one timeout for all sockets. */
function cachedPlanFor(request: PlanRequest, timeout: number): DeadPeerPlan | undefined {
  const { minProbes, zeroWindow, retransmission, assumptions } = request;
  const values = [timeout, minProbes, zeroWindow, ...Object.values(retransmission)];
  const key = [...values, ...assumptions].join(' ');
  if (recent?.key !== key) recent = { key, plan: planFor(request, timeout) };
  return recent.plan;
}

/**
 * Makes a socket fail within `timeout` milliseconds after its peer vanished (power, cable or router lost):
 * `setDeadPeerTimeout(socket, 20_000)`.
 *
 * The timeout applies while the connection is idle, while data is in flight, and while the program writes. The connection
 * of a living peer that answers does not end, however long it is idle, and no single lost packet decides: at least three
 * probes must be unanswered (`minProbes`). On Linux the connection of a living peer that does not read for about half of
 * the timeout also ends, unless `zeroWindow` is `'tolerate'`.
 *
 * It sets initial delay, interval and count of keepalive, the switch, and the user timeout, which are chosen together: see
 * {@link planDeadPeerTimeout}. The bounds include the connection's retransmission timeout, with room for growth to 1 s if
 * the timeout allows it. On a server it applies to all connections that the server accepts later. On Linux they inherit
 * the values, without a system call. `null` restores the values of a new socket.
 *
 * A later call of Node's own `socket.setKeepAlive()` overwrites a part of the values.
 *
 * Linux: `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`, `SO_KEEPALIVE`, `TCP_USER_TIMEOUT`. macOS and FreeBSD: the first
 * four. Windows: `TCP_MAXRTMS` in place of the last one (not run there yet).
 * @returns the values that were set and the bounds that follow, frozen; `null` for `null`.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a timeout that is too small. Its `smallestTimeout` is the smallest possible one
 *   (about 8 s with three probes), in milliseconds, and its `reason` says why. Nothing was set.
 * @throws TypeError, RangeError for another wrong argument. Nothing was set.
 * @throws SocketOptionError for a socket that is not TCP or not open, and for a call that the kernel refused.
 * @see tcp(7), RFC 9293 section 3.8.3 and 3.8.4
 */
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number,
  options?: DeadPeerOptions,
): DeadPeerPlan;
export function setDeadPeerTimeout(socketOrServer: SocketLike, timeout: null): null;
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number | null,
  options?: DeadPeerOptions,
): DeadPeerPlan | null;
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number | null,
  options: DeadPeerOptions = {},
): DeadPeerPlan | null {
  const members = validateOptions(options, 'options', DEAD_PEER_OPTIONS);
  const chosen = validatePlanOptions(members, 'options');
  if (timeout === null) {
    apply(socketOrServer, initialOptions());
    tuneAccepted(socketOrServer, undefined);
    return null;
  }
  validateTimeout(timeout, 'timeout');
  validateTolerance(process.platform as Platform, chosen.zeroWindow, 'options');
  // Read once: a getter may return another descriptor the next time.
  const fd = descriptorOf(socketOrServer);
  const plan = planForSocket(timeout, chosen, retransmissionTimeoutOf(fd));
  apply(fd, plan.options);
  tuneAccepted(socketOrServer, plan);
  return plan;
}

/** Sets the options. On Windows setKeepAlive() sets keepalive, because old versions have no options for it. */
function apply(socket: SocketLike, options: SocketOptions): void {
  if (!isWindows) {
    setOptions(socket, options);
    return;
  }
  const { keepAlive, keepAliveInitialDelay, keepAliveInterval, keepAliveCount, ...others } =
    options;
  // First, before anything is set.
  validateSocketOptions(others);
  setKeepAlive(socket, {
    enable: keepAlive,
    initialDelay: keepAliveInitialDelay,
    interval: keepAliveInterval,
    count: keepAliveCount,
  });
  setOptions(socket, others);
}

/** Returns the values of a new socket. */
function initialOptions(): SocketOptions {
  return {
    keepAliveInitialDelay: 'system',
    keepAliveInterval: 'system',
    keepAliveCount: 'system',
    keepAlive: false,
    ...(isUserTimeoutOurs && isSupported('userTimeout') ? { userTimeout: 0 } : {}),
    ...(isSupported('retransmissionTimeoutMax') ? { retransmissionTimeoutMax: 'system' } : {}),
  };
}

/** The 'connection' listeners of servers whose connections are tuned one by one. */
const listeners = new WeakMap<object, (socket: SocketLike) => void>();

/** Tunes each accepted connection of a server, on systems where connections do not inherit all values. */
function tuneAccepted(server: SocketLike, plan: DeadPeerPlan | undefined): void {
  if (typeof server !== 'object' || !('listening' in server) || process.platform === 'linux')
    return;
  const before = listeners.get(server);
  if (before !== undefined) (server as Server).off('connection', before);
  listeners.delete(server);
  if (plan === undefined) return;
  const listener = (socket: SocketLike): void => {
    try {
      apply(socket, plan.options);
    } catch {
      // The connection was reset before it was accepted, and emits this error itself.
    }
  };
  listeners.set(server, listener);
  (server as Server).prependListener('connection', listener);
}
