// The chance that supervision takes a living peer for dead, on a path that loses packets. The losses are assumed to be
// independent. A round begins with a segment that may be lost. It ends with the first answer, or with so many unanswered
// segments that the peer counts as dead.

import { latest } from './timer-lateness';

const HOUR = 3_600_000;

/** A segment is unanswered if it or its answer is lost. */
const unansweredShare = (lossRate: number): number => 1 - (1 - lossRate) ** 2;

function chancePerHour(round: number, attempts: number, unanswered: number): number {
  if (unanswered === 0) return 0;
  if (unanswered === 1) return 1;
  return -Math.expm1((HOUR / round) * Math.log1p(-(unanswered ** attempts)));
}

/** Returns the chance within an hour of an idle connection. */
export function idleFalseAlarms(
  { initialDelay, interval }: { readonly initialDelay: number; readonly interval: number },
  probes: number,
  lossRate: number,
): number {
  const unanswered = unansweredShare(lossRate);
  const round = initialDelay + (interval * unanswered) / (1 - unanswered);
  return chancePerHour(round, probes, unanswered);
}

/** What the chance of a writing program depends on. Times are in milliseconds. */
interface Writing {
  /** How long the peer may be silent. */
  readonly timeout: number;
  /** How long after an answer the next write comes at the latest. Then keepalive probes. */
  readonly longestPause: number;
  /** The longest retransmission timeout of the connection before it grows, and the longest one afterwards. */
  readonly longestTimeout: number;
  readonly timeoutMax: number;
}

/** The shortest retransmission timeout of Linux. */
const SHORTEST_TIMEOUT = 200;
/** The retransmission timeouts that are tried differ by this factor. */
const STEP = 1.05;

/**
 * Returns the largest chance within an hour of a connection whose program writes, over all paces and retransmission timeouts:
 * there is never more than one segment in flight, and all timers are as late as possible. A tail-loss probe would be one more
 * attempt.
 */
export function writingFalseAlarms(writing: Writing, lossRate: number): number {
  const unanswered = unansweredShare(lossRate);
  const longest = Math.min(writing.longestTimeout, writing.timeoutMax);
  let chance = largestChance(writing, longest, unanswered);
  for (let first = SHORTEST_TIMEOUT; first < longest; first *= STEP) {
    chance = Math.max(chance, largestChance(writing, first, unanswered));
  }
  return chance;
}

/** More attempts are not counted. Fewer attempts make the chance larger, so it stays a bound. */
const MOST_ATTEMPTS = 200;

/** Returns the largest chance over all paces, for one retransmission timeout. */
function largestChance(writing: Writing, firstWait: number, unanswered: number): number {
  const { timeout, longestPause, timeoutMax } = writing;
  let chance = 0;
  let attempts = 0;
  let round = 0;
  let wait = firstWait;
  // When the attempt after these is made, after the write.
  let next = 0;
  while (next < timeout && attempts < MOST_ATTEMPTS) {
    attempts += 1;
    round += unanswered ** attempts * wait;
    next += latest(wait);
    wait = Math.min(2 * wait, timeoutMax);
    // With this pause before the write, that attempt is too late.
    const pause = Math.max(0, timeout - next);
    if (pause <= longestPause || attempts === MOST_ATTEMPTS) {
      const between = Math.min(pause, longestPause);
      chance = Math.max(chance, chancePerHour(between + round, attempts, unanswered));
    }
  }
  return chance;
}
