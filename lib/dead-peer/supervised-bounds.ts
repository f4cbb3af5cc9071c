// How long it takes until a supervised socket fails. Times are in milliseconds.

import { type DeadPeerBounds, MPTCP_CLOSE_TIMEOUT } from './kernel-rules';
import type { PlanRequest } from './plan';
import { type Retransmission, untilAttempts, untilGivenUp, untilProbesEnd } from './retransmission';
import { INITIAL_TIMEOUT } from './retransmission-here';
import { LATENESS, SHORTEST_TIMEOUT_MAX, type Values } from './supervised-values';
import { LATEST_LOOK } from './supervision/slots';
import { latest } from './timer-lateness';

/** The longest pause between two probes of a closed window: TCP_RTO_MAX of Linux. */
const SLOWEST_WINDOW_PROBE = 120_000;

/** Looks are planned so that the verdict comes before the timeout, with the lateness of timers. */
export function supervisedBoundsOf(
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
  const told = Math.max(idle, timeout + late);
  // Without TCP_RTO_MAX_MS the pauses between window probes double up to two minutes. The last one is noticed within an
  // eighth of the timeout, and has another eighth to be answered. The first one has half of the timeout.
  const pause = latest(values.timeoutMax ?? SLOWEST_WINDOW_PROBE);
  const answered = Math.max((minProbes - 1) * pause + timeout / 4, timeout / 2);
  const probed = pause + answered + 2 * LATEST_LOOK;
  const toldClosed = isPaced || fails ? told : Math.max(told, probed);
  const toldBusy = isPaced ? told : Math.max(told, untilAttempted(request, values, timeout));
  const { busy, closedWindow } = limitsOfKernel(request, values);
  const bounds = {
    idle,
    busy: Math.min(toldBusy, busy),
    closedWindow: Math.min(toldClosed, closedWindow),
  };
  return Object.freeze({ ...bounds, worst: Math.max(...Object.values(bounds)) });
}

/**
 * Returns when a write and the kernel's retransmissions have made enough attempts; 0 for a retransmission timeout of 1 s or
 * less. For that a warning names the round-trip times that take longer.
 */
function untilAttempted(
  { minProbes, retransmission }: PlanRequest,
  values: Values,
  timeout: number,
): number {
  if (retransmission.timeout <= INITIAL_TIMEOUT) return 0;
  return untilAttempts(minProbes, rulesOf(retransmission, values)) + timeout / 8 + LATEST_LOOK;
}

/** How the kernel sends data of the connection again. */
function rulesOf(retransmission: Retransmission, { timeoutMax }: Values): Retransmission {
  return { ...retransmission, timeoutMax: timeoutMax ?? retransmission.timeoutMax };
}

/** When the kernel itself ends the connection, whatever the timeout is. */
function limitsOfKernel(
  { platform, retransmission, runningTimer, silence, subflows = 1 }: PlanRequest,
  values: Values,
): Pick<DeadPeerBounds, 'busy' | 'closedWindow'> {
  // Those of other systems were not measured.
  if (platform !== 'linux' && platform !== 'mptcp')
    return { busy: Infinity, closedWindow: Infinity };
  const rules = rulesOf(retransmission, values);
  const atTimer = silence + runningTimer * LATENESS;
  const more = platform === 'mptcp' ? (subflows - 1) * takenOver(rules) + MPTCP_CLOSE_TIMEOUT : 0;
  return {
    busy: Math.max(atTimer, untilGivenUp(rules)) + more,
    closedWindow: Math.max(atTimer, untilProbesEnd(rules, runningTimer)) + more,
  };
}

/**
 * Returns after what time, at most, a stale subflow of Multipath TCP leaves its data to the next one: after four
 * retransmissions, by net.mptcp.stale_loss_cnt.
 */
const takenOver = ({ timeout }: Retransmission): number => 2 ** 4 * timeout;

/** A call this late in a silence has a bound of its own: the first probes come only now. */
export const isLateCall = ({ silence }: PlanRequest, timeout: number): boolean =>
  silence >= timeout / 2;

/** The bound of a call that comes late in a silence, from the call. */
export function lateBound(
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
