// The rule of supervision: decides by the kernel's reports and their times whether a peer is dead. It makes no system call
// and reads no clock: docs/decisions/0017-supervision.md.

import { CLOSED, type Evidence, type Report, SYN_SENT } from './report';

/** What the rule needs to know of a plan. Times are in milliseconds. */
export interface Terms {
  readonly evidence: Evidence;
  /** How long a peer may be silent. */
  readonly timeout: number;
  /** How many segments in a row must be unanswered. */
  readonly minProbes: number;
}

/** What is known of a connection from earlier reports. Times are those of the caller's clock. */
export interface Memory {
  /** When supervision began. */
  readonly since: number;
  /** When the connection was established; -Infinity: before supervision began. */
  connectedAt: number;
  /** When the kernel was asked for the last report. */
  reportedAt: number;
  /** When the peer's last sign of life came. */
  lifeAt: number;
  /** The counters of the report that showed this sign of life. */
  sent: number;
  received: number;
  /** Unanswered segments that were sent between this sign of life and this report. */
  before: number;
  /** The last time when nothing was known to be unanswered. */
  unaskedAt: number;
  /** When enough attempts had been made; Infinity: not yet. */
  enoughAt: number;
  /** When supervision last asked the kernel for a probe. */
  askedAt: number;
}

export function newMemory(since: number, connectedAt: number): Memory {
  return {
    since,
    connectedAt,
    reportedAt: Number.NEGATIVE_INFINITY,
    lifeAt: Number.NEGATIVE_INFINITY,
    sent: 0,
    received: 0,
    before: 0,
    unaskedAt: since,
    enoughAt: Number.POSITIVE_INFINITY,
    askedAt: Number.NEGATIVE_INFINITY,
  };
}

/** What to ask of the kernel: to set keepalive with all its values. Linux then probes at once, if the initial delay is over. */
export type Request = 'nothing' | 'keepalive';

export interface Decision {
  /** `'closed'`: the kernel has closed the connection. */
  readonly verdict: 'alive' | 'dead' | 'closed';
  /** When to look again. */
  readonly lookAt: number;
  readonly request: Request;
}

/** An attempt must be this old, as a share of the timeout, because a younger one may still be answered. */
export const GRACE = 1 / 8;
/** The kernel's clock of silence has steps of up to 10 ms, and a report is a little older than its time. */
const CLOCK_STEP = 20;
/** The longest delay of an acknowledgement: TCP_DELACK_MAX of Linux. */
const DELAYED_ACK = 200;

/**
 * Judges a connection by a new report, and notes in `memory` what it shows.
 * @param readAt When the kernel was asked for the report. This process may have been stopped between that and `now`.
 */
export function judge(
  memory: Memory,
  report: Report,
  now: number,
  terms: Terms,
  readAt = now,
): Decision {
  if (report.state === CLOSED) return { verdict: 'closed', lookAt: now, request: 'nothing' };
  const { evidence, timeout, minProbes } = terms;
  const grace = timeout * GRACE;
  if (evidence === 'state') return lookAgain(now + timeout / 2);

  const silence = noteLife(memory, report, now, readAt);
  if (silence < timeout / 2) {
    // Counters have no time: the sign of life is as exact as the looks are frequent.
    return lookAgain(evidence === 'clock' ? memory.lifeAt + timeout / 2 : now + grace);
  }
  const attempts = attemptsOf(memory, report);
  if (attempts === 0) memory.unaskedAt = now;
  if (attempts >= minProbes) memory.enoughAt = Math.min(memory.enoughAt, now);

  // The first attempt may come late: after a call late in a silence, or if somebody switched keepalive off.
  const quietAt = Math.max(memory.lifeAt + timeout, memory.unaskedAt + timeout / 2);
  const verdictAt = Math.max(quietAt, memory.enoughAt + grace);
  if (now >= verdictAt) return { verdict: 'dead', lookAt: now, request: 'nothing' };

  const request = requestFor(memory, report, now, attempts, terms);
  if (now < quietAt - grace) return lookAgain(Math.min(now + grace, quietAt - grace), request);
  return lookAgain(attempts >= minProbes ? verdictAt : now + grace / 4, request);
}

