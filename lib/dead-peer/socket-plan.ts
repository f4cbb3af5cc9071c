// Makes the plan for one socket of this system, and sets its options.

import type { Platform } from '../catalogue/row';
import { readSubflows } from '../mptcp/subflows';
import { isSupported } from '../options/option';
import { getOption } from '../options/options';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import { getTcpInfo } from '../tcp-info/get-tcp-info';
import type { TcpInfo } from '../tcp-info/tcp-info';
import { applyOptions, changeOptions } from './apply-options';
import type { DeadPeerPlatform } from './kernel-rules';
import type { DeadPeerPlan, PlanRequest } from './plan';
import { planFor, timeoutMaxOf } from './plan-dead-peer-timeout';
import {
  INITIAL_TIMEOUT,
  recentRetransmissionHere,
  retransmissionTimeoutOf,
} from './retransmission-here';
import { SHORTEST_TIMEOUT_MAX } from './supervised-values';
import { evidenceOf } from './supervision/report';
import { isMptcp, systemHere } from './system-of';
import type { ChosenOptions } from './validate-options';

/** What a plan needs to know of a connection: see {@link PlanRequest}. */
export interface Progress extends Pick<PlanRequest, 'silence' | 'runningTimer' | 'heldTimeoutMax'> {
  /** The retransmission timeout, at least the initial one. */
  readonly rto: number;
}

/** A connection that was established just now. */
export const FRESH: Progress = { silence: 0, runningTimer: 0, rto: INITIAL_TIMEOUT };

/** Sets the options of the plan for a socket, and returns the plan. */
export function setPlan(
  fd: number,
  timeout: number,
  chosen: ChosenOptions,
  progress: Progress,
): DeadPeerPlan {
  // A new connection has no values yet, and a listening socket sends no probes.
  const set = progress === FRESH ? applyOptions : changeOptions;
  const plan = planForSocket(fd, systemHere(), timeout, chosen, progress);
  try {
    set(fd, plan.options);
    return plan;
  } catch (error) {
    // Multipath TCP refuses some options. To ask each socket in advance would cost a system call.
    if (!isMptcp(fd)) throw error;
    const other = planForSocket(fd, 'mptcp', timeout, chosen, progress);
    set(fd, other.options);
    return other;
  }
}

/** The kernel counts a silence in ticks: 10 ms each where CONFIG_HZ is 100. */
const LONGEST_TICK = 10;

/**
 * Returns the plan of a supervised connection as it would be made now: a timer that ran at the call may be over, and the
 * program may have set TCP_RTO_MAX_MS. `elapsed` is the time since the call.
 */
export function planNow(
  fd: number,
  plan: DeadPeerPlan,
  chosen: ChosenOptions,
  elapsed: number,
): DeadPeerPlan {
  const { platform, timeout, options } = plan;
  const { retransmissionTimeoutMax: planned } = options;
  const { runningTimer, rto, silence } = progressOf(fd);
  const held = planned === undefined ? undefined : getOption(fd, 'retransmissionTimeoutMax');
  const heldTimeoutMax = held !== undefined && held > (planned as number) ? held : undefined;
  // A call late in a silence has longer bounds, until the peer shows life.
  const isStillSilent = silence > elapsed + LONGEST_TICK;
  if (isStillSilent && heldTimeoutMax === undefined) return plan;
  // The kernel counts on how often pauses doubled, but a timer that began after the call is no longer than the option.
  const isLimited = held !== undefined && runningTimer - elapsed <= held;
  return planForSocket(fd, platform, timeout, chosen, {
    silence: isStillSilent ? silence - elapsed : 0,
    runningTimer: isLimited ? 0 : runningTimer,
    rto: held === undefined ? rto : Math.max(INITIAL_TIMEOUT, Math.min(rto, held)),
    heldTimeoutMax,
  });
}

/** Returns the plan for a socket that has no descriptor yet. */
export function planForSystem(timeout: number, chosen: ChosenOptions): DeadPeerPlan {
  return planFor(requestFor(systemHere(), chosen, FRESH), timeout);
}

/** Reads how far a connection is. */
export function progressOf(fd: number): Progress {
  try {
    const info = getTcpInfo(fd);
    const { timeSinceLastAckReceived, timeSinceLastDataReceived, state } = info;
    if (state === 'LISTEN' || state === 'SYN-SENT' || timeSinceLastAckReceived === null)
      return FRESH;
    return {
      silence: Math.min(timeSinceLastAckReceived, timeSinceLastDataReceived ?? Infinity),
      runningTimer: runningTimerOf(info),
      rto: Math.max(INITIAL_TIMEOUT, retransmissionTimeoutIn(fd, info)),
    };
  } catch {
    // Not TCP: setting the options throws the right error.
    return FRESH;
  }
}

