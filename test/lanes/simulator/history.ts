// What a history of the simulator is made of, what comes of it, and the plan that setDeadPeerTimeout() makes for it.

import type { DeadPeerPlan, PlanRequest } from '../../../lib/dead-peer/plan';
import { supervisedPlanFor, termsOf } from '../../../lib/dead-peer/supervised-plan';
import type { Report } from '../../../lib/dead-peer/supervision/report';
import type { Terms } from '../../../lib/dead-peer/supervision/rule';
import type { Outage } from './path';
import type { PeerBehaviour } from './peer';

/** What the program does with its end. */
export interface Program {
  /** `'upload'` keeps the send queue full. */
  readonly kind: 'idle' | 'write' | 'writer' | 'upload' | 'mixed';
  /** The first write, the last one, and the time between two. */
  readonly from: number;
  readonly to: number;
  readonly interval: number;
  readonly size: number;
  readonly isNagleOn: boolean;
  readonly cwnd: number;
}

/** Everything that decides what happens, with the seed of the random numbers. Times are in milliseconds from the start. */
export interface History {
  readonly seed: number;
  readonly timeout: number;
  readonly minProbes: number;
  readonly hasTimeoutMax: boolean;
  readonly roundTrip: number;
  readonly jitter: number;
  /** The round-trip time may change once. */
  readonly laterRoundTrip: number;
  readonly changesAt: number;
  readonly loss: number;
  readonly ours: readonly Outage[];
  readonly theirs: readonly Outage[];
  /** The own machine drops what it sends. */
  readonly dropsFrom: number;
  readonly program: Program;
  readonly peer: PeerBehaviour;
  /** When supervision begins; 0: with the connection. */
  readonly callAt: number;
  /** What a library does to keepalive later: switches it off, or sets an initial delay of 60 s. */
  readonly override: 'off' | '60 s' | 'none';
  readonly overrideAt: number;
  /** The event loop is blocked, or the process stopped. */
  readonly blockedFrom: number;
  readonly blockedTo: number;
  readonly end: number;
}

export type Look = readonly [time: number, report: Report];

export interface Outcome {
  readonly verdict: 'alive' | 'dead' | 'closed';
  /** When the program was told; the end of the history if it was not. */
  readonly at: number;
  /** When the last sign of life came. */
  readonly lifeAt: number;
  /** The unanswered segments at that time, and those of them that were old enough to be answered. */
  readonly unanswered: number;
  readonly oldUnanswered: number;
  /** When the timer was due that ran at the call: a new TCP_RTO_MAX_MS does not shorten it. */
  readonly timerAtCall: number;
  /** The retransmission timeout when the last sign of life had come. */
  readonly rto: number;
  /** A look has taken the last sign of life for an earlier one: they were less than 20 ms apart. */
  readonly isLifeMerged: boolean;
  /** Whether data was waiting or in flight at the end. */
  readonly hadData: boolean;
  /** The longest silence of a look that found a living peer, as a share of the timeout. */
  readonly longestSilence: number;
  readonly plan: DeadPeerPlan;
}

const plans = new Map<string, { readonly plan: DeadPeerPlan; readonly terms: Terms }>();

/** Returns the plan that setDeadPeerTimeout() makes. */
export function planOf(
  history: Pick<History, 'timeout' | 'minProbes' | 'hasTimeoutMax' | 'loss'>,
): { readonly plan: DeadPeerPlan; readonly terms: Terms } {
  const { timeout, minProbes, hasTimeoutMax, loss } = history;
  const key = `${timeout} ${minProbes} ${hasTimeoutMax} ${loss}`;
  let known = plans.get(key);
  if (known === undefined) {
    const request: PlanRequest = {
      platform: 'linux',
      minProbes,
      zeroWindow: 'tolerate',
      maxSilence: undefined,
      supervise: true,
      hasTimeoutMax,
      retransmission: { timeout: 1_000, timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
      silence: 0,
      runningTimer: 0,
      assumptions: [],
    };
    const plan = supervisedPlanFor(request, timeout, loss);
    known = { plan, terms: termsOf(plan, minProbes) };
    if (plans.size > 500) plans.clear();
    plans.set(key, known);
  }
  return known;
}
