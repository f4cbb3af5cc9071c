// Makes the plan of a supervised socket. The verdict is given by supervision/rule.ts: docs/decisions/0017-supervision.md.

import { idleFalseAlarms, writingFalseAlarms } from './false-alarms';
import type { DeadPeerPlan, PlanRequest } from './plan';
import { supervisedBoundsOf } from './supervised-bounds';
import {
  givesUpAfter,
  probesOf,
  silenceOf,
  userTimeoutOf,
  type Values,
  valuesFor,
} from './supervised-values';
import { supervisedWarningsOf } from './supervised-warnings';
import { evidenceOf } from './supervision/report';
import type { Terms } from './supervision/rule';
import { LATEST_LOOK } from './supervision/slots';
import { latest } from './timer-lateness';
import { seconds } from './warnings';

/** Returns the plan of a supervised socket. */
export function supervisedPlanFor(
  request: PlanRequest,
  timeout: number,
  lossRate?: number,
): DeadPeerPlan {
  const { platform, zeroWindow, heldTimeoutMax } = request;
  const values = valuesFor(request, timeout);
  const { initialDelay, interval, count, timeoutMax } = values;
  const held = { ...values, timeoutMax: heldTimeoutMax ?? timeoutMax };
  const fails = zeroWindow === 'fail' && platform === 'linux';
  const silence = silenceOf(values);
  const probes = probesOf(values, timeout);
  const isPaced =
    // The keepalive of macOS and FreeBSD also runs while data is in flight or the window is closed.
    evidenceOf(platform) === 'counters' ||
    (timeoutMax !== null && (heldTimeoutMax ?? 0) <= timeoutMax);
  const bounds = supervisedBoundsOf(isPaced, request, held, timeout, fails);
  const warnings = supervisedWarningsOf(request, held, timeout, bounds);
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
