// Computes fields from several members of a structure.

/**
 * Sent bytes that are not acknowledged yet. At least 0: on the connecting side, Linux counts the SYN as acknowledged,
 * but not as sent.
 */
export function bytesInFlight(sent: number, retransmitted: number, acknowledged: number): number {
  return Math.max(sent - retransmitted - acknowledged, 0);
}

/** Distance between two sequence numbers, which wrap at 2^32. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) >>> 0;
}
