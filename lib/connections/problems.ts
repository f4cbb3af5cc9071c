// What is wrong with a connection, by what the kernel reports about it: without a clock or a system call. The command line,
// the metrics and the alerts all take it from here.

import { formatAge, formatBytes, plural } from '../core/text';
import type { TcpInfo } from '../tcp-info/tcp-info';
import type { Connection } from './connection';
import type { ConnectionProblem, ProblemCode, ProblemSeverity } from './problem';

/** What is known of a connection. */
export interface Evidence
  extends Pick<Connection, 'state' | 'timer' | 'receiveQueue' | 'sendQueue'> {
  readonly tcpInfo: Pick<
    TcpInfo,
    | 'rtt'
    | 'rto'
    | 'timeSinceLastDataReceived'
    | 'timeSinceLastAckReceived'
    | 'unackedSegments'
    | 'consecutiveTimeouts'
    | 'probes'
    | 'backoff'
    | 'sendWindow'
    | 'bytesSent'
    | 'bytesRetransmitted'
  > | null;
  /** Whether keepalive is on; `null`: not known. */
  readonly keepAlive: boolean | null;
}

/** Every problem there is. */
export const problemCodes: readonly ProblemCode[] = [
  ...(['half-open', 'handshake-unanswered', 'accept-queue-full', 'close-wait'] as const),
  ...(['window-closed', 'unread', 'lossy-path', 'no-keepalive'] as const),
];

/** The worst first. */
export const severities: readonly ProblemSeverity[] = ['critical', 'warning', 'info'];

/** Of probes or retransmissions: two are lost now and then, or one is lost and the next is on its way. */
const UNANSWERED = 3;
/** In ms: retransmissions say nothing yet if a path has just become slower. */
const LONG_UNANSWERED = 2_000;
/** From so many on, whatever their pauses were. */
const MANY_RETRANSMISSIONS = 5;
/** In ms: a peer that reads closes its window for moments. */
const LONG_CLOSED = 5_000;
/** In ms: a program that has not read, or not closed, for this long has a problem of its own. */
const LONG_UNREAD = 10_000;
const LONG_UNCLOSED = 60_000;
/** The share of bytes that were sent again, and the bytes from which on it says something. */
const LOSSY = 0.05;
const ENOUGH_BYTES = 100_000;
/** In ms: the shortest pause between two keepalive probes. */
const SHORTEST_INTERVAL = 1_000;

/** Returns the problems of a connection, the worst first. */
export function problemsOf(evidence: Evidence): ConnectionProblem[] {
  const problems: ConnectionProblem[] = [];
  for (const find of RULES[evidence.state] ?? OPEN) {
    const problem = find(evidence);
    if (problem !== null) problems.push(problem);
  }
  // Without the room for 16 more that V8 adds to an array that grows.
  return problems.slice();
}

type Rule = (evidence: Evidence) => ConnectionProblem | null;

/** Milliseconds since the peer last sent data or an acknowledgement; `null`: not known. */
export function silenceOf({ tcpInfo }: Pick<Evidence, 'tcpInfo'>): number | null {
  if (tcpInfo === null) return null;
  const { timeSinceLastDataReceived: data, timeSinceLastAckReceived: ack } = tcpInfo;
  return data === null || ack === null ? (data ?? ack) : Math.min(data, ack);
}

/** Unanswered retransmissions in a row. */
export function unansweredTimeouts({
  tcpInfo,
  timer,
}: Pick<Evidence, 'tcpInfo' | 'timer'>): number {
  const byTimer = timer?.kind === 'retransmission' ? timer.count : 0;
  return Math.max(byTimer, tcpInfo?.consecutiveTimeouts ?? 0);
}

/** Unanswered keepalive probes. */
function unansweredProbes({ tcpInfo, timer }: Evidence): number {
  if (timer !== null) return timer.kind === 'keepalive' ? timer.count : 0;
  // The kernel reports no timer at the moment when it fires. With data in flight, `probes` counts window probes.
  return tcpInfo?.unackedSegments === 0 ? (tcpInfo.probes ?? 0) : 0;
}

