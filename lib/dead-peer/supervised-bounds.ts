// How long it takes until a supervised socket fails. Times are in milliseconds.

import type { DeadPeerBounds } from './kernel-rules';
import type { PlanRequest } from './plan';
import { LATENESS, SHORTEST_TIMEOUT_MAX, type Values } from './supervised-values';
import { LATEST_LOOK } from './supervision/slots';

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
  const busy = Math.max(idle, timeout + late);
  // Without TCP_RTO_MAX_MS the pauses between window probes double up to two minutes.
  const probes = minProbes * SLOWEST_WINDOW_PROBE * LATENESS;
  const closedWindow = isPaced || fails ? busy : Math.max(busy, timeout + probes + timeout / 8);
  return Object.freeze({ idle, busy, closedWindow, worst: Math.max(busy, closedWindow) });
}

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
