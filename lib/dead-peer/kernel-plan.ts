// Chooses the kernel values that detect a dead peer within a timeout. They are chosen together, because each one alone
// can break the promise. The rules of the systems are in rules.ts.

import type { DeadPeerPlan, PlanRequest } from './plan';
import {
  boundsOf,
  type DeadPeerBounds,
  type DeadPeerValues,
  falseAlarmsPerHour,
  keepAliveSuffices,
  probesOf,
  timerLateness,
} from './rules';

/** More probes do not make the detection better. */
const ENOUGH_PROBES = 5;
/** Timers may be this late on any system. An end within this time after the timeout is in time. */
const TIMER_SLACK = 250;
/** The kernels' unit of keepalive times. */
const SECOND = 1_000;
/** The maximum of TCP_KEEPIDLE and TCP_KEEPINTVL of Linux. Other systems have a larger one. */
const LONGEST_DELAY = 32_767 * SECOND;
/** The maximum of TCP_KEEPCNT of Linux and gVisor. */
const MOST_PROBES = 127;
/** The range of TCP_RTO_MAX_MS. */
const SHORTEST_TIMEOUT_MAX = 1_000;
const LONGEST_TIMEOUT_MAX = 120_000;

interface Choice {
  readonly values: DeadPeerValues;
  /** The longest retransmission timeout, for `zeroWindow: 'tolerate'` on Linux; otherwise `null`. */
  readonly timeoutMax: number | null;
  readonly bounds: DeadPeerBounds;
}

/**
 * The kernel checks the user timeout whenever a probe is due. So it ends halfway between the last two probes, or later if
 * late timers could let it end one probe too early.
 */
function userTimeoutFor(initialDelay: number, interval: number, probes: number): number {
  const late = timerLateness(initialDelay) + (probes - 1) * timerLateness(interval);
  const between = Math.max(interval / 2, Math.ceil(late * 1.25));
  return initialDelay + (probes - 1) * interval + between;
}

function choiceOf(
  request: PlanRequest,
  probes: number,
  initialDelay: number,
  interval: number,
  timeoutMax: number | null,
): Choice {
  const { platform, retransmission } = request;
  const byCount = keepAliveSuffices(platform) || timeoutMax !== null;
  const userTimeout = byCount ? 0 : userTimeoutFor(initialDelay, interval, probes);
  const chosen = {
    keepAlive: true,
    keepAliveInitialDelay: initialDelay,
    keepAliveInterval: interval,
    keepAliveCount: probes,
    userTimeout,
  };
  // The number of probes in effect. Linux ignores it; gVisor and people do not.
  const counted = userTimeout > 0 && platform !== 'win32';
  const count = counted ? Math.min(probesOf('linux', chosen), MOST_PROBES) : probes;
  const values = { ...chosen, keepAliveCount: count };
  const bounds =
    timeoutMax === null
      ? boundsOf(platform, values, retransmission)
      : boundsWithin(
          boundsOf(platform, values, { ...retransmission, timeoutMax }),
          request,
          timeoutMax,
        );
  return { values, timeoutMax, bounds };
}

/** Adds the case of a window that is closed when the peer vanishes: it is probed as often as data is sent again. */
function boundsWithin(
  bounds: DeadPeerBounds,
  request: PlanRequest,
  timeoutMax: number,
): DeadPeerBounds {
  const { retries, timeout } = request.retransmission;
  const busy = Math.max(bounds.busy, timeout + (retries + 1) * timeoutMax);
  return { ...bounds, busy, worst: bounds.idle + busy };
}

/** The worst case, with timers that are as late as possible. */
function worstWithLateTimers({ values, bounds, timeoutMax }: Choice): number {
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount } = values;
  let late = timerLateness(keepAliveInitialDelay);
  late += keepAliveCount * timerLateness(keepAliveInterval);
  if (bounds.worst > bounds.idle) {
    // The last retransmission timeout is the longest one, and takes about half of the time.
    late += timeoutMax === null ? timerLateness(bounds.busy / 2) : bounds.busy / 8;
  }
  return bounds.worst + late;
}

/** The best choice for a number of probes: the longest initial delay, which sends the fewest probes. */
function longestDelay(request: PlanRequest, timeout: number, probes: number): Choice | undefined {
  // The interval and the longest retransmission timeout are shares of the timeout. If that leaves too little time (many
  // probes, a long retransmission timeout), they are shares of less, down to their minimum, from which `smallestTimeout`
  // is computed.
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
  // A long interval, so that a short disturbance of the path does not lose all probes.
  const seconds = Math.min(Math.max(1, Math.floor(shared / (20 * SECOND))), LONGEST_DELAY / SECOND);
  const interval = seconds * SECOND;
  const timeoutMax = timeoutMaxFor(request, shared);
  const at = (delay: number) => choiceOf(request, probes, delay * SECOND, interval, timeoutMax);
  const fits = (delay: number) => worstWithLateTimers(at(delay)) <= timeout + TIMER_SLACK;
  if (!fits(1)) return undefined;
  // A binary search over whole seconds.
  let below = 1;
  let above = Math.floor(Math.min(LONGEST_DELAY, timeout) / SECOND) + 1;
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (fits(middle)) below = middle;
    else above = middle;
  }
  return at(below);
}

