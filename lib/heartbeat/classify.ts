// Decides whether a silent peer is dead, and why, from the kernel's figures and the monitor's. Pure functions.

import { TICK } from '../core/schedule';
import type { TcpState } from '../tcp-info/states';
import type { kernelColumns } from './kernel';
import type { DeathReason, PeerDeath } from './peer-death';

/** The fields of `TcpInfo` that the decision needs. */
export const EVIDENCE_FIELDS = [
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

type EvidenceField = (typeof EVIDENCE_FIELDS)[number];

/** The kernel's figures of one connection, under the names of `TcpInfo`. NaN: unknown. */
export type Evidence = Readonly<Record<EvidenceField, number>>;

/** Returns row `index` of the columns. `null`: every figure is unknown. */
export function evidenceAt(
  columns: ReturnType<typeof kernelColumns<EvidenceField>>,
  index: number,
): Evidence {
  const row = {} as Record<EvidenceField, number>;
  for (const field of EVIDENCE_FIELDS) row[field] = columns?.[field][index] ?? Number.NaN;
  return row;
}

/** The monitor's figures of a silence. Times in milliseconds. */
export interface Silence {
  readonly silence: number;
  readonly timeout: number;
  /** The state of the connection in the kernel. `null`: unknown. */
  readonly state: TcpState | null;
  /** Any bytes are signs of life, also bytes that only the kernel has received. */
  readonly anyBytesCount: boolean;
  /** The program reads the stream, and has read the data received so far. */
  readonly isReading: boolean;
  readonly hasPeerEnded: boolean;
  readonly hasThisSideEnded: boolean;
  /** Time since the first unanswered ping. Infinity: there is none. */
  readonly sinceFirstPing: number;
  /** Time since the second-to-last ping. Infinity: there is none. */
  readonly sinceLastButOnePing: number;
  readonly unansweredPings: number;
  readonly skippedPings: number;
  /** Time left for the answer to the first ping of this silence. 0 or less: the time is over. */
  readonly timeLeftToAnswer: number;
}

/**
 * - `dead`.
 * - `alive`: the last sign of life is `silence` milliseconds old.
 * - `undecided`: decide again in `wait` milliseconds.
 */
export type Verdict =
  | { readonly verdict: 'dead'; readonly death: PeerDeath }
  | { readonly verdict: 'alive'; readonly silence: number }
  | { readonly verdict: 'undecided'; readonly wait: number };

/** States after the peer's FIN. The program sees the FIN only after it has read the data before it. */
const AFTER_PEER_FIN: readonly (TcpState | null)[] = [
  'CLOSE-WAIT',
  'LAST-ACK',
  'CLOSING',
  'TIME-WAIT',
];

export function classifySilence(evidence: Evidence, known: Silence): Verdict {
  const { silence, timeout, state } = known;
  const reason = reasonOf(evidence, known);
  // If both sides have ended, CLOSED is the normal end. The program can still read earlier data.
  const isCutOff = state === 'CLOSED' && (!known.hasThisSideEnded || reason === 'vanished');
  if (isCutOff) return { verdict: 'dead', death: deathBy(reason, evidence, known) };
  if (silence < timeout) return { verdict: 'alive', silence };
  const { timeSinceLastDataReceived } = evidence;
  if (known.anyBytesCount && timeSinceLastDataReceived < timeout) {
    // The bytes are part of an incomplete TLS record, or the program has not read them.
    return { verdict: 'alive', silence: timeSinceLastDataReceived };
  }
  const canBeHeard = known.isReading || reason === 'vanished';
  const hasPeerEnded =
    known.hasPeerEnded || (AFTER_PEER_FIN.includes(state) && reason !== 'vanished');
  if (hasPeerEnded || !canBeHeard) return { verdict: 'alive', silence: 0 };
  const wait = known.timeLeftToAnswer;
  if (wait > 0) return { verdict: 'undecided', wait };
  return { verdict: 'dead', death: deathBy(reason, evidence, known) };
}

function deathBy(reason: DeathReason, evidence: Evidence, known: Silence): PeerDeath {
  return Object.freeze({
    reason,
    silence: known.silence,
    unansweredPings: known.unansweredPings,
    skippedPings: known.skippedPings,
    state: known.state,
    timeSinceLastDataReceived: numberOrNull(evidence.timeSinceLastDataReceived),
    timeSinceLastAckReceived: numberOrNull(evidence.timeSinceLastAckReceived),
    bytesInFlight: numberOrNull(evidence.bytesInFlight),
    unsentBytes: numberOrNull(evidence.unsentBytes),
  });
}

/**
 * The longest time that an answer normally takes on this path, in milliseconds: SRTT + 4 * RTTVAR, as in the
 * kernel's retransmission timeout. 0: unknown.
 *
 * @see RFC 6298 section 2
 */
export function maxAnswerTime({ rtt, rttVariance }: Evidence): number {
  return (rtt || 0) + 4 * (rttVariance || 0);
}

/** Two in a row, because a path may lose one. */
const UNANSWERED = 2;

/** Tolerance in milliseconds: the kernel's times may be short by a kernel tick, and a silence may be long by a TICK. */
const CLOCK_TICKS = 10 + TICK;

function reasonOf(evidence: Evidence, known: Silence): DeathReason {
  const { silence, sinceFirstPing, sinceLastButOnePing } = known;
  const { timeSinceLastAckReceived, bytesInFlight, unackedSegments, unsentBytes } = evidence;
  const { probes, consecutiveTimeouts, sendWindow } = evidence;
  const waiting = (bytesInFlight || 0) + (unackedSegments || 0) + (unsentBytes || 0);
  // With data or probes unanswered, the kernel gave up. Otherwise a reset or an administrator closed the connection.
  if (known.state === 'CLOSED') {
    return waiting > 0 || probes > 0 || consecutiveTimeouts > 0 ? 'vanished' : 'unknown';
  }
  // Decides alone, whatever was acknowledged before.
  if (consecutiveTimeouts >= UNANSWERED || probes >= UNANSWERED) return 'vanished';
  // An ACK after the silence and the first ping began shows that the peer's system is up. The last ping may still be in
  // flight. If the ping before it is also unacknowledged, the peer is no longer reachable.
  const isOverdue = timeSinceLastAckReceived > sinceLastButOnePing + CLOCK_TICKS;
  const isRecent = timeSinceLastAckReceived + CLOCK_TICKS < Math.min(silence, sinceFirstPing);
  if (isRecent && !isOverdue) return 'silent';
  const isKnown = !Number.isNaN(bytesInFlight) || !Number.isNaN(unackedSegments);
  if (isKnown && waiting === 0 && sinceFirstPing !== Number.POSITIVE_INFINITY) return 'silent';
  // The peer's program does not read, so its system closed the window. The kernel probes it at growing intervals.
  if (sendWindow === 0 && waiting > 0) return 'silent';
  if (waiting > 0 || probes > 0) return 'vanished';
  return 'unknown';
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