/** Whether a look has found the peer silent already: the first one in a silence comes after half of the timeout. */
export function isSilent({ lifeAt, since }: Memory, now: number, { timeout }: Terms): boolean {
  return now - Math.max(lifeAt, since) >= timeout * (1 / 2 + GRACE);
}

function lookAgain(lookAt: number, request: Request = 'nothing'): Decision {
  return { verdict: 'alive', lookAt, request };
}

/** Notes a sign of life that no earlier report showed. Returns how long the peer has been silent. */
function noteLife(memory: Memory, report: Report, now: number, readAt: number): number {
  const lifeAt = lastLife(memory, report, now);
  // A new sign of life came after the last report. Each report shows the same one at a slightly different time.
  if (lifeAt > Math.max(memory.lifeAt, memory.reportedAt - CLOCK_STEP)) {
    memory.lifeAt = lifeAt;
    memory.sent = report.segmentsSent;
    memory.received = report.segmentsReceived;
    // Only the kernel's own counts show what was sent before this report. They shrink later: a retransmission merges small
    // segments. So they are kept now. After data, the next segment may be an acknowledgement that is still due.
    memory.before = countedByKernel(report) - (report.dataSilence < DELAYED_ACK ? 1 : 0);
    memory.enoughAt = Number.POSITIVE_INFINITY;
  }
  memory.reportedAt = readAt;
  return now - memory.lifeAt;
}

function lastLife(memory: Memory, report: Report, now: number): number {
  if (Number.isNaN(report.silence)) {
    const isNew = report.segmentsReceived !== memory.received;
    return isNew || memory.lifeAt === Number.NEGATIVE_INFINITY ? now : memory.lifeAt;
  }
  // Before the handshake the kernel reports the time since the system started.
  const start = report.state === SYN_SENT ? memory.since : memory.connectedAt;
  return Math.max(now - report.silence, start);
}

/** Unanswered segments as the kernel counts them since the peer's last answer: probes, and segments in flight. */
function countedByKernel({ probes, unackedSegments, timeouts }: Report): number {
  const inFlight = unackedSegments > 0 ? unackedSegments + orZero(timeouts) : 0;
  return orZero(probes) + inFlight;
}

/** How many segments in a row are unanswered: all that were sent, without our own answers to the peer's segments. */
export function attemptsOf(memory: Memory, report: Report): number {
  const sent = difference(report.segmentsSent, memory.sent);
  const answered = difference(report.segmentsReceived, memory.received);
  return Math.max(memory.before + orZero(sent - answered), countedByKernel(report));
}

/** The counters of Linux have 32 bits. */
function difference(later: number, earlier: number): number {
  return later >= earlier ? later - earlier : later - earlier + 2 ** 32;
}

function orZero(count: number): number {
  return Number.isNaN(count) ? 0 : count;
}

/**
 * The kernel's timers fire together, and a burst of probes overflows queues for the same sockets each time. So supervision
 * asks for probes at times of its own. That also repairs keepalive values that somebody has changed.
 */
function requestFor(
  memory: Memory,
  report: Report,
  now: number,
  attempts: number,
  { evidence, timeout }: Terms,
): Request {
  // Elsewhere than on Linux new values postpone the next probe: only where nothing was sent, keepalive must be off.
  if (evidence !== 'clock') return attempts === 0 ? 'keepalive' : 'nothing';
  const isProbed = report.unackedSegments > 0 || report.unsentBytes > 0;
  return !isProbed && claimProbe(memory, now, timeout) ? 'keepalive' : 'nothing';
}

/**
 * Notes that a probe is asked for now. Returns `false`, and notes nothing, if the last one was asked for too recently: the
 * kernel counts unanswered probes, and ends the connection.
 */
export function claimProbe(memory: Memory, now: number, timeout: number): boolean {
  if (now < memory.askedAt + (timeout * GRACE) / 2) return false;
  memory.askedAt = now;
  return true;
}
