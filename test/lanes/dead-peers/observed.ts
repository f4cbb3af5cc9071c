// What a fixture tells of a heartbeat and its connection: observe() in test/fixtures/dead-peers/devices.mjs.

export interface Observed {
  readonly deaths: number;
  readonly death: { readonly reason: string; readonly unansweredPings: number } | null;
  /** In ms before it was declared dead: what the program read, and when the peer was lost. */
  readonly sinceHeard: number | null;
  readonly sinceLost: number | null;
  readonly code: string | null;
  /** The peer, by `explainDisconnect()`. */
  readonly explained: string | null;
  /** Whether socket and heartbeat are closed, and the heartbeat is open. */
  readonly isClosed: boolean;
  readonly isOpen: boolean;
  readonly pings: number;
  readonly skippedPings: number;
  readonly rtt: number | null;
}
