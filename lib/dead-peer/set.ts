// A plan: for whoever asks, for one socket, and for all that a server accepts.

import type { Server } from 'node:net';
import type { SocketOptions } from '../catalogue';
import type { Platform } from '../catalogue/row';
import { valueError } from '../given';
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
  type PlanOptions,
  planFor,
  type Wish,
} from './plan';
import { BUILTIN, builtinHere, INITIAL_TIMEOUT, retransmissionHere } from './retransmission';
import type { DeadPeerPlatform } from './rules';
import { getTcpInfo, isSupported, setOptions } from './uses';

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
    // A user timeout leaves nothing to the system's settings.
    retransmission:
      checked.zeroWindow === 'fail'
        ? { ...builtinHere, timeout: assumed }
        : retransmissionHere(assumed),
  });
  const wish = wishWith(Math.max(rto ?? 0, INITIAL_TIMEOUT));
  const plan = planAgain(wish, timeout);
  if (plan !== undefined) return plan;
  const exact = rto === null ? wish : wishWith(rto);
  const tight = planFor(exact, timeout);
  if (tight === undefined) throw tooSmall(timeout, exact);
  return tight;
}

let recent: { readonly key: string; readonly plan: DeadPeerPlan | undefined } | undefined;

/** Most programs have one timeout for all of their sockets: the last plan is kept. */
function planAgain(wish: Wish, timeout: number): DeadPeerPlan | undefined {
  const { minProbes, zeroWindow, retransmission } = wish;
  const key = [timeout, minProbes, zeroWindow, ...Object.values(retransmission)].join(' ');
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
    setOptions(socketOrServer, asNew());
    follow(socketOrServer, undefined);
    return null;
  }
  const wanted = checkedTimeout(timeout);
  checkTolerance(process.platform as Platform, checked.zeroWindow);
  // A listening socket has none: its connections begin with the first.
  const { rto } = getTcpInfo(socketOrServer);
  const plan = planHere(wanted, checked, rto);
  setOptions(socketOrServer, plan.options);
  follow(socketOrServer, plan);
  return plan;
}

/** What a new socket has. */
function asNew(): SocketOptions {
  return {
    keepAliveInitialDelay: 'system',
    keepAliveInterval: 'system',
    keepAliveCount: 'system',
    keepAlive: false,
    // Of Windows nobody says which number is off.
    ...(process.platform === 'linux' && isSupported('userTimeout') ? { userTimeout: 0 } : {}),
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
      setOptions(socket, plan.options);
    } catch {
      // It was reset before it was accepted, and says so itself.
    }
  };
  followed.set(server, listener);
  (server as Server).prependListener('connection', listener);
}
