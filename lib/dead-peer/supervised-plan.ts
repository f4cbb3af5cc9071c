// Chooses the kernel values of a supervised socket. They only make the kernel probe often enough. The verdict is given by
// supervision/rule.ts: docs/decisions/0017-supervision.md.

import { retransmissionTime } from '../system-defaults/retransmission-time';
import { idleFalseAlarms, writingFalseAlarms } from './false-alarms';
import type { DeadPeerBounds } from './kernel-rules';
import type { DeadPeerPlan, PlanRequest } from './plan';
import { evidenceOf } from './supervision/report';
import type { Terms } from './supervision/rule';
import { LATEST_LOOK } from './supervision/slots';
import { latest, surelyWithin } from './timer-lateness';
import { seconds, silenceWarnings } from './warnings';

/** The kernels' unit of keepalive times. */
const SECOND = 1_000;
/** The maximum of TCP_KEEPIDLE and TCP_KEEPINTVL of Linux. Other systems have a larger one. */
const LONGEST_DELAY = 32_767 * SECOND;
/** The maximum of TCP_KEEPCNT of Linux. */
const MOST_PROBES = 127;
/** The range of TCP_RTO_MAX_MS. */
export const SHORTEST_TIMEOUT_MAX = 1_000;
const LONGEST_TIMEOUT_MAX = 120_000;
/** A timer of Linux may be late by an eighth: kernel/time/timer.c. */
const LATENESS = 1.125;
/** The share of the timeout at which the last attempt must have been made: a younger one may still be answered. */
const LAST_ATTEMPT = 7 / 8;
/** Probes that supervision itself asks for within the timeout. The kernel counts them too. */
const OWN_PROBES = 4;
/** The longest pause between two probes of a closed window: TCP_RTO_MAX of Linux. */
const SLOWEST_WINDOW_PROBE = 120_000;

/** The smallest timeout of a supervised socket: the kernel's unit is one second, and `minProbes` probes must fit. */
export function smallestSupervisedTimeout(minProbes: number): number {
  if (minProbes <= 3) return 4 * SECOND;
  // While data is in flight, supervision cannot ask for probes.
  if (minProbes === 4) return 5 * SECOND;
  return Math.ceil((minProbes * LATENESS) / LAST_ATTEMPT) * SECOND;
}

interface Values {
  readonly initialDelay: number;
  readonly interval: number;
  readonly count: number;
  /** `null`: the connection has no TCP_RTO_MAX_MS. */
  readonly timeoutMax: number | null;
}

function valuesFor(
  { platform, minProbes, maxSilence, hasTimeoutMax }: PlanRequest,
  timeout: number,
): Values {
  // The time in which the probes must be sent, if each timer is as late as possible.
  const room = (timeout * LAST_ATTEMPT) / LATENESS;
  const longest = maxSilence === undefined ? LONGEST_DELAY : surelyWithin(maxSilence);
  // After an answered probe, Linux checks the connection an interval later, even if the initial delay is shorter.
  const interval = wholeSeconds(Math.min(timeout / 10, room / minProbes, longest));
  const rest = room - (minProbes - 1) * interval;
  const fifth = Math.round(timeout / 5 / SECOND) * SECOND;
  const longestDelay = wholeSeconds(Math.min(fifth, rest));
  const initialDelay = wholeSeconds(Math.min(longestDelay, longest));
  // Without supervision, as while the event loop is blocked, the kernel ends the connection after about 1.5 timeouts.
  const probes = Math.ceil((1.5 * timeout - initialDelay) / interval) + OWN_PROBES;
  // Data may be written just before the first probe, and a tail-loss probe is not always counted.
  const pause = Math.min(longestDelay, (room - longestDelay) / minProbes);
  return {
    initialDelay,
    interval,
    // The end of one subflow by keepalive is not the end of a Multipath TCP connection.
    count: platform === 'mptcp' ? MOST_PROBES : Math.min(Math.max(minProbes, probes), MOST_PROBES),
    timeoutMax: hasTimeoutMax
      ? Math.floor(Math.min(Math.max(pause, SHORTEST_TIMEOUT_MAX), LONGEST_TIMEOUT_MAX))
      : null,
  };
}

function wholeSeconds(milliseconds: number): number {
  const rounded = Math.floor(milliseconds / SECOND) * SECOND;
  return Math.min(Math.max(rounded, SECOND), LONGEST_DELAY);
}

/** The longest silence of an idle connection. */
function silenceOf({ initialDelay, interval }: Values): number {
  return latest(Math.max(initialDelay, interval));
}

function probesOf({ initialDelay, interval, count }: Values, timeout: number): number {
  return Math.min(count, Math.floor((timeout - initialDelay) / interval));
}

/** Returns when the kernel itself gives up on data in flight: on Linux after net.ipv4.tcp_retries2 retransmissions. */
function givesUpAfter({ timeoutMax }: Values, { retransmission }: PlanRequest): number {
  const { retries, timeoutMin } = retransmission;
  return retransmissionTime(retries, timeoutMin, timeoutMax ?? retransmission.timeoutMax);
}

