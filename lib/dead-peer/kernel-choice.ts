// Chooses kernel values that detect a dead peer within a timeout without supervision. They are chosen together, because
// each one alone can break the promise. kernel-rules.ts has the rules of the systems.

import {
  boundsOf,
  type DeadPeerBounds,
  type DeadPeerValues,
  keepAliveSuffices,
  probesOf,
} from './kernel-rules';
import type { PlanRequest } from './plan';
import { surelyWithin, timerLateness } from './timer-lateness';

/** More probes do not make the detection better. */
const ENOUGH_PROBES = 5;
/** The kernels' unit of keepalive times. */
const SECOND = 1_000;
/** The maximum of TCP_KEEPIDLE and TCP_KEEPINTVL of Linux. Other systems have a larger one. */
const LONGEST_DELAY = 32_767 * SECOND;
/** The maximum of TCP_KEEPCNT of Linux and gVisor. */
const MOST_PROBES = 127;
/** The range of TCP_RTO_MAX_MS. */
const SHORTEST_TIMEOUT_MAX = 1_000;
const LONGEST_TIMEOUT_MAX = 120_000;

/** What bounds data that is not acknowledged. */
type DataLimit =
  /** Keepalive runs meanwhile: macOS, FreeBSD. */
  | 'keepalive'
  /** TCP_RTO_MAX_MS shortens the pauses, and the number of retransmissions ends the connection. */
  | 'timeoutMax'
  /** The user timeout. */
  | 'userTimeout'
  /** Only the number of retransmissions, after about 15 minutes: MPTCP. */
  | 'retries';

/** A possible set of values, and what follows. */
export interface Choice {
  readonly values: DeadPeerValues;
  readonly limit: DataLimit;
  /** The longest retransmission timeout; `null` if it is not set. */
  readonly timeoutMax: number | null;
  readonly bounds: DeadPeerBounds;
}

function limitOf({ platform, zeroWindow, hasTimeoutMax }: PlanRequest): DataLimit {
  if (keepAliveSuffices(platform)) return 'keepalive';
  if (platform === 'mptcp') return 'retries';
  // Without TCP_RTO_MAX_MS only the user timeout bounds data.
  return hasTimeoutMax && zeroWindow === 'tolerate' ? 'timeoutMax' : 'userTimeout';
}

/**
 * The kernel checks the user timeout whenever a probe is due. So it ends halfway between the last two probes, or later if
 * late timers could let it end one probe too early. It counts from the last segment of the peer, so a silence before the
 * call must not use it up.
 */
function userTimeoutFor(request: PlanRequest, delay: number, interval: number, probes: number) {
  const first = Math.max(delay, interval, request.silence);
  const late = timerLateness(first) + (probes - 1) * timerLateness(interval);
  const between = Math.max(interval / 2, Math.ceil(late * 1.25));
  return Math.ceil(first + (probes - 1) * interval + between);
}

function choiceOf(
  request: PlanRequest,
  probes: number,
  initialDelay: number,
  interval: number,
  timeoutMax: number | null,
): Choice {
  const { platform, retransmission, silence } = request;
  const limit = limitOf(request);
  const chosen = {
    keepAlive: true,
    keepAliveInitialDelay: initialDelay,
    keepAliveInterval: interval,
    keepAliveCount: probes,
    userTimeout:
      limit === 'userTimeout' ? userTimeoutFor(request, initialDelay, interval, probes) : 0,
  };
  // The user timeout may leave room for more. Linux ignores the count then; gVisor and people do not.
  const count = Math.max(probes, probesOf('linux', chosen));
  const values = { ...chosen, keepAliveCount: Math.min(count, MOST_PROBES) };
  // The first probe is sent at once if the peer has been silent for longer.
  const seen = { ...values, keepAliveInitialDelay: Math.max(initialDelay, silence) };
  const bounds = boundsOf(platform, seen, {
    ...retransmission,
    ...(timeoutMax === null ? {} : { timeoutMax }),
  });
  return { values, limit, timeoutMax, bounds };
}

/** The best choice for a number of probes: the longest initial delay, which sends the fewest probes. */
function longestDelay(request: PlanRequest, timeout: number, probes: number): Choice | undefined {
  // The interval and the longest retransmission timeout are shares of the timeout. If that leaves too little time (many
  // probes, a long retransmission timeout), they are shares of less, down to their minimum.
  for (let shared = timeout; ; shared /= 2) {
    const choice = longestDelayWith(request, timeout, probes, shared);
    if (choice !== undefined || shared < SECOND) return choice;
  }
}

function longestDelayWith(
  request: PlanRequest,
  timeout: number,
  probes: number,
  shared: number,
): Choice | undefined {
  const longest = Math.min(LONGEST_DELAY, longestPause(request), timeout);
  // A long interval, so that a short disturbance of the path does not lose all probes.
  const interval = wholeSeconds(Math.min(shared / 20, longest));
  const timeoutMax = timeoutMaxFor(request, shared);
  const at = (delay: number) => choiceOf(request, probes, delay * SECOND, interval, timeoutMax);
  const fits = (delay: number) => isInTime(at(delay), timeout);
  if (!fits(1)) return undefined;
  // A binary search over whole seconds.
  let below = 1;
  let above = Math.floor(longest / SECOND) + 1;
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (fits(middle)) below = middle;
    else above = middle;
  }
  return at(below);
}

/** Where no value bounds data in flight, the values are chosen for an idle connection. */
function isInTime({ bounds, limit }: Choice, timeout: number): boolean {
  return (limit === 'retries' ? bounds.idle : bounds.worst) <= timeout;
}

function longestPause({ maxSilence }: PlanRequest): number {
  return maxSilence === undefined ? LONGEST_DELAY : surelyWithin(maxSilence);
}

function wholeSeconds(milliseconds: number): number {
  return Math.max(1, Math.floor(milliseconds / SECOND)) * SECOND;
}

/** Gives two thirds of the time to data; `null` if something else bounds data. */
function timeoutMaxFor(request: PlanRequest, timeout: number): number | null {
  if (limitOf(request) !== 'timeoutMax') return null;
  const share = (timeout * 2) / 3 / (request.retransmission.retries + 2);
  const longest = Math.min(share, longestPause(request), LONGEST_TIMEOUT_MAX);
  return Math.max(Math.floor(longest), SHORTEST_TIMEOUT_MAX);
}

/** Returns the values that keep a timeout with the most probes, or those that exceed it least. */
export function chooseValues(request: PlanRequest, timeout: number): Choice {
  const { minProbes } = request;
  for (let probes = Math.max(ENOUGH_PROBES, minProbes); probes >= minProbes; probes--) {
    const choice = longestDelay(request, timeout, probes);
    if (choice !== undefined) return choice;
  }
  return choiceOf(request, minProbes, SECOND, SECOND, timeoutMaxFor(request, 0));
}
