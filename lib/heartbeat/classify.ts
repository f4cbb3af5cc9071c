// Whether a silent peer is dead, and why: decided from what the kernel reports and what its monitor knows. Pure functions.

import { TICK } from '../core/schedule';
import type { TcpState } from '../tcp-info/states';
import type { kernelColumns } from './kernel';
import type { DeathReason, PeerDeath } from './peer-death';

/** The kernel's figures that decide. */
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

/** The kernel's figures of one connection, under the names of `TcpInfo`. NaN: not known. */
export type Evidence = Readonly<Record<EvidenceField, number>>;

/** Row `index` of the columns that were read for many connections. */
export function evidenceAt(
  columns: ReturnType<typeof kernelColumns<EvidenceField>>,
  index: number,
): Evidence {
  const row = {} as Record<EvidenceField, number>;
  for (const field of EVIDENCE_FIELDS) row[field] = columns?.[field][index] ?? Number.NaN;
  return row;
}

/** What a monitor knows of the silence. Times in milliseconds. */
export interface Silence {
  readonly silence: number;
  readonly timeout: number;
  /** The state of the connection in the kernel. `null`: not known. */
  readonly state: TcpState | null;
  /** Any bytes are signs of life. Then bytes that the kernel received are, too. */
  readonly anyBytesCount: boolean;
  /** The program reads what the peer sends, and has read what came. */
  readonly isReading: boolean;
  readonly hasPeerEnded: boolean;
  readonly hasThisSideEnded: boolean;
  /** Since the first ping that was not answered. Infinity: there is none. */
  readonly sinceFirstPing: number;
  /** Since the last ping but one. Infinity: there is none. */
  readonly sinceLastButOnePing: number;
  readonly unansweredPings: number;
  readonly skippedPings: number;
  /** How long a ping of this silence still has to be answered. 0 or less: it has had its time. */
  readonly timeLeftToAnswer: number;
}

/**
 * - `dead`.
 * - `alive`: the last sign of life is `silence` milliseconds old.
 * - `undecided`: there is an answer after `wait` milliseconds at the earliest.
 */
export type Verdict =
  | { readonly verdict: 'dead'; readonly death: PeerDeath }
  | { readonly verdict: 'alive'; readonly silence: number }
  | { readonly verdict: 'undecided'; readonly wait: number };

/** The kernel has received the peer's FIN. The program may have to read data first, before it hears of it. */
const AFTER_PEER_FIN: readonly (TcpState | null)[] = [
  'CLOSE-WAIT',
  'LAST-ACK',
  'CLOSING',
  'TIME-WAIT',
];

export function classifySilence(evidence: Evidence, known: Silence): Verdict {
  const { silence, timeout, state } = known;
  const reason = reasonOf(evidence, known);
  // Where both sides have ended, a closed connection is in order: what the peer sent before can still be read.
  const isCutOff = state === 'CLOSED' && (!known.hasThisSideEnded || reason === 'vanished');
  if (isCutOff) return { verdict: 'dead', death: deathBy(reason, evidence, known) };
  if (silence < timeout) return { verdict: 'alive', silence };
  const { timeSinceLastDataReceived } = evidence;
  if (known.anyBytesCount && timeSinceLastDataReceived < timeout) {
    // Bytes of a TLS record that is not complete, or bytes that the program has not read.
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
 * The longest time that an answer takes as far as the kernel has measured the path: its retransmission timeout, in
 * milliseconds. 0: not known.
 *
 * @see RFC 6298 section 2
 */
export function maxAnswerTime({ rtt, rttVariance }: Evidence): number {
  return (rtt || 0) + 4 * (rttVariance || 0);
}

/** A living system answers one of so many probes or retransmissions in a row. */
const UNANSWERED = 2;

/** Tolerance in milliseconds: the kernel's times may be short by its clock tick, and a silence may be long by one of ours. */
const CLOCK_TICKS = 10 + TICK;

function reasonOf(evidence: Evidence, known: Silence): DeathReason {
  const { silence, sinceFirstPing, sinceLastButOnePing } = known;
  const { timeSinceLastAckReceived, bytesInFlight, unackedSegments, unsentBytes } = evidence;
  const { probes, consecutiveTimeouts, sendWindow } = evidence;
  const waiting = (bytesInFlight || 0) + (unackedSegments || 0) + (unsentBytes || 0);
  // The kernel closed the connection after it waited in vain; else a reset or an administrator closed it.
  if (known.state === 'CLOSED') {
    return waiting > 0 || probes > 0 || consecutiveTimeouts > 0 ? 'vanished' : 'unknown';
  }
  // Whatever was acknowledged before. Any path may lose one of them.
  if (consecutiveTimeouts >= UNANSWERED || probes >= UNANSWERED) return 'vanished';
  // An acknowledgement since the silence and the first ping began means that the system is up. The last ping may still
  // be in flight. If the one before it is in flight too, nothing comes back.
  const isOverdue = timeSinceLastAckReceived > sinceLastButOnePing + CLOCK_TICKS;
  const isRecent = timeSinceLastAckReceived + CLOCK_TICKS < Math.min(silence, sinceFirstPing);
  if (isRecent && !isOverdue) return 'silent';
  const isKnown = !Number.isNaN(bytesInFlight) || !Number.isNaN(unackedSegments);
  if (isKnown && waiting === 0 && sinceFirstPing !== Number.POSITIVE_INFINITY) return 'silent';
  // The program does not read, and its system closes the window. The kernel probes such a window more and more rarely.
  if (sendWindow === 0 && waiting > 0) return 'silent';
  if (waiting > 0 || probes > 0) return 'vanished';
  return 'unknown';
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
