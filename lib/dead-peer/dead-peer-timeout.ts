// A plan: for whoever asks, for one socket, and for all that a server accepts.

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
/** Whether a plan for this system has one, so that it is ours to put back. */
const isUserTimeoutOurs = !keepAliveSuffices(process.platform as Platform);

const PLATFORMS: readonly DeadPeerPlatform[] = ['linux', 'darwin', 'win32', 'freebsd', 'gvisor'];

const PLAN_OPTIONS = [
  ...DEAD_PEER_OPTIONS,
  ...(['platform', 'retransmissionTimeout', 'lossRate'] as const),
] as const;

const PATHS: ArgumentPaths = { timeout: 'timeout', options: 'options' };

/**
 * What {@link setDeadPeerTimeout} would set, on this or another system, and the bounds that follow; asks
 * and changes nothing, and works without the addon. `planDeadPeerTimeout(20_000, { platform: 'win32' })`.
 *
 * With a `lossRate` also the price of a small timeout: the chance per hour that a living, idle peer is
 * taken for dead on a path that loses this share of the packets.
 *
 * Linux: measured. macOS, FreeBSD, Windows, gVisor: by their documents and source (`measured: false`).
 * @throws RangeError, TypeError as {@link setDeadPeerTimeout}.
 */
export function planDeadPeerTimeout(timeout: number, options: PlanOptions = {}): DeadPeerPlan {
  return makePlan(timeout, validateOptions(options, 'options', PLAN_OPTIONS), PATHS);
}

/** The same for arguments that have other names in errors. The names of the options are not checked. Not public. */
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

/** The plan for a socket whose retransmission timeout is known, with room for a longer one where there is. */
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
    // A user timeout leaves nothing to the system's settings.
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

/** Windows before 10.1703 has no TCP_KEEPCNT, and always sends the same number of probes. */
function fixedCount(): number | undefined {
  if (!isWindows || isSupported('keepAliveCount')) return undefined;
  return getSystemDefaults().keepAliveCount.value ?? undefined;
}

let recent: { readonly key: string; readonly plan: DeadPeerPlan | undefined } | undefined;

/** Most programs have one timeout for all of their sockets: the last plan is kept. */
function cachedPlanFor(request: PlanRequest, timeout: number): DeadPeerPlan | undefined {
  const { minProbes, zeroWindow, retransmission, assumptions } = request;
  const values = [timeout, minProbes, zeroWindow, ...Object.values(retransmission)];
  const key = [...values, ...assumptions].join(' ');
  if (recent?.key !== key) recent = { key, plan: planFor(request, timeout) };
  return recent.plan;
}

/**
 * Has a socket fail within `timeout` milliseconds after its peer fell silent (power, cable or router
 * gone): while it is idle, has data in flight, keeps writing, or writes in the midst of the probing.
 * `setDeadPeerTimeout(socket, 20_000)`.
 *
 * A living peer that answers is not ended, however idle it is; and no single lost packet decides: three
 * probes have to go unanswered at the least (`minProbes`). One that lives but does not read for about
 * half of the timeout is ended on Linux, unless `zeroWindow` says otherwise.
 *
 * Sets initial delay, interval and count of keepalive, the switch, and the user timeout, which are
 * chosen together: see {@link planDeadPeerTimeout}. The connection's own retransmission timeout counts
 * into the bound, with room for its growing to 1 s where the timeout allows it. Of a server it holds
 * for all connections that it accepts from then on; on Linux they inherit it, without a system call.
 * `null` switches it off: the values are those of a new socket again.
 *
 * A later `socket.setKeepAlive()` of Node's own undoes a part of it.
 *
 * Linux `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`, `SO_KEEPALIVE`, `TCP_USER_TIMEOUT`; macOS and
 * FreeBSD without the last; Windows `TCP_MAXRTMS` in its place (not run there yet).
 * @returns what was set, and the bounds that follow, frozen; `null` for `null`.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a timeout that is too small, with the smallest possible one
 *   (about 8 s with three probes); TypeError for a wrong argument. Nothing was set then.
 * @throws SocketOptionError for a socket that is not TCP or not open, and for a refused call.
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
    apply(socketOrServer, asNew());
    follow(socketOrServer, undefined);
    return null;
  }
  validateTimeout(timeout, 'timeout');
  validateTolerance(process.platform as Platform, chosen.zeroWindow, 'options');
  // Once: a getter may return another descriptor the next time.
  const fd = descriptorOf(socketOrServer);
  const plan = planForSocket(timeout, chosen, retransmissionTimeoutOf(fd));
  apply(fd, plan.options);
  follow(socketOrServer, plan);
  return plan;
}

/**
 * Keepalive in a call of its own on Windows: it has the ways of those versions that have no options for it.
 */
function apply(socket: SocketLike, options: SocketOptions): void {
  if (!isWindows) {
    setOptions(socket, options);
    return;
  }
  const { keepAlive, keepAliveInitialDelay, keepAliveInterval, keepAliveCount, ...others } =
    options;
  // Before anything is set.
  validateSocketOptions(others);
  setKeepAlive(socket, {
    enable: keepAlive,
    initialDelay: keepAliveInitialDelay,
    interval: keepAliveInterval,
    count: keepAliveCount,
  });
  setOptions(socket, others);
}

/** What a new socket has. */
function asNew(): SocketOptions {
  return {
    keepAliveInitialDelay: 'system',
    keepAliveInterval: 'system',
    keepAliveCount: 'system',
    keepAlive: false,
    ...(isUserTimeoutOurs && isSupported('userTimeout') ? { userTimeout: 0 } : {}),
    ...(isSupported('retransmissionTimeoutMax') ? { retransmissionTimeoutMax: 'system' } : {}),
  };
}

/** Servers whose connections are tuned one by one. */
const followed = new WeakMap<object, (socket: SocketLike) => void>();

/** Where connections do not inherit all of it, a server's are tuned as they are accepted. */
function follow(server: SocketLike, plan: DeadPeerPlan | undefined): void {
  if (typeof server !== 'object' || !('listening' in server) || process.platform === 'linux')
    return;
  const before = followed.get(server);
  if (before !== undefined) (server as Server).off('connection', before);
  followed.delete(server);
  if (plan === undefined) return;
  const listener = (socket: SocketLike): void => {
    try {
      apply(socket, plan.options);
    } catch {
      // It was reset before it was accepted, and says so itself.
    }
  };
  followed.set(server, listener);
  (server as Server).prependListener('connection', listener);
}
