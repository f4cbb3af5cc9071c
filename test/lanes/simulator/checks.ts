// What the promise requires of a history: docs/dead-peers.md. Counts the truth of the model, not what the rule counted.

import { smallestSupervisedTimeout } from '../../../lib/dead-peer/supervised-values';
import { LATEST_LOOK } from '../../../lib/dead-peer/supervision/slots';
import type { Drawn } from './histories';
import type { Outcome } from './history';

/** What a history shows against the promise. */
export interface Finding {
  readonly promise: 'spares the living' | 'enough unanswered' | 'told in time';
  /** By how much the promise was broken: milliseconds, or missing segments. Below 0: what was left. */
  readonly excess: number;
}

/** How late a timer of the event loop and the second look are, above a slot. */
const MARGIN = 250;
/** A timer of Linux may be late by an eighth. */
const LATENESS = 9 / 8;

export function check({ scene, history }: Drawn, outcome: Outcome): Finding[] {
  const findings: Finding[] = [];
  const { verdict, unanswered, oldUnanswered } = outcome;
  if (scene === 'living' && verdict !== 'alive') {
    findings.push({ promise: 'spares the living', excess: outcome.at - outcome.lifeAt });
  }
  if (verdict === 'dead') {
    const missing = history.minProbes - Math.min(unanswered, oldUnanswered);
    findings.push({ promise: 'enough unanswered', excess: missing });
  }
  if (scene === 'dead' && verdict !== 'closed') {
    findings.push({
      promise: 'told in time',
      excess: outcome.at - latest({ scene, history }, outcome),
    });
  }
  return findings;
}

/** When the program must have been told. */
function latest({ history }: Drawn, outcome: Outcome): number {
  const { timeout, callAt, blockedFrom, blockedTo, minProbes, override, dropsFrom } = history;
  const { lifeAt, timerAtCall } = outcome;
  const eighth = timeout / 8;
  // Supervision makes an attempt in each eighth of the timeout, and the last one must be as old as that.
  const isOverridden = override !== 'none';
  const looks = Math.max(3, minProbes) + (isOverridden ? 2 : 1);
  const attempts = looks * eighth + minProbes * LATEST_LOOK;
  let latest = lifeAt + timeout;
  if (callAt > lifeAt) latest = Math.max(latest, callAt + attempts);
  // The largest retransmission timeout does not apply to a timer that runs already.
  latest = Math.max(latest, timerAtCall + timeout);
  if (!history.hasTimeoutMax && outcome.hadData) {
    latest = Math.max(latest, withoutTimeoutMax(history, outcome));
  }
  // The kernel's unit of a second leaves no room for a tail-loss probe that is not counted.
  if (timeout < 1.2 * smallestSupervisedTimeout(minProbes)) latest += eighth + 2 * LATEST_LOOK;
  // The clock may show it as a new sign of life at the last look.
  if (outcome.isLifeMerged) latest += eighth;
  // The kernel does not count what the own machine drops.
  const isUncounted = dropsFrom < latest || isOverridden;
  const pause = LATENESS * longestPause(history, outcome);
  if (isUncounted) {
    const inData = lifeAt + timeout / 2 + minProbes * pause + eighth;
    latest = Math.max(latest, lifeAt + timeout + eighth, inData);
  }
  if (blockedFrom < latest + MARGIN) {
    // Small segments may be merged before a look counts them.
    const uncounted = Math.max(1, minProbes - 2) * pause;
    latest = Math.max(latest, blockedTo + (isUncounted ? attempts : eighth)) + uncounted;
  }
  return latest + MARGIN;
}

function longestPause({ hasTimeoutMax }: Drawn['history'], { plan }: Outcome): number {
  return hasTimeoutMax ? (plan.options.retransmissionTimeoutMax as number) : 120_000;
}

/** Data in flight or a closed window, and no TCP_RTO_MAX_MS: the pauses double. */
function withoutTimeoutMax(history: Drawn['history'], outcome: Outcome): number {
  const { timeout, minProbes, peer, callAt } = history;
  const { lifeAt, plan, rto, timerAtCall } = outcome;
  const longest = longestPause(history, outcome);
  // A tail-loss probe may not be counted.
  let pauses = Math.min(rto, longest);
  const counted = outcome.isLifeMerged ? minProbes + 1 : minProbes;
  for (let attempt = 1; attempt < counted; attempt++) {
    pauses += Math.min(rto * 2 ** (attempt - 1), longest);
  }
  const first = Math.max(lifeAt + plan.maxSilence, timerAtCall, callAt > lifeAt ? callAt : 0);
  const inFlight = first + LATENESS * pauses + timeout / 8;
  const isClosed = peer.closedFrom < lifeAt + timeout;
  return isClosed ? Math.max(inFlight, lifeAt + plan.bounds.closedWindow) : inFlight;
}
