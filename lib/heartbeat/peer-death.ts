// What is known of a peer that was declared dead.

import type { TcpInfo } from '../tcp-info/tcp-info';

/**
 * `'silent'`: the peer's system still acknowledges what is sent, but its program says nothing: it hangs,
 * is stopped, or is something in between that answers for it. `'vanished'`: nothing comes back at all.
 * `'unknown'`: the kernel cannot be asked, or nothing was sent that it could tell by.
 */
export type DeathReason = 'silent' | 'vanished' | 'unknown';

/** What the kernel reported of the connection at the verdict. `null`: not known. */
type LastTcpInfo = Pick<
  TcpInfo,
  | 'state'
  | 'timeSinceLastDataReceived'
  | 'timeSinceLastAckReceived'
  | 'bytesInFlight'
  | 'unsentBytes'
>;

/**
 * What is known of a peer that was declared dead. Times in milliseconds. The kernel's figures have the names that they
 * have in {@link TcpInfo}, and are `null` where they are not known.
 */
export interface PeerDeath extends LastTcpInfo {
  readonly reason: DeathReason;
  /** How long the peer gave no sign of life, without the time in which this process could not run. */
  readonly silence: number;
  /** How many pings were sent in that time. None was answered. */
  readonly unansweredPings: number;
  /** How many pings were due in that time and were not sent, because earlier data was still waiting. */
  readonly skippedPings: number;
}
