// planDeadPeerTimeout: makes a plan for this or another system.

import type { Platform } from '../catalogue/row';
import type { SocketOptionError } from '../core/errors';
import { validateNumber, validateOneOf, validateOptions } from '../core/validate';
import { isSupported } from '../options/option';
import { kernelPlanFor } from './kernel-plan';
import type { DeadPeerPlatform } from './kernel-rules';
import type { DeadPeerPlan, PlanOptions, PlanRequest } from './plan';
import { BUILTIN, INITIAL_TIMEOUT } from './retransmission-here';
import { supervisedPlanFor } from './supervised-plan';
import { evidenceOf } from './supervision/report';
import { DEAD_PEER_OPTIONS, PATHS, validatePlanOptions, validateTimeout } from './validate-options';

const PLATFORMS: readonly DeadPeerPlatform[] = [
  ...(['linux', 'darwin', 'win32', 'freebsd'] as const),
  ...(['gvisor', 'mptcp'] as const),
];

const PLAN_OPTIONS = [
  ...DEAD_PEER_OPTIONS,
  ...(['platform', 'retransmissionTimeout', 'lossRate'] as const),
] as const;

/**
 * Returns what {@link setDeadPeerTimeout} would set on this or another system, and the bounds that follow.
 *
 * It works without the addon. With a `lossRate` the plan also has the chance that a living, idle peer counts as dead
 * within an hour. A plan that cannot keep the timeout in every state says so in `warnings`, with the bound that holds.
 *
 * For another system than this one, the plan is for its newest version. The plan is for the settings that are built
 * into a system. The plan of setDeadPeerTimeout() takes this system's own, such as net.ipv4.tcp_retries2.
 * @example
 * ```ts
 * const { options, bounds, warnings } = planDeadPeerTimeout(20_000, { platform: 'win32' });
 * ```
 * @param timeout The time in milliseconds: 4 000 (more with more than three probes) to 2^31 - 1.
 * @param options The system, the path, and what the plan has to keep. Default: this system, three probes.
 * @returns The plan, frozen. Its times are in milliseconds.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a timeout that no socket could keep: less than 4 s with three probes. Its
 *   `smallestTimeout` is the smallest possible one, in milliseconds, and its `reason` says why.
 * @throws TypeError, RangeError for a wrong argument, with the allowed values.
 * @systems Every system, for its own rules and those of the others. The rules of Linux, Multipath TCP and gVisor were
 *   measured. Those of macOS, FreeBSD and Windows come from documents and source (`measured: false`).
 * @see tcp(7), RFC 9293 section 3.8.3 and 3.8.4; docs/dead-peers.md has the rules
 */
export function planDeadPeerTimeout(timeout: number, options: PlanOptions = {}): DeadPeerPlan {
  const members = validateOptions(options, 'options', PLAN_OPTIONS);
  const {
    platform = process.platform,
    retransmissionTimeout = INITIAL_TIMEOUT,
    lossRate,
  } = members;
  const system = validateOneOf(platform, 'options.platform', PLATFORMS);
  const chosen = validatePlanOptions(members, 'options');
  const range = { min: 1, max: 120_000, milliseconds: true };
  validateNumber(retransmissionTimeout, 'options.retransmissionTimeout', range);
  if (lossRate !== undefined) validateNumber(lossRate, 'options.lossRate', { min: 0, max: 1 });
  const request: PlanRequest = {
    platform: system,
    ...chosen,
    ...timeoutMaxOf(system),
    silence: 0,
    runningTimer: 0,
    retransmission: { ...BUILTIN[system], timeout: retransmissionTimeout },
  };
  return planFor(request, validateTimeout(timeout, chosen.minProbes, PATHS.timeout), lossRate);
}

/** Returns the plan that keeps the timeout, or the nearest one. */
export function planFor(request: PlanRequest, timeout: number, lossRate?: number): DeadPeerPlan {
  // Where the kernel reports no signs of life, its own values give the verdict.
  const isJudged = request.supervise && evidenceOf(request.platform) !== 'state';
  return isJudged
    ? supervisedPlanFor(request, timeout, lossRate)
    : kernelPlanFor(request, timeout, lossRate);
}

/** Whether sockets of a system have TCP_RTO_MAX_MS. */
export function timeoutMaxOf(
  system: DeadPeerPlatform,
): Pick<PlanRequest, 'hasTimeoutMax' | 'assumptions'> {
  const isLinux = (process.platform as Platform) === 'linux';
  if (system !== 'linux' || !isLinux) return { hasTimeoutMax: system === 'linux', assumptions: [] };
  try {
    return { hasTimeoutMax: isSupported('retransmissionTimeoutMax'), assumptions: [] };
  } catch (error) {
    // No socket can be opened to ask.
    const { code } = error as SocketOptionError;
    const assumption = `Whether this kernel has TCP_RTO_MAX_MS is unknown (${code}): it is assumed`;
    return { hasTimeoutMax: true, assumptions: [assumption] };
  }
}
