// Decides by the kernel's counters whether the peer of a connection may be gone: without a terminal, a
// clock or a system call.

import type { Connection } from '../index';
import { formatAge, plural } from './view/text';

/** A connection, and why its peer may be gone; `null`: nothing suggests it. */
export interface Observed {
  readonly connection: Connection;
  readonly suspicion: string | null;
}

export const observe = (connection: Connection): Observed => ({
  connection,
  suspicion: findSuspicion(connection),
});

/** Milliseconds since the peer last sent data or an acknowledgement. */
export function timeSinceLastReceived({ tcpInfo }: Connection): number | null {
  if (tcpInfo === null) return null;
  const { timeSinceLastDataReceived: data, timeSinceLastAckReceived: ack } = tcpInfo;
  return data === null || ack === null ? (data ?? ack) : Math.min(data, ack);
}

/** Unanswered retransmissions in a row. */
export function consecutiveTimeouts({ tcpInfo, timer }: Connection): number {
  const byTimer = timer?.kind === 'retransmission' ? timer.count : 0;
  return Math.max(byTimer, tcpInfo?.consecutiveTimeouts ?? 0);
}

/** Unanswered keepalive probes. */
function unansweredProbes({ tcpInfo, timer }: Connection): number {
  if (timer !== null) return timer.kind === 'keepalive' ? timer.count : 0;
  // The kernel reports no timer at the moment when it fires. With data in flight, `probes` counts
  // window probes.
  return tcpInfo?.unackedSegments === 0 ? (tcpInfo.probes ?? 0) : 0;
}

/** Data that is unacknowledged for this long, in ms, is suspicious even if no timeout was reported. */
const UNACKED_LIMIT = 5_000;

/** Why the peer of a connection may be gone; `null` if nothing suggests it. */
export function findSuspicion(connection: Connection): string | null {
  const { state, tcpInfo, timer } = connection;
  if (state === 'LISTEN' || state === 'TIME-WAIT' || state === 'CLOSED') return null;
  const inRow = consecutiveTimeouts(connection);
  if (state === 'SYN-SENT' || state === 'SYN-RECEIVED') {
    return inRow >= 2 ? `no answer to the handshake, sent ${inRow + 1} times` : null;
  }

  const silence = timeSinceLastReceived(connection);
  const last = silence === null ? '' : `, last sign of life ${formatAge(silence)} ago`;
  const probes = unansweredProbes(connection);
  if (probes >= 1) {
    return `half-open? ${plural(probes, 'keepalive probe')} unanswered${last}`;
  }
  // A living peer answers window probes, however long its window stays closed.
  if (timer?.kind === 'persist') {
    return timer.count >= 2 ? `half-open? ${plural(timer.count, 'probe')} unanswered${last}` : null;
  }
  const isUnacked = tcpInfo !== null && (tcpInfo.unackedSegments ?? 0) > 0;
  if (inRow >= 2 || (isUnacked && (tcpInfo.backoff ?? 0) >= 2)) {
    const retransmissions = Math.max(inRow, tcpInfo?.backoff ?? 0);
    return `half-open? ${plural(retransmissions, 'retransmission')} unanswered${last}`;
  }
  if (state === 'ESTABLISHED' && isUnacked && silence !== null) {
    // An old ACK alone is no evidence: the data in flight may have been sent just now.
    const waiting = Math.min(silence, tcpInfo.timeSinceLastDataSent ?? 0);
    if (waiting >= UNACKED_LIMIT) return `half-open? data unacknowledged for ${formatAge(waiting)}`;
  }
  return null;
}
