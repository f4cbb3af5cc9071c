// The warnings in the plan of a supervised socket.

import type { DeadPeerBounds } from './kernel-rules';
import type { PlanRequest } from './plan';
import { INITIAL_TIMEOUT } from './retransmission-here';
import { isLateCall, lateBound } from './supervised-bounds';
import { givesUpAfter, LATENESS, silenceOf, userTimeoutOf, type Values } from './supervised-values';
import { evidenceOf } from './supervision/report';
import { seconds, silenceWarnings } from './warnings';

/** Returns what the plan of a supervised socket cannot keep, as English sentences. */
export function supervisedWarningsOf(
  request: PlanRequest,
  values: Values,
  timeout: number,
  bounds: DeadPeerBounds,
): string[] {
  const { platform, maxSilence, minProbes, silence, runningTimer, zeroWindow, heldTimeoutMax } =
    request;
  const { initialDelay, timeoutMax } = values;
  const warnings: string[] = [];
  const isRaised = heldTimeoutMax !== undefined && bounds.worst > timeout;
  if (isRaised) {
    warnings.push(
      `The program has set TCP_RTO_MAX_MS to ${seconds(heldTimeoutMax)} after the plan: with data in flight or a closed window, a dead peer is noticed after up to ${seconds(bounds.worst)}.`,
    );
  }
  if (timeoutMax === null && bounds.closedWindow > timeout) {
    warnings.push(
      `A peer that vanishes after its window was closed for long is noticed after up to ${seconds(bounds.closedWindow)}: this ${platform === 'mptcp' ? 'connection' : 'kernel'} has no TCP_RTO_MAX_MS (Linux 6.15), which limits the pauses between probes of a closed window.`,
    );
  }
  if (timeoutMax === null && evidenceOf(platform) === 'clock') {
    warnings.push(
      `With a round-trip time above ${seconds(timeout / 5)} and data in flight, a dead peer is noticed after up to 14 round-trip times plus ${seconds(initialDelay * LATENESS + timeout / 8)}: retransmissions are rarer without TCP_RTO_MAX_MS.`,
    );
  }
  warnings.push(...limitsOfKernel(request, values, timeout, bounds));
  const { timeout: rto } = request.retransmission;
  if (timeoutMax === null && rto > INITIAL_TIMEOUT && bounds.busy > timeout) {
    warnings.push(
      `The retransmission timeout of the connection is ${seconds(rto)}: with data in flight, a dead peer is noticed after up to ${seconds(bounds.busy)}.`,
    );
  } else if (bounds.busy > bounds.idle && !isRaised) {
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
  warnings.push(...silenceWarnings(maxSilence, silenceOf(values)));
  return warnings;
}

/** Warns where the kernel itself ends a connection before the timeout. */
function limitsOfKernel(
  request: PlanRequest,
  values: Values,
  timeout: number,
  bounds: DeadPeerBounds,
): string[] {
  const warnings: string[] = [];
  const givesUp = givesUpAfter(values, request);
  if (timeout > givesUp) {
    const { retries } = request.retransmission;
    const isLinux = evidenceOf(request.platform) === 'clock';
    const system = isLinux ? 'Linux' : 'the kernel';
    const setting = isLinux ? `net.ipv4.tcp_retries2 (${retries})` : `${retries} retransmissions`;
    warnings.push(
      `With data in flight, ${system} itself ends the connection after ${seconds(givesUp)} to ${seconds(bounds.busy)} without an answer, by ${setting}.`,
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
