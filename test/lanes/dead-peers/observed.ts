// The report of observe() in test/fixtures/dead-peers/devices.mjs about a heartbeat and its connection.

export interface Observed {
  readonly deaths: number;
  readonly death: { readonly reason: string; readonly unansweredPings: number } | null;
  /** In ms before the peer was declared dead: when the program last read, and when the peer was lost. */
  readonly sinceHeard: number | null;
  readonly sinceLost: number | null;
  readonly code: string | null;
  /** The result of `explainDisconnect()`. */
  readonly explained: string | null;
  /** Whether the socket and the heartbeat are closed, and whether the heartbeat is open. */
  readonly isClosed: boolean;
  readonly isOpen: boolean;
  readonly pings: number;
  readonly skippedPings: number;
  readonly rtt: number | null;
}
