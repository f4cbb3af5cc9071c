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
  /** The program reads the stream, has read the data received so far, and the peer has not ended its side. */
  readonly canHear: boolean;
  readonly hasThisSideEnded: boolean;
  /** Why the kernel has closed the connection. `null`: it has not, or this is unknown. */
  readonly closedBy: string | null;
  /** Time since the first unanswered ping. Infinity: there is none. */
  readonly sinceFirstPing: number;
  /** Time since the second-to-last ping. Infinity: there is none. */
  readonly sinceLastButOnePing: number;
  readonly unansweredPings: number;
  readonly skippedPings: number;
  /**
   * Time left for the answer to the first ping of this silence; if the program cannot hear the peer, for an answer of the
   * peer's system. 0 or less: the time is over.
   */
  readonly timeLeftToAnswer: number;
  /** The peer's system is being probed, because the program cannot hear the peer. */
  readonly isProbed: boolean;
}

/**
 * - `dead`.
 * - `alive`: the last sign of life is `silence` milliseconds old.
 * - `undecided`: decide again in `wait` milliseconds; 0 or less: after the next probe.
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
  const isCutOff =
    state === 'CLOSED' &&
    (known.closedBy !== null || !known.hasThisSideEnded || reason === 'vanished');
  if (isCutOff) return { verdict: 'dead', death: deathBy(reason, evidence, known) };
  const hasPeerEnded = AFTER_PEER_FIN.includes(state);
  if (!known.canHear || hasPeerEnded) return classifyUnheard(reason, evidence, known);
  if (silence < timeout) return { verdict: 'alive', silence };
  const { timeSinceLastDataReceived } = evidence;
  if (known.anyBytesCount && timeSinceLastDataReceived < timeout) {
    // The bytes are part of an incomplete TLS record, or the program has not read them.
    return { verdict: 'alive', silence: timeSinceLastDataReceived };
  }
  const wait = known.timeLeftToAnswer;
  if (wait > 0) return { verdict: 'undecided', wait };
  return { verdict: 'dead', death: deathBy(reason, evidence, known) };
}

/** The program does not hear the peer. So the peer is alive unless its system does not answer. */
function classifyUnheard(reason: DeathReason, evidence: Evidence, known: Silence): Verdict {
  const { silence, timeout } = known;
  const systemSilence = systemSilenceOf(evidence);
  if (silence < timeout || systemSilence < timeout) {
    return { verdict: 'alive', silence: Math.min(silence, systemSilence) };
  }
  const isWaiting = waitingOf(evidence) > 0;
  const isProbed = known.isProbed && !isWaiting;
  if (reason !== 'vanished' && !isProbed) return { verdict: 'alive', silence: 0 };
  const wait = known.timeLeftToAnswer;
  // The kernel repeats data, so one answer is missing for long. Of probes, the path may have lost a few.
  const isProven = isWaiting || evidence.probes >= UNANSWERED_PROBES;
  if (wait > 0 || !isProven) return { verdict: 'undecided', wait };
  return { verdict: 'dead', death: deathBy(reason, evidence, known) };
}

function deathBy(reason: DeathReason, evidence: Evidence, known: Silence): PeerDeath {
  return Object.freeze({
    reason,
    code: known.closedBy ?? 'ETIMEDOUT',
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

/** Time since the last segment of the peer's system, in milliseconds. Infinity: unknown. */
export function systemSilenceOf(evidence: Evidence): number {
  const { timeSinceLastAckReceived, timeSinceLastDataReceived } = evidence;
  const known = [timeSinceLastAckReceived, timeSinceLastDataReceived];
  return Math.min(...known.filter((time) => !Number.isNaN(time)));
}

/** What waits for an answer of the peer's system: bytes and segments that are not acknowledged or not sent, and probes. */
export function awaitedOf(evidence: Evidence): number {
  return waitingOf(evidence) + (evidence.probes || 0);
}

/** Bytes and segments that are not acknowledged or not sent. */
export function waitingOf({ bytesInFlight, unackedSegments, unsentBytes }: Evidence): number {
  return (bytesInFlight || 0) + (unackedSegments || 0) + (unsentBytes || 0);
}

/** Codes of a reset. EPIPE: the peer had ended its side before. */
const RESETS: readonly string[] = ['ECONNRESET', 'EPIPE'];

/** If only probes show that the peer's system does not answer, in a row. */
const UNANSWERED_PROBES = 3;

/** Two in a row, because a path may lose one. */
const UNANSWERED = 2;

/** Tolerance in milliseconds: the kernel's times may be short by a kernel tick, and a silence may be long by a TICK. */
const CLOCK_TICKS = 10 + TICK;

function reasonOf(evidence: Evidence, known: Silence): DeathReason {
  const { silence, sinceFirstPing, sinceLastButOnePing } = known;
  const { timeSinceLastAckReceived, bytesInFlight, unackedSegments } = evidence;
  const { probes, consecutiveTimeouts, sendWindow } = evidence;
  const waiting = waitingOf(evidence);
  if (known.closedBy !== null) return reasonOfClose(known.closedBy);
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

/** An administrator ends a connection with ECONNABORTED. After a timeout, the kernel may give the code of an ICMP message. */
function reasonOfClose(code: string): DeathReason {
  if (RESETS.includes(code)) return 'reset';
  return code === 'ECONNABORTED' ? 'unknown' : 'vanished';
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
