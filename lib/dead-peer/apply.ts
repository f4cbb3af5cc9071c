// A plan for one socket, or for all that a server accepts; and what a socket has now.

import type { Server } from 'node:net';
import type { OptionName, SocketOptions } from '../catalogue';
import type { Platform } from '../catalogue/row';
import { rangeError, typeError, valueError } from '../given';
import type { SocketLike } from '../socket';
import {
  type DeadPeerOptions,
  type DeadPeerPlan,
  keepAliveSuffices,
  type PlanOptions,
  planFor,
  smallestTimeout,
  type Wish,
  type ZeroWindow,
} from './plan';
import {
  boundsOf,
  type DeadPeerBounds,
  type DeadPeerPlatform,
  probesOf,
  type Retransmission,
} from './rules';
import { getOptions, getSystemDefaults, getTcpInfo, isSupported, setOptions } from './uses';

const SYSTEMS: readonly DeadPeerPlatform[] = ['linux', 'darwin', 'win32', 'freebsd', 'gvisor'];

/** What TCP begins with (RFC 6298), and what a shorter one may grow to on a path that gets slower. */
const INITIAL_TIMEOUT = 1_000;

const BUILTIN: Readonly<Record<DeadPeerPlatform, Omit<Retransmission, 'timeout'>>> = {
  linux: { timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  gvisor: { timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  darwin: { timeoutMin: 30, timeoutMax: 64_000, retries: 12 },
  freebsd: { timeoutMin: 30, timeoutMax: 64_000, retries: 12 },
  win32: { timeoutMin: 300, timeoutMax: 60_000, retries: 5 },
};

const builtinHere = BUILTIN[process.platform as Platform] ?? BUILTIN.linux;

/** How this system sends data again, by its settings where it shows them; to read them takes a while. */
function retransmissionHere(timeout: number): Retransmission {
  const { retransmissions, retransmissionTimeoutMin, retransmissionTimeoutMax } =
    getSystemDefaults();
  return {
    timeout,
    timeoutMin: retransmissionTimeoutMin.value ?? builtinHere.timeoutMin,
    timeoutMax: retransmissionTimeoutMax.value ?? builtinHere.timeoutMax,
    retries: retransmissions.value ?? builtinHere.retries,
  };
}

function membersOf(options: unknown, names: readonly string[]): Record<string, unknown> {
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

function checkedNumber(name: string, value: unknown, least: number, most: number): number {
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

const DEAD_PEER_OPTIONS = ['minProbes', 'zeroWindow'];

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
function checkTolerance(platform: DeadPeerPlatform, zeroWindow: ZeroWindow): void {
  if (zeroWindow === 'tolerate' && (platform === 'win32' || platform === 'gvisor')) {
    const reason = `cannot be 'tolerate' on ${platform}: nothing but the user timeout bounds data there`;
    throw valueError('options.zeroWindow', reason, zeroWindow);
  }
}

function tooSmall(timeout: number, wish: Wish): Error {
  const { minProbes, retransmission } = wish;
  const given = `${minProbes} unanswered ${minProbes === 1 ? 'probe' : 'probes'}, retransmission timeout ${retransmission.timeout} ms`;
  return rangeError('timeout', `>= ${smallestTimeout(wish)} ms (${given})`, timeout);
}

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

export function getDeadPeerBounds(socket: SocketLike): DeadPeerReport {
  const platform = process.platform as Platform;
  const held = getOptions(
    socket,
    NAMES.filter((name) => isSupported(name)),
  );
  const { rto } = getTcpInfo(socket);
  const timeout = rto ?? INITIAL_TIMEOUT;
  const here = held.userTimeout ? { ...builtinHere, timeout } : retransmissionHere(timeout);
  const retransmission = {
    ...here,
    timeoutMax: held.retransmissionTimeoutMax ?? here.timeoutMax,
  };
  const values = {
    keepAlive: held.keepAlive ?? false,
    keepAliveInitialDelay: held.keepAliveInitialDelay ?? 7_200_000,
    keepAliveInterval: held.keepAliveInterval ?? 1_000,
    keepAliveCount: held.keepAliveCount ?? 10,
    userTimeout: held.userTimeout ?? 0,
  };
  const bounds = boundsOf(platform, values, retransmission);
  return { ...bounds, warnings: warningsOn(platform, values, bounds) };
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
