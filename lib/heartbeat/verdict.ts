// A silent peer: what is known of it, and whether its system or nothing at all answers.

import type { TcpInfo, TcpState } from '../index';
import type { kernelColumns } from './kernel';
import { TICK } from './ticker';

/**
 * `'silent'`: the peer's system still acknowledges what is sent, but its program says nothing: it hangs,
 * is stopped, or is something in between that answers for it. `'vanished'`: nothing comes back at all.
 * `'unknown'`: the kernel cannot be asked, or nothing was sent that it could tell by.
 */
export type DeathReason = 'silent' | 'vanished' | 'unknown';

/** Of the connection, as the kernel had it at the verdict: `null` is what it does not tell. */
type LastTcpInfo = Pick<
  TcpInfo,
  | 'state'
  | 'timeSinceLastDataReceived'
  | 'timeSinceLastAckReceived'
  | 'bytesInFlight'
  | 'unsentBytes'
>;

/**
 * What is known of a peer that was declared dead. Times in milliseconds. What the kernel told of the
 * connection stands under the names of {@link TcpInfo}, and is `null` where it is not known.
 */
export interface PeerDeath extends LastTcpInfo {
  readonly reason: DeathReason;
  /** For how long it gave no sign of life, as far as this process was running. */
  readonly silence: number;
  /** Pings in that time, none of which was answered. */
  readonly unansweredPings: number;
  /** How often a ping was due in that time and was not sent, since data before it was still waiting. */
  readonly skippedPings: number;
}

/** What the kernel is asked of a suspect. */
export const EVIDENCE = [
  'state',
  'timeSinceLastDataReceived',
  'timeSinceLastAckReceived',
  'bytesInFlight',
  'unackedSegments',
  'unsentBytes',
  'bytesAcked',
  'probes',
  'consecutiveTimeouts',
  'sendWindow',
  'rtt',
  'rttVariance',
] as const;

/** Of one suspect, numbers of {@link TcpInfo}: NaN for what is not known. */
export type Evidence = Readonly<Record<(typeof EVIDENCE)[number], number>>;

/** Row `index` of what the kernel said of many. */
export function evidenceAt(
  columns: ReturnType<typeof kernelColumns<(typeof EVIDENCE)[number]>>,
  index: number,
): Evidence {
  const row = {} as Record<(typeof EVIDENCE)[number], number>;
  for (const field of EVIDENCE) row[field] = columns?.[field][index] ?? Number.NaN;
  return row;
}

/** So many probes or retransmissions in a row are not answered by a system that lives. */
const UNANSWERED = 2;

/** A clock tick of a kernel, by which its times may be short, and one of ours, by which a silence may be long. */
const CLOCK_TICKS = 10 + TICK;

/** What a heartbeat knows itself, in milliseconds. */
export interface Asked {
  /** For how long the peer has said nothing. */
  readonly silence: number;
  /** Since the first ping that it did not answer, and since the last but one; Infinity: there is none. */
  readonly sinceFirstPing: number;
  readonly sinceLastButOne: number;
}

/**
 * How long an answer takes at most, in milliseconds, as the kernel has measured its path: what it waits for an
 * acknowledgement. 0 where that is not known.
 *
 * @see RFC 6298 section 2
 */
export function answerTimeOf({ rtt, rttVariance }: Evidence): number {
  return (rtt || 0) + 4 * (rttVariance || 0);
}

export function reasonOf(evidence: Evidence, state: TcpState | null, asked: Asked): DeathReason {
  const { silence, sinceFirstPing, sinceLastButOne } = asked;
  const { timeSinceLastAckReceived, bytesInFlight, unackedSegments, unsentBytes } = evidence;
  const { probes, consecutiveTimeouts, sendWindow } = evidence;
  const waiting = (bytesInFlight || 0) + (unackedSegments || 0) + (unsentBytes || 0);
  // Closed by a kernel that waited in vain; else by a reset, or by an administrator.
  if (state === 'CLOSED') {
    return waiting > 0 || probes > 0 || consecutiveTimeouts > 0 ? 'vanished' : 'unknown';
  }
  // Whatever was acknowledged before. One of them may be lost on any path.
  if (consecutiveTimeouts >= UNANSWERED || probes >= UNANSWERED) return 'vanished';
  // What was acknowledged since then: by a system that lives. The last ping may be on its way still. That the
  // one before it is, too, tells that nothing comes back any more.
  const isOverdue = timeSinceLastAckReceived > sinceLastButOne + CLOCK_TICKS;
  const isSince = timeSinceLastAckReceived + CLOCK_TICKS < Math.min(silence, sinceFirstPing);
  if (isSince && !isOverdue) return 'silent';
  const isKnown = !Number.isNaN(bytesInFlight) || !Number.isNaN(unackedSegments);
  if (isKnown && waiting === 0 && sinceFirstPing !== Number.POSITIVE_INFINITY) return 'silent';
  // A window that a program closes by not reading is asked for more and more rarely.
  if (sendWindow === 0 && waiting > 0) return 'silent';
  if (waiting > 0 || probes > 0) return 'vanished';
  return 'unknown';
}
