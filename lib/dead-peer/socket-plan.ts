// Makes the plan for one socket of this system, and sets its options.

import { getTcpInfo } from '../tcp-info/get-tcp-info';
import { applyOptions } from './apply-options';
import { kernelRequestFor } from './kernel-request';
import type { DeadPeerPlan, PlanRequest } from './plan';
import { hasTimeoutMax, planFor } from './plan-dead-peer-timeout';
import { BUILTIN, INITIAL_TIMEOUT } from './retransmission-here';
import type { DeadPeerPlatform } from './rules';
import { evidenceOf } from './supervision/report';
import { isMptcp, systemHere } from './system-of';
import type { ChosenOptions } from './validate-options';

/** Sets the options of the plan for a socket, and returns the plan. `silence`: how long the peer has been silent. */
export function setPlan(
  fd: number,
  timeout: number,
  chosen: ChosenOptions,
  silence: number,
): DeadPeerPlan {
  const plan = planForSocket(fd, systemHere(), timeout, chosen, silence);
  try {
    applyOptions(fd, plan.options);
    return plan;
  } catch (error) {
    // Multipath TCP refuses some options. To ask each socket in advance would cost a system call.
    if (!isMptcp(fd)) throw error;
    const other = planForSocket(fd, 'mptcp', timeout, chosen, silence);
    applyOptions(fd, other.options);
    return other;
  }
}

/** Returns the plan for a socket that has no descriptor yet. */
export function planForSystem(timeout: number, chosen: ChosenOptions): DeadPeerPlan {
  return planFor(requestFor(systemHere(), chosen, 0), timeout);
}

/** How long the peer has been silent. 0 if the system does not report it. */
export function silenceOf(fd: number): number {
  try {
    const { timeSinceLastAckReceived, timeSinceLastDataReceived, state } = getTcpInfo(fd);
    if (state === 'LISTEN' || state === 'SYN-SENT') return 0;
    if (timeSinceLastAckReceived === null) return 0;
    return Math.min(timeSinceLastAckReceived, timeSinceLastDataReceived ?? Infinity);
  } catch {
    // Not TCP: setting the options throws the right error.
    return 0;
  }
}

function requestFor(
  platform: DeadPeerPlatform,
  chosen: ChosenOptions,
  silence: number,
): PlanRequest {
  return {
    platform,
    ...chosen,
    hasTimeoutMax: hasTimeoutMax(platform),
    silence,
    assumptions: [],
    retransmission: { ...BUILTIN[platform], timeout: INITIAL_TIMEOUT },
  };
}

function planForSocket(
  fd: number,
  platform: DeadPeerPlatform,
  timeout: number,
  chosen: ChosenOptions,
  silence: number,
): DeadPeerPlan {
  const request = requestFor(platform, chosen, silence);
  // Then the kernel gives the verdict, with its own settings.
  if (!chosen.supervise || evidenceOf(platform) === 'state') {
    return planFor(kernelRequestFor(fd, request), timeout);
  }
  return silence < timeout / 2
    ? keptPlanFor({ ...request, silence: 0 }, timeout)
    : planFor(request, timeout);
}

let recent: { readonly key: string; readonly plan: DeadPeerPlan } | undefined;

/** Keeps the last plan, because most programs have one timeout for all sockets. */
function keptPlanFor(request: PlanRequest, timeout: number): DeadPeerPlan {
  const { platform, minProbes, zeroWindow, maxSilence } = request;
  const key = [timeout, platform, minProbes, zeroWindow, maxSilence].join(' ');
  if (recent?.key !== key) recent = { key, plan: planFor(request, timeout) };
  return recent.plan;
}
