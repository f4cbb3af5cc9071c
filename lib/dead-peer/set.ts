// A plan: for whoever asks, for one socket, and for all that a server accepts.

import type { Server } from 'node:net';
import type { SocketOptions } from '../catalogue';
import type { Platform } from '../catalogue/row';
import { descriptorOf, valueError } from '../given';
import type { SocketLike } from '../socket';
import {
  checkedNumber,
  checkedTimeout,
  checkedWish,
  checkTolerance,
  DEAD_PEER_OPTIONS,
  membersOf,
  tooSmall,
} from './arguments';
import {
  type DeadPeerOptions,
  type DeadPeerPlan,
  keepAliveSuffices,
  type PlanOptions,
  planFor,
  type Wish,
} from './plan';
import {
  BUILTIN,
  builtinHere,
  INITIAL_TIMEOUT,
  retransmissionHere,
  retransmissionTimeoutOf,
} from './retransmission';
import type { DeadPeerPlatform } from './rules';
import { checkOptions, getSystemDefaults, isSupported, setKeepAlive, setOptions } from './uses';

const isWindows = process.platform === 'win32';
/** Whether a plan for this system has one, so that it is ours to put back. */
const isUserTimeoutOurs = !keepAliveSuffices(process.platform as Platform);

const SYSTEMS: readonly DeadPeerPlatform[] = ['linux', 'darwin', 'win32', 'freebsd', 'gvisor'];

export function planDeadPeerTimeout(timeout: number, options?: PlanOptions): DeadPeerPlan {
  const given = membersOf(options, [
    ...DEAD_PEER_OPTIONS,
    ...['platform', 'retransmissionTimeout', 'lossRate'],
  ]);
  const checked = checkedTimeout(timeout);
  const { platform = process.platform, retransmissionTimeout = INITIAL_TIMEOUT, lossRate } = given;
  const system = SYSTEMS.find((name) => name === platform);
  if (system === undefined) {
    throw valueError('options.platform', `must be one of ${SYSTEMS.join(', ')}`, platform);
  }
  const deadPeer = checkedWish(given);
  checkTolerance(system, deadPeer.zeroWindow);
  const wish: Wish = {
    platform: system,
    ...deadPeer,
    assumptions: [],
    retransmission: {
      ...BUILTIN[system],
      timeout: checkedNumber('options.retransmissionTimeout', retransmissionTimeout, 1, 120_000),
    },
  };
  const loss =
    lossRate === undefined ? undefined : checkedNumber('options.lossRate', lossRate, 0, 1);
  const plan = planFor(wish, checked, loss);
  if (plan === undefined) throw tooSmall(timeout, wish);
  return plan;
}

/** The plan for a socket whose retransmission timeout is known, with room for a longer one where there is. */
function planHere(
  timeout: number,
  checked: ReturnType<typeof checkedWish>,
  rto: number | null,
): DeadPeerPlan {
  const platform = process.platform as Platform;
  const wishWith = (assumed: number): Wish => ({
    ...checked,
    platform,
    fixedCount: fixedCount(),
    // A user timeout leaves nothing to the system's settings.
    ...(checked.zeroWindow === 'fail'
      ? { retransmission: { ...builtinHere, timeout: assumed }, assumptions: [] }
      : retransmissionHere(assumed)),
  });
  const wish = wishWith(Math.max(rto ?? 0, INITIAL_TIMEOUT));
  const plan = planAgain(wish, timeout);
  if (plan !== undefined) return plan;
  const exact = rto === null ? wish : wishWith(rto);
  const tight = planFor(exact, timeout);
  if (tight === undefined) throw tooSmall(timeout, exact);
  return tight;
}

/** Windows before 10.1703 has no TCP_KEEPCNT, and always sends the same number of probes. */
function fixedCount(): number | undefined {
  if (!isWindows || isSupported('keepAliveCount')) return undefined;
  return getSystemDefaults().keepAliveCount.value ?? undefined;
}

let recent: { readonly key: string; readonly plan: DeadPeerPlan | undefined } | undefined;

/** Most programs have one timeout for all of their sockets: the last plan is kept. */
function planAgain(wish: Wish, timeout: number): DeadPeerPlan | undefined {
  const { minProbes, zeroWindow, retransmission, assumptions } = wish;
  const values = [timeout, minProbes, zeroWindow, ...Object.values(retransmission)];
  const key = [...values, ...assumptions].join(' ');
  if (recent?.key !== key) recent = { key, plan: planFor(wish, timeout) };
  return recent.plan;
}

export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number | null,
  options?: DeadPeerOptions,
): DeadPeerPlan | null {
  const checked = checkedWish(membersOf(options, DEAD_PEER_OPTIONS));
  if (timeout === null) {
    apply(socketOrServer, asNew());
    follow(socketOrServer, undefined);
    return null;
  }
  const wanted = checkedTimeout(timeout);
  checkTolerance(process.platform as Platform, checked.zeroWindow);
  // Once: a getter may return another descriptor the next time.
  const fd = descriptorOf(socketOrServer);
  const plan = planHere(wanted, checked, retransmissionTimeoutOf(fd));
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
  checkOptions(others);
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