/** The user timeout of `zeroWindow: 'fail'`. The kernel checks it when a window probe is due, so it ends earlier. */
const userTimeoutOf = (timeout: number): number => Math.floor(timeout * 0.75);

/** Returns the plan of a supervised socket. */
export function supervisedPlanFor(
  request: PlanRequest,
  timeout: number,
  lossRate?: number,
): DeadPeerPlan {
  const { platform, zeroWindow } = request;
  const values = valuesFor(request, timeout);
  const { initialDelay, interval, count, timeoutMax } = values;
  const fails = zeroWindow === 'fail' && platform === 'linux';
  const silence = silenceOf(values);
  const probes = probesOf(values, timeout);
  // The keepalive of macOS and FreeBSD also runs while data is in flight or the window is closed.
  const isPaced = timeoutMax !== null || evidenceOf(platform) === 'counters';
  const bounds = boundsOf(isPaced, request, values, timeout, fails);
  const warnings = warningsOf(request, values, timeout, bounds);
  return Object.freeze({
    platform,
    timeout,
    supervised: true,
    options: Object.freeze({
      keepAlive: true,
      keepAliveInitialDelay: initialDelay,
      keepAliveInterval: interval,
      keepAliveCount: count,
      ...(timeoutMax === null ? {} : { retransmissionTimeoutMax: timeoutMax }),
      // 0: an earlier user timeout would end a living peer whose window is closed.
      ...(platform === 'linux' ? { userTimeout: fails ? userTimeoutOf(timeout) : 0 } : {}),
    }),
    probes,
    // The verdict comes up to a slot before the timeout. The kernel ends the connection after `count` probes.
    slowestAnswer: Math.min(
      timeout - LATEST_LOOK - silence,
      count * interval,
      givesUpAfter(values, request),
    ),
    retransmissionTimeout: request.retransmission.timeout,
    bounds,
    zeroWindow: fails ? 'fail' : 'tolerate',
    maxSilence: silence,
    falseAlarmsPerHour:
      lossRate === undefined ? null : idleFalseAlarms(values, probesOf(values, timeout), lossRate),
    falseAlarmsPerHourWriting:
      lossRate === undefined
        ? null
        : writingFalseAlarms(
            {
              timeout: timeout - LATEST_LOOK,
              longestPause: latest(initialDelay),
              longestTimeout: request.retransmission.timeout,
              timeoutMax: timeoutMax ?? request.retransmission.timeoutMax,
            },
            lossRate,
          ),
    promise: Object.freeze({
      isToldInTime: bounds.worst <= timeout,
      sparesLivingPeers: !fails,
      survivesLostPackets: request.minProbes > 1,
      isIndependentOfPath: isPaced,
      namesLimits: true,
    }),
    warnings: Object.freeze(warnings),
    why: rationaleOf(values, timeout, request),
    measured: platform === 'linux' || platform === 'mptcp',
  });
}

/** Looks are planned so that the verdict comes before the timeout, with the lateness of timers. */
function boundsOf(
  isPaced: boolean,
  request: PlanRequest,
  values: Values,
  timeout: number,
  fails: boolean,
): DeadPeerBounds {
  const { minProbes, runningTimer, silence } = request;
  // A timer that runs already may be longer than what was set since.
  const isLate = runningTimer > (values.timeoutMax ?? SHORTEST_TIMEOUT_MAX);
  const late = isLate ? runningTimer * LATENESS + timeout / 8 : 0;
  const idle = isLateCall(request, timeout)
    ? silence + lateBound(request, values, timeout)
    : timeout;
  const busy = Math.max(idle, timeout + late);
  // Without TCP_RTO_MAX_MS the pauses between window probes double up to two minutes.
  const probes = minProbes * SLOWEST_WINDOW_PROBE * LATENESS;
  const closedWindow = isPaced || fails ? busy : Math.max(busy, timeout + probes + timeout / 8);
  return Object.freeze({ idle, busy, closedWindow, worst: Math.max(busy, closedWindow) });
}

const isLateCall = ({ silence }: PlanRequest, timeout: number): boolean => silence >= timeout / 2;