/** TCP_RTO_MAX_MS does not shorten a timer that runs: net/ipv4/tcp.c only stores it. */
function runningTimerOf({ unackedSegments, unsentBytes, rto, backoff }: TcpInfo): number {
  // The reported timeout of data in flight includes its backoff. That of window probes does not.
  if (unackedSegments) return rto ?? 0;
  return unsentBytes ? Math.min((rto ?? 0) * 2 ** (backoff ?? 0), LONGEST_TIMER) : 0;
}

/** The retransmission timeout before it doubled. That of window probes does not. */
function retransmissionTimeoutIn(fd: number, { unackedSegments, rto, backoff }: TcpInfo): number {
  if (rto === null) return 0;
  if (!(unackedSegments && backoff)) return rto;
  // Of one that has grown to its limit, only this is known.
  return rto < timeoutMaxOn(fd) ? rto / 2 ** backoff : rto;
}

function timeoutMaxOn(fd: number): number {
  try {
    return getOption(fd, 'retransmissionTimeoutMax');
  } catch {
    // This kernel, or Multipath TCP, does not have it.
    return LONGEST_TIMER;
  }
}

/** TCP_RTO_MAX of Linux, in milliseconds. */
const LONGEST_TIMER = 120_000;

function requestFor(
  platform: DeadPeerPlatform,
  chosen: ChosenOptions,
  { silence, runningTimer, heldTimeoutMax, rto }: Progress,
  subflows = 1,
): PlanRequest {
  const { hasTimeoutMax, assumptions } = timeoutMaxOf(platform);
  const settings = recentRetransmissionHere();
  return {
    platform,
    ...chosen,
    hasTimeoutMax,
    ...{ silence, runningTimer, heldTimeoutMax, subflows },
    retransmission: { ...settings.retransmission, timeout: rto },
    assumptions: [...assumptions, ...settings.assumptions],
  };
}

/** How many subflows a connection of Multipath TCP has; 1 if that is not known. */
function subflowsOf(fd: number): number {
  const found = readSubflows(fd);
  return typeof found === 'number' ? 1 : Math.max(1, found.length);
}

function planForSocket(
  fd: number,
  platform: DeadPeerPlatform,
  timeout: number,
  chosen: ChosenOptions,
  progress: Progress,
): DeadPeerPlan {
  const subflows = platform === 'mptcp' ? subflowsOf(fd) : 1;
  const request = requestFor(platform, chosen, progress, subflows);
  // Then the kernel gives the verdict.
  if (!chosen.supervise || evidenceOf(platform) === 'state') {
    const complete = kernelRequestFor(fd, request);
    return progress === FRESH ? keptPlanFor(complete, timeout) : planFor(complete, timeout);
  }
  // Most connections need nothing that differs from a fresh one.
  const isUsual =
    progress.silence < timeout / 2 &&
    progress.runningTimer <= SHORTEST_TIMEOUT_MAX &&
    progress.rto === INITIAL_TIMEOUT &&
    progress.heldTimeoutMax === undefined;
  return isUsual
    ? keptPlanFor({ ...request, silence: 0, runningTimer: 0 }, timeout)
    : planFor(request, timeout);
}

/** Completes a request with what the kernel's values alone depend on. */
function kernelRequestFor(fd: number, request: PlanRequest): PlanRequest {
  const timeout = Math.max(retransmissionTimeoutOf(fd) ?? 0, INITIAL_TIMEOUT);
  const retransmission = { ...request.retransmission, timeout };
  return { ...request, fixedCount: fixedCount(), retransmission };
}

/** Returns the number of probes of Windows before 10.1703, which has no TCP_KEEPCNT. */
function fixedCount(): number | undefined {
  if ((process.platform as Platform) !== 'win32' || isSupported('keepAliveCount')) return undefined;
  return getSystemDefaults().keepAliveCount.value ?? undefined;
}

/** Enough for the tunings of a program. */
const MOST_KEPT = 16;

/** Plans of connections without data in flight and without a silence. Most programs have few timeouts for all sockets. */
const keptPlans = new Map<string, DeadPeerPlan>();

/** Makes a plan only once: that takes up to 150 us. */
function keptPlanFor(request: PlanRequest, timeout: number): DeadPeerPlan {
  const { platform, minProbes, zeroWindow, maxSilence, supervise, subflows } = request;
  const choice = [timeout, platform, minProbes, zeroWindow, maxSilence, supervise, subflows];
  const key = [...choice, ...Object.values(request.retransmission), ...request.assumptions].join();
  const kept = keptPlans.get(key);
  if (kept !== undefined) return kept;
  const plan = planFor(request, timeout);
  if (keptPlans.size >= MOST_KEPT) keptPlans.clear();
  keptPlans.set(key, plan);
  return plan;
}
