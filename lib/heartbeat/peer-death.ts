// Type of the report about a dead peer.

import type { TcpInfo } from '../tcp-info/tcp-info';

/**
 * Why a peer was declared dead.
 *
 * - `'silent'`: the peer's system still acknowledges data, but its program sends nothing. The program hangs or is
 *   stopped, or a proxy acknowledges for it.
 * - `'vanished'`: the peer does not acknowledge data, pings or keepalive probes.
 * - `'reset'`: the peer's system no longer knows the connection. Its program died, or its machine rebooted. The kernel
 *   has closed the connection, and Node did not notice.
 * - `'unknown'`: `TCP_INFO` is not available, or nothing was sent that the peer could acknowledge.
 */
export type DeathReason = 'silent' | 'vanished' | 'reset' | 'unknown';

/** The last `TCP_INFO` of the connection. `null`: unknown. */
type LastTcpInfo = Pick<
  TcpInfo,
  | 'state'
  | 'timeSinceLastDataReceived'
  | 'timeSinceLastAckReceived'
  | 'bytesInFlight'
  | 'unsentBytes'
>;

/**
 * Report about a peer that was declared dead. Times are in milliseconds. The kernel's figures have the names of
 * {@link TcpInfo}; `null`: unknown.
 */
export interface PeerDeath extends LastTcpInfo {
  /** Why the peer was declared dead. */
  readonly reason: DeathReason;
  /**
   * The `code` of the socket's error: `'ETIMEDOUT'`, or the kernel's code if the kernel has closed the connection
   * (`state` is `'CLOSED'`).
   */
  readonly code: string;
  /** Time since the last sign of life, in milliseconds, without the time in which this process could not run. */
  readonly silence: number;
  /** Number of pings sent in that time. The peer answered none. */
  readonly unansweredPings: number;
  /** Number of pings not sent in that time, because earlier data still waited to be sent. */
  readonly skippedPings: number;
}