function warningsOf(
  request: PlanRequest,
  values: Values,
  timeout: number,
  bounds: DeadPeerBounds,
): string[] {
  const { platform, maxSilence, minProbes, silence, runningTimer, zeroWindow } = request;
  const { initialDelay, timeoutMax } = values;
  const warnings: string[] = [];
  if (bounds.closedWindow > bounds.busy) {
    warnings.push(
      `A peer that vanishes after its window was closed for long is noticed after up to ${seconds(bounds.closedWindow)}: this ${platform === 'mptcp' ? 'connection' : 'kernel'} has no TCP_RTO_MAX_MS (Linux 6.15), which limits the pauses between probes of a closed window.`,
    );
  }
  if (timeoutMax === null && evidenceOf(platform) === 'clock') {
    warnings.push(
      `With a round-trip time above ${seconds(timeout / 5)} and data in flight, a dead peer is noticed after up to 14 round-trip times plus ${seconds(initialDelay * LATENESS + timeout / 8)}: retransmissions are rarer without TCP_RTO_MAX_MS.`,
    );
  }
  warnings.push(...limitsOfKernel(request, values, timeout));
  if (bounds.busy > bounds.idle) {
    warnings.push(
      `Data waits for a timer that runs already, up to ${seconds(runningTimer)}. A peer that vanishes before that is noticed after up to ${seconds(bounds.busy)}.`,
    );
  }
  if (isLateCall(request, timeout)) {
    warnings.push(
      `The peer has already been silent for ${seconds(silence)}. It gets the time to answer ${minProbes} probes: up to ${seconds(lateBound(request, values, timeout))} from now.`,
    );
  }
  if (zeroWindow === 'fail' && platform === 'linux') {
    warnings.push(
      `A living peer that does not read is ended when its window stays closed for about ${seconds(userTimeoutOf(timeout))}, because zeroWindow is 'fail'.`,
    );
  }
  if (zeroWindow === 'fail' && platform !== 'linux') {
    warnings.push(
      `A peer whose window stays closed is not ended, although zeroWindow is 'fail': ${platform === 'mptcp' ? 'Multipath TCP has no user timeout' : 'this system has no limit for that'}.`,
    );
  }
  if (minProbes === 1)
    warnings.push('A single lost packet can end the connection: minProbes is 1.');
  warnings.push(...silenceWarnings(timeout, maxSilence, silenceOf(values)));
  return warnings;
}

/** Warns where the kernel itself ends a connection before the timeout. */
function limitsOfKernel(request: PlanRequest, values: Values, timeout: number): string[] {
  const warnings: string[] = [];
  const givesUp = givesUpAfter(values, request);
  if (timeout > givesUp) {
    const { retries } = request.retransmission;
    const isLinux = evidenceOf(request.platform) === 'clock';
    const system = isLinux ? 'Linux' : 'the kernel';
    const setting = isLinux ? `net.ipv4.tcp_retries2 (${retries})` : `${retries} retransmissions`;
    warnings.push(
      `With data in flight, ${system} itself ends the connection after ${seconds(givesUp)} without an answer, by ${setting}.`,
    );
  }
  const { initialDelay, interval, count } = values;
  const probed = initialDelay + count * interval;
  if (timeout > probed) {
    warnings.push(
      `The kernel itself ends an idle connection after ${seconds(probed)} without an answer, because it sends at most ${count} probes.`,
    );
  }
  return warnings;
}

/** The bound of a call that comes late in a silence, from the call. */
function lateBound(
  { silence, minProbes, runningTimer }: PlanRequest,
  { timeoutMax }: Values,
  timeout: number,
): number {
  // Supervision asks for an attempt in each eighth of the timeout, but not while data waits for the kernel's timer.
  const asked = (Math.max(3, minProbes) + 1) * (timeout / 8) + minProbes * LATEST_LOOK;
  if (runningTimer === 0) return Math.max(timeout - silence, asked);
  const pause = timeoutMax ?? Math.min(runningTimer * 2 ** minProbes, SLOWEST_WINDOW_PROBE);
  const sent = (minProbes - 1) * pause * LATENESS + timeout / 8 + LATEST_LOOK;
  return Math.max(timeout - silence, runningTimer * LATENESS + Math.max(asked, sent));
}

function rationaleOf(
  { initialDelay, interval, timeoutMax }: Values,
  timeout: number,
  request: PlanRequest,
): string {
  const sentences = [
    `The kernel probes an idle peer after ${seconds(initialDelay)} of silence and then every ${seconds(interval)}.`,
    ...(timeoutMax === null
      ? []
      : [
          `It sends unacknowledged data again, and probes a closed window, at least every ${seconds(timeoutMax)}.`,
        ]),
    `This package looks at the socket a few times within the timeout. The peer is dead if nothing came from it for ${seconds(timeout)} and at least ${request.minProbes} segments in a row are unanswered.`,
  ];
  if (evidenceOf(request.platform) === 'counters') {
    sentences.push(
      'This system reports no time of the last answer: it is known to an eighth of the timeout.',
    );
  }
  return [...sentences, ...request.assumptions.map((text) => `${text}.`)].join(' ');
}

/** Returns what the rule of supervision needs to know of a plan. */
export function termsOf(plan: DeadPeerPlan, minProbes: number): Terms {
  const evidence = evidenceOf(plan.platform);
  const timeout = plan.timeout - LATEST_LOOK;
  // With counters a sign of life is known to the interval of the looks only, an eighth of the timeout.
  return { evidence, timeout: evidence === 'counters' ? timeout * (7 / 8) : timeout, minProbes };
}
