// Fields that are made of several members of a structure.

/**
 * What was sent and is not acknowledged yet. Not below 0: Linux counts the SYN of the side that connected as
 * acknowledged, but not as sent.
 */
export function bytesInFlight(sent: number, retransmitted: number, acknowledged: number): number {
  return Math.max(sent - retransmitted - acknowledged, 0);
}

/** Sequence numbers wrap at 2^32. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) >>> 0;
}
