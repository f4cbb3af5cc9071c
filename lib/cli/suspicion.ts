// Whose peer may be gone, by what the kernel says of the connection: no terminal, no clock, no system call.

import type { Connection } from '../index';
import { count, roughly } from './text';

/** A connection, and what about it is suspicious, in words. */
export interface Observed {
  readonly connection: Connection;
  readonly suspicion: string | null;
}

export const observe = (connection: Connection): Observed => ({
  connection,
  suspicion: suspicion(connection),
});

/** How long ago the peer last gave a sign of life, in milliseconds. */
export function silence({ tcpInfo }: Connection): number | null {
  if (tcpInfo === null) return null;
  const { timeSinceLastDataReceived: data, timeSinceLastAckReceived: ack } = tcpInfo;
  return data === null || ack === null ? (data ?? ack) : Math.min(data, ack);
}

/** Retransmissions in a row that are unanswered. */
export function timeouts({ tcpInfo, timer }: Connection): number {
  const byTimer = timer?.kind === 'retransmission' ? timer.count : 0;
  return Math.max(byTimer, tcpInfo?.consecutiveTimeouts ?? 0);
}

/** Keepalive probes that are unanswered. */
function probes({ tcpInfo, timer }: Connection): number {
  if (timer !== null) return timer.kind === 'keepalive' ? timer.count : 0;
  // The timer may have been between two runs. With data in flight these are probes of a window.
  return tcpInfo?.unackedSegments === 0 ? (tcpInfo.probes ?? 0) : 0;
}

/** From when on it counts that data is unacknowledged although no timeout was noticed. */
const LONG = 5_000;

/** Why the peer of a connection may be gone, in words; `null` if nothing says so. */
export function suspicion(connection: Connection): string | null {
  const { state, tcpInfo, timer } = connection;
  if (state === 'LISTEN' || state === 'TIME-WAIT' || state === 'CLOSED') return null;
  const inRow = timeouts(connection);
  if (state === 'SYN-SENT' || state === 'SYN-RECEIVED') {
    return inRow >= 2 ? `no answer to the handshake, sent ${inRow + 1} times` : null;
  }

  const quiet = silence(connection);
  const last = quiet === null ? '' : `, last sign of life ${roughly(quiet)} ago`;
  const unanswered = probes(connection);
  if (unanswered >= 1) {
    return `half-open? ${count(unanswered, 'keepalive probe')} unanswered${last}`;
  }
  // Probes of a closed window are answered, however long it stays closed.
  if (timer?.kind === 'persist') {
    return timer.count >= 2 ? `half-open? ${count(timer.count, 'probe')} unanswered${last}` : null;
  }
  const unacked = tcpInfo !== null && (tcpInfo.unackedSegments ?? 0) > 0;
  if (inRow >= 2 || (unacked && (tcpInfo.backoff ?? 0) >= 2)) {
    const sent = Math.max(inRow, tcpInfo?.backoff ?? 0);
    return `half-open? ${count(sent, 'retransmission')} unanswered${last}`;
  }
  if (state === 'ESTABLISHED' && unacked && quiet !== null) {
    // An old ACK alone says nothing: what is in flight may have been sent just now.
    const waiting = Math.min(quiet, tcpInfo.timeSinceLastDataSent ?? 0);
    if (waiting >= LONG) return `half-open? data unacknowledged for ${roughly(waiting)}`;
  }
  return null;
}