/** Gives two thirds of the time to data; `null` if a user timeout bounds data. */
function timeoutMaxFor(
  { platform, zeroWindow, retransmission }: PlanRequest,
  timeout: number,
): number | null {
  if (zeroWindow === 'fail' || keepAliveSuffices(platform)) return null;
  const share = (timeout * 2) / 3 / (retransmission.retries + 2);
  return Math.min(Math.max(Math.floor(share), SHORTEST_TIMEOUT_MAX), LONGEST_TIMEOUT_MAX);
}

/** Returns the choice with the most probes that fit. */
function bestChoice(request: PlanRequest, timeout: number): Choice | undefined {
  for (
    let probes = Math.max(ENOUGH_PROBES, request.minProbes);
    probes >= request.minProbes;
    probes--
  ) {
    const choice = longestDelay(request, timeout, probes);
    if (choice !== undefined) return choice;
  }
  return undefined;
}

/** Returns the plan for a timeout, or the nearest one. */
export function kernelPlanFor(
  request: PlanRequest,
  timeout: number,
  lossRate?: number,
): DeadPeerPlan {
  const choice =
    bestChoice(request, timeout) ??
    choiceOf(request, request.minProbes, SECOND, SECOND, timeoutMaxFor(request, 0));
  const { platform } = request;
  const { bounds, timeoutMax } = choice;
  const values = withFixedCount(choice.values, request.fixedCount);
  const { userTimeout, ...keepAlive } = values;
  const zeroWindow = keepAliveSuffices(platform) ? 'tolerate' : request.zeroWindow;
  return Object.freeze({
    platform,
    timeout,
    supervised: false,
    options: Object.freeze({
      ...keepAlive,
      ...(keepAliveSuffices(platform) ? {} : { userTimeout }),
      ...(timeoutMax === null ? {} : { retransmissionTimeoutMax: timeoutMax }),
    }),
    probes: probesOf(platform, values),
    slowestAnswer: values.keepAliveInterval,
    retransmissionTimeout: request.retransmission.timeout,
    bounds: Object.freeze(bounds),
    zeroWindow,
    maxSilence: values.keepAliveInitialDelay,
    falseAlarmsPerHour:
      lossRate === undefined ? null : falseAlarmsPerHour(platform, values, lossRate),
    promise: Object.freeze({
      isToldInTime: bounds.worst <= timeout,
      sparesLivingPeers: zeroWindow === 'tolerate',
      survivesLostPackets: request.minProbes > 1,
      isIndependentOfPath: false,
      namesLimits: true,
    }),
    warnings: Object.freeze([]),
    why: [
      rationaleOf(request, { ...choice, values }),
      ...request.assumptions.map((text) => `${text}.`),
    ].join(' '),
    measured: platform === 'linux',
  });
}

/** Uses the system's fixed number of probes, with an interval for which they take as long. */
function withFixedCount(values: DeadPeerValues, count: number | undefined): DeadPeerValues {
  if (count === undefined) return values;
  const together = values.keepAliveInterval * values.keepAliveCount;
  return { ...values, keepAliveInterval: Math.floor(together / count), keepAliveCount: count };
}

/** Returns the reason for the chosen values, in English. */
function rationaleOf(
  { platform, retransmission }: PlanRequest,
  { values, timeoutMax }: Choice,
): string {
  const seconds = (milliseconds: number) => `${milliseconds / 1_000} s`;
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } = values;
  const idle = `The kernel probes an idle peer after ${seconds(keepAliveInitialDelay)} of silence and then every ${seconds(keepAliveInterval)}. The connection fails after ${keepAliveCount} unanswered probes`;
  if (keepAliveSuffices(platform)) {
    return `${idle}. Keepalive of this system also runs while data is unacknowledged, so it covers every state.`;
  }
  if (timeoutMax !== null) {
    return `${idle}. The kernel sends unacknowledged data again at least every ${seconds(timeoutMax)} and gives up after ${retransmission.retries} retransmissions. There is no user timeout, because it would end the connection of a living peer that does not read.`;
  }
  const data = `While data is unacknowledged the kernel sends no probes. The user timeout of ${seconds(userTimeout)} then ends the connection. It counts from the first retransmission, ${seconds(retransmission.timeout)} after the write`;
  return `${idle}. ${data}. In the worst case a write just before the last probe adds both times, so each gets about half of the timeout.`;
}