const halfOpen: Rule = (evidence) => {
  const { timer } = evidence;
  const probes = unansweredProbes(evidence);
  // On a slow path, more than one is on its way.
  const onTheWay = Math.floor((2 * (evidence.tcpInfo?.rtt ?? 0)) / SHORTEST_INTERVAL);
  if (probes >= UNANSWERED + onTheWay)
    return gone(evidence, 'unansweredProbes', probes, 'keepalive probe');
  // A living peer answers window probes, however long its window stays closed.
  if (timer?.kind === 'persist') {
    const { count } = timer;
    return count >= UNANSWERED ? gone(evidence, 'unansweredProbes', count, 'window probe') : null;
  }
  const count = unansweredRetransmissions(evidence);
  const isLong = count >= UNANSWERED && unansweredFor(evidence, count) >= LONG_UNANSWERED;
  if (!isLong && count < MANY_RETRANSMISSIONS) return null;
  return gone(evidence, 'unansweredRetransmissions', count, 'retransmission');
};

function gone(evidence: Evidence, name: string, count: number, noun: string): ConnectionProblem {
  const silence = silenceOf(evidence);
  const last = silence === null ? '' : `, its last sign of life came ${formatAge(silence)} ago`;
  return {
    problem: 'half-open',
    severity: 'critical',
    numbers: { [name]: count, ...(silence === null ? {} : { silence }) },
    message: `the peer may be gone: ${plural(count, noun)} are unanswered${last}`,
  };
}

function unansweredRetransmissions(evidence: Evidence): number {
  const { tcpInfo } = evidence;
  const isUnacked = tcpInfo !== null && (tcpInfo.unackedSegments ?? 0) > 0;
  return Math.max(unansweredTimeouts(evidence), isUnacked ? (tcpInfo.backoff ?? 0) : 0);
}

/** In ms, at least: the retransmission timeout has doubled with each retransmission. */
function unansweredFor({ tcpInfo }: Evidence, count: number): number {
  return (tcpInfo?.rto ?? 0) * (1 - 2 ** -count);
}

const handshakeUnanswered: Rule = (evidence) => {
  const count = unansweredTimeouts(evidence);
  if (count < 2) return null;
  return {
    problem: 'handshake-unanswered',
    severity: 'warning',
    numbers: { attempts: count + 1 },
    message: `the peer does not answer the handshake, which was sent ${count + 1} times`,
  };
};

/** Linux admits one connection more than the limit. */
const acceptQueueFull: Rule = ({ receiveQueue: waiting, sendQueue: limit }) =>
  waiting === null || limit === null || waiting <= limit
    ? null
    : {
        problem: 'accept-queue-full',
        severity: 'critical',
        numbers: { waiting, limit },
        message: `the accept queue is full (${plural(waiting, 'connection')} wait, the limit is ${limit}): the program does not accept fast enough`,
      };

const closeWait: Rule = ({ tcpInfo, keepAlive }) => {
  // The last segment was the FIN, or an answer of the peer's system to a keepalive probe: then only data counts.
  const waitingFor = keepAlive
    ? (tcpInfo?.timeSinceLastDataReceived ?? null)
    : silenceOf({ tcpInfo });
  const isLong = waitingFor !== null && waitingFor >= LONG_UNCLOSED;
  const time = waitingFor === null ? '' : ` for ${formatAge(waitingFor)}`;
  return {
    problem: 'close-wait',
    severity: isLong ? 'warning' : 'info',
    numbers: waitingFor === null ? {} : { waitingFor },
    message: `the peer has closed the connection, the program here has not${time}`,
  };
};

