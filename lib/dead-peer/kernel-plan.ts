// Makes the plan of a socket whose kernel values alone must do: a bare descriptor, `supervise: false`, and systems that
// report no signs of life. kernel-choice.ts chooses the values.

import { type Choice, chooseValues } from './kernel-choice';
import {
  type DeadPeerValues,
  falseAlarmsPerHour,
  MPTCP_CLOSE_TIMEOUT,
  probesOf,
} from './kernel-rules';
import type { DeadPeerPlan, PlanRequest, ZeroWindow } from './plan';
import { evidenceOf } from './supervision/report';
import { latest } from './timer-lateness';
import { seconds, silenceWarnings } from './warnings';

/** Returns the plan that keeps a timeout, or the one that exceeds it least. */
export function kernelPlanFor(
  request: PlanRequest,
  timeout: number,
  lossRate?: number,
): DeadPeerPlan {
  const choice = chooseValues(request, timeout);
  const { platform, minProbes, silence, retransmission } = request;
  const { bounds, timeoutMax, limit } = choice;
  const values = withFixedCount(choice.values, request.fixedCount);
  const { userTimeout, ...keepAlive } = values;
  const probes = probesOf(platform, values);
  const zeroWindow = zeroWindowOf(request, choice);
  return Object.freeze({
    platform,
    timeout,
    supervised: false,
    options: Object.freeze({
      // The switch is first: then the kernel probes at once if the initial delay is over already.
      ...keepAlive,
      ...(hasUserTimeout(choice) ? { userTimeout } : {}),
      ...(timeoutMax === null ? {} : { retransmissionTimeoutMax: timeoutMax }),
    }),
    probes,
    slowestAnswer: probes * values.keepAliveInterval,
    retransmissionTimeout: Math.min(retransmission.timeout, timeoutMax ?? Number.POSITIVE_INFINITY),
    bounds: Object.freeze(bounds),
    zeroWindow,
    maxSilence: latest(Math.max(values.keepAliveInitialDelay, values.keepAliveInterval)),
    falseAlarmsPerHour:
      lossRate === undefined ? null : falseAlarmsPerHour(platform, values, lossRate),
    falseAlarmsPerHourWriting: null,
    promise: Object.freeze({
      isToldInTime: isTold(request, choice) && bounds.worst <= timeout && silence === 0,
      sparesLivingPeers: zeroWindow === 'tolerate',
      survivesLostPackets: minProbes > 1 && minProbes <= transmissionsOf(request, choice),
      isIndependentOfPath: limit === 'keepalive' || limit === 'timeoutMax',
      namesLimits: true,
    }),
    warnings: Object.freeze(warningsOf(request, choice, timeout)),
    why: whyOf(request, { ...choice, values }).join(' '),
    measured: platform === 'linux' || platform === 'mptcp' || platform === 'gvisor',
  });
}

/** Uses the system's fixed number of probes, with an interval for which they take as long. */
function withFixedCount(values: DeadPeerValues, count: number | undefined): DeadPeerValues {
  if (count === undefined) return values;
  const together = values.keepAliveInterval * values.keepAliveCount;
  return { ...values, keepAliveInterval: Math.floor(together / count), keepAliveCount: count };
}

/** Linux has a user timeout of 0 set, because an earlier one would end living peers. */
function hasUserTimeout({ limit }: Choice): boolean {
  return limit === 'userTimeout' || limit === 'timeoutMax';
}

/** Only the user timeout ends living peers behind a closed window, and not that of gVisor (measured). */
function zeroWindowOf({ platform }: PlanRequest, { limit }: Choice): ZeroWindow {
  return limit === 'userTimeout' && platform !== 'gvisor' ? 'fail' : 'tolerate';
}

/** How often data is sent until the connection fails, at least: the user timeout has room for the first retransmission. */
function transmissionsOf({ retransmission }: PlanRequest, { limit }: Choice): number {
  if (limit === 'keepalive') return Number.POSITIVE_INFINITY;
  // The write, a tail-loss probe, and a retransmission.
  return limit === 'userTimeout' ? 3 : retransmission.retries + 2;
}

/** Whether this package looks whether the kernel has closed the connection. Otherwise Node may not notice. */
function isClosedStateSeen({ supervise, platform }: PlanRequest): boolean {
  return supervise && evidenceOf(platform) === 'state';
}

/** Each write restarts the timer of the tail-loss probe: net/ipv4/tcp_output.c, tcp_schedule_loss_probe(). */
function isPostponedByWrites({ platform }: PlanRequest): boolean {
  return platform === 'linux' || platform === 'mptcp' || platform === 'gvisor';
}

function isTold(request: PlanRequest, { limit }: Choice): boolean {
  return isClosedStateSeen(request) && !isPostponedByWrites(request) && limit !== 'retries';
}

