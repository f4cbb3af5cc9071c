// The chance that supervision takes a living peer for dead, on a path that loses packets. The losses are assumed to be
// independent. A round begins with a segment that may be lost. It ends with the first answer, or with so many unanswered
// segments that the peer counts as dead.

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

/**
 * Returns the largest chance within an hour of a connection whose program writes: the next write comes immediately after
 * each answer, and there is never more than one segment in flight.
 * @param timeout How long the peer may be silent.
 * @param firstWait The retransmission timeout. Each wait takes twice the time of the one before, up to `longestWait`.
 */
export function writingFalseAlarms(
  timeout: number,
  firstWait: number,
  longestWait: number,
  lossRate: number,
): number {
  const unanswered = unansweredShare(lossRate);
  let attempts = 0;
  let round = 0;
  let sentAt = 0;
  for (let wait = Math.min(firstWait, longestWait); sentAt < timeout; ) {
    attempts += 1;
    round += unanswered ** attempts * wait;
    sentAt += wait;
    wait = Math.min(2 * wait, longestWait);
  }
  return chancePerHour(round, attempts, unanswered);
}