const windowClosed: Rule = ({ timer, tcpInfo, sendQueue }) => {
  // With an open window, Linux uses this timer when it could not send locally (no route).
  const isClosed = timer?.kind === 'persist' && !((tcpInfo?.sendWindow ?? 0) > 0);
  // Each probe that the peer has answered with a closed window has doubled the pause.
  const closedFor = (tcpInfo?.rto ?? 0) * (2 ** (tcpInfo?.backoff ?? 0) - 1);
  if (!isClosed || sendQueue === null || closedFor < LONG_CLOSED) return null;
  // Nobody answers: whether the program reads is not known.
  if (timer.count >= UNANSWERED) return null;
  return {
    problem: 'window-closed',
    severity: 'warning',
    numbers: { waitingBytes: sendQueue },
    message: `the peer's program does not read: ${formatBytes(sendQueue)} wait here`,
  };
};

/** The bytes in the receive queue, where the peer's FIN is a byte too; `null`: not known. */
export function unreadBytesOf({
  state,
  receiveQueue,
}: Pick<Evidence, 'state' | 'receiveQueue'>): number | null {
  return receiveQueue === null ? null : Math.max(0, receiveQueue - Number(state === 'CLOSE-WAIT'));
}

const unread: Rule = (evidence) => {
  const waitingFor = evidence.tcpInfo?.timeSinceLastDataReceived ?? 0;
  const unreadBytes = unreadBytesOf(evidence) ?? 0;
  if (unreadBytes === 0 || waitingFor < LONG_UNREAD) return null;
  return {
    problem: 'unread',
    severity: 'warning',
    numbers: { unreadBytes, waitingFor },
    message: `the program here reads slowly or not at all: ${formatBytes(unreadBytes)} wait, the newest for ${formatAge(waitingFor)}`,
  };
};

const lossyPath: Rule = ({ tcpInfo }) => {
  const { bytesSent, bytesRetransmitted } = tcpInfo ?? {};
  if (!bytesSent || !bytesRetransmitted || bytesSent < ENOUGH_BYTES) return null;
  const share = bytesRetransmitted / bytesSent;
  if (share < LOSSY) return null;
  return {
    problem: 'lossy-path',
    severity: 'info',
    numbers: { bytesSent, bytesRetransmitted },
    message: `${(share * 100).toFixed(0)} % of the bytes were sent again: the path loses packets, or the peer has no room for them`,
  };
};

const noKeepAlive: Rule = (evidence) => {
  if (evidence.keepAlive !== false) return null;
  const silence = silenceOf(evidence);
  return {
    problem: 'no-keepalive',
    severity: 'info',
    numbers: silence === null ? {} : { silence },
    message:
      'keepalive is off: if the peer vanishes while nothing is sent, the program is not told',
  };
};

/** The rules of an open connection. */
const OPEN: readonly Rule[] = [halfOpen, windowClosed, unread, lossyPath, noKeepAlive];

const RULES: Partial<Record<Connection['state'], readonly Rule[]>> = {
  LISTEN: [acceptQueueFull],
  'SYN-SENT': [handshakeUnanswered],
  'SYN-RECEIVED': [handshakeUnanswered],
  'CLOSE-WAIT': [halfOpen, closeWait, windowClosed, unread, lossyPath],
  'TIME-WAIT': [],
  CLOSED: [],
};

/**
 * Whether keepalive is on, by the timer of a connection. Linux reports one timer only: while another one runs, that is not
 * known. It starts the keepalive timer with the connection, so without any timer keepalive is off.
 */
export function keepAliveByTimer(
  {
    state,
    timer,
    sendQueue,
    tcpInfo,
  }: Pick<Evidence, 'state' | 'timer' | 'sendQueue'> & {
    readonly tcpInfo: Pick<TcpInfo, 'probes'> | null;
  },
  platform: string,
): boolean | null {
  if (platform !== 'linux' || !KEEPALIVE_STATES.has(state)) return null;
  // While a timer fires, the kernel reports none.
  if (timer === null) return sendQueue === 0 && !tcpInfo?.probes ? false : null;
  return timer.kind === 'keepalive' ? true : null;
}

/** The states in which keepalive can run. */
const KEEPALIVE_STATES: ReadonlySet<string> = new Set(['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-2']);