function warningsOf(request: PlanRequest, choice: Choice, timeout: number): string[] {
  const { platform, minProbes, maxSilence, silence, retransmission } = request;
  const { values, bounds, limit } = choice;
  const { idle, busy, closedWindow, worst } = bounds;
  const warnings: string[] = [];
  if (worst > timeout) {
    const remedy = limit === 'timeoutMax' ? ' With zeroWindow "fail" the bounds are shorter.' : '';
    warnings.push(
      `The kernel alone cannot keep ${seconds(timeout)} here. A dead peer is noticed after up to ${seconds(idle)} while the connection is idle, ${seconds(busy)} with data in flight, ${seconds(closedWindow)} if its window was closed, ${seconds(worst)} in the worst case.${remedy}`,
    );
  }
  if (isPostponedByWrites(request)) {
    warnings.push(
      'A program that keeps writing postpones the end without limit: each write restarts the timer of the tail-loss probe.',
    );
  }
  if (!isClosedStateSeen(request)) {
    warnings.push(
      'Node does not report the end of a socket that is neither read nor written (paused, half-closed).',
    );
  }
  const zeroWindow = zeroWindowOf(request, choice);
  if (zeroWindow === 'tolerate' && request.zeroWindow === 'fail') {
    warnings.push(
      'A peer whose window stays closed is not ended, although zeroWindow is "fail": this system has no limit for that.',
    );
  }
  if (zeroWindow === 'fail' && request.zeroWindow === 'tolerate') {
    const missing =
      platform === 'linux'
        ? 'kernel has no TCP_RTO_MAX_MS (Linux 6.15)'
        : 'system has nothing else that bounds data in flight';
    warnings.push(
      `A living peer that does not read is ended after its window was closed for ${seconds(values.userTimeout)}: this ${missing}.`,
    );
  }
  if (limit === 'userTimeout') {
    warnings.push(
      `The bounds with data in flight assume a retransmission timeout of ${seconds(retransmission.timeout)}. A path with a round-trip time above a third of that may have a longer one: each second more makes them two seconds longer.`,
    );
  }
  if (silence > values.keepAliveInitialDelay) {
    warnings.push(
      `The peer has already been silent for ${seconds(silence)}. It gets the time to answer ${minProbes} ${minProbes === 1 ? 'probe' : 'probes'} from now on.`,
    );
  }
  const transmissions = transmissionsOf(request, choice);
  if (minProbes > transmissions) {
    warnings.push(
      `With data in flight, ${transmissions} unanswered segments may end the connection: the kernel sends no keepalive probes then.`,
    );
  }
  if (minProbes === 1) {
    warnings.push('A single lost packet can end the connection: minProbes is 1.');
  }
  const pause = latest(Math.max(values.keepAliveInitialDelay, values.keepAliveInterval));
  warnings.push(...silenceWarnings(maxSilence, pause));
  return warnings;
}

/** Returns the reason for the chosen values, and the assumptions, as English sentences. */
function whyOf(request: PlanRequest, { values, limit, timeoutMax }: Choice): string[] {
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } = values;
  const sentences = [
    `The kernel probes an idle peer after ${seconds(keepAliveInitialDelay)} of silence and then every ${seconds(keepAliveInterval)}. The connection fails after ${keepAliveCount} unanswered probes.`,
  ];
  switch (limit) {
    case 'keepalive':
      sentences.push(
        'Keepalive of this system also runs while data is unacknowledged, so it covers every state.',
      );
      break;
    case 'timeoutMax':
      sentences.push(
        `The kernel sends unacknowledged data again, and probes a closed window, at least every ${seconds(timeoutMax as number)}. It gives up after ${request.retransmission.retries} times. There is no user timeout, because it would end the connection of a living peer that does not read.`,
      );
      break;
    case 'userTimeout':
      sentences.push(
        `While data is unacknowledged the kernel sends no probes. The user timeout of ${seconds(userTimeout)} then ends the connection. It counts from the first retransmission.`,
        'In the worst case a write just before the last probe adds both times, so each gets about half of the timeout.',
      );
      break;
    case 'retries':
      sentences.push(
        `An MPTCP connection has neither a user timeout nor TCP_RTO_MAX_MS, so only the number of retransmissions bounds data in flight. It outlives its last subflow by net.mptcp.close_timeout, ${seconds(MPTCP_CLOSE_TIMEOUT)} by default.`,
      );
  }
  if (isClosedStateSeen(request)) {
    sentences.push(
      'This package looks a few times within the timeout whether the kernel has closed the connection, and tells the program. The kernel gives the verdict, because this system reports no signs of life.',
    );
  }
  return [...sentences, ...request.assumptions.map((text) => `${text}.`)];
}
