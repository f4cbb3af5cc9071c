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
    | 'timeSinceLastDataSent'
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

/** Data that is unacknowledged for this long, in ms, is suspicious even if no timeout was reported. */
const LONG_UNACKED = 5_000;
/** A program that has not read, or not closed, for this long, in ms, has a problem of its own. */
const LONG_UNREAD = 10_000;
const LONG_UNCLOSED = 60_000;
/** The share of bytes that were sent again, and the bytes from which on it says something. */
const LOSSY = 0.05;
const ENOUGH_BYTES = 100_000;

/** Returns the problems of a connection, the worst first. */
export function problemsOf(evidence: Evidence): ConnectionProblem[] {
  const problems: ConnectionProblem[] = [];
  for (const find of RULES[evidence.state] ?? OPEN) {
    const problem = find(evidence);
    if (problem !== null) problems.push(problem);
  }
  return problems;
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
  const { state, tcpInfo, timer } = evidence;
  const silence = silenceOf(evidence);
  const gone = (name: string, unanswered: number, what: string): ConnectionProblem => {
    const last = silence === null ? '' : `, its last sign of life came ${formatAge(silence)} ago`;
    return {
      ...{ problem: 'half-open', severity: 'critical' },
      numbers: { [name]: unanswered, ...(silence === null ? {} : { silence }) },
      message: `the peer may be gone: ${what}${last}`,
    };
  };
  const areUnanswered = (count: number, noun: string) =>
    `${plural(count, noun)} ${count === 1 ? 'is' : 'are'} unanswered`;

  const probes = unansweredProbes(evidence);
  if (probes >= 1) {
    return gone('unansweredProbes', probes, areUnanswered(probes, 'keepalive probe'));
  }
  // A living peer answers window probes, however long its window stays closed.
  if (timer?.kind === 'persist') {
    const { count } = timer;
    return count >= 2
      ? gone('unansweredProbes', count, areUnanswered(count, 'window probe'))
      : null;
  }
  const inRow = unansweredTimeouts(evidence);
  const isUnacked = tcpInfo !== null && (tcpInfo.unackedSegments ?? 0) > 0;
  if (inRow >= 2 || (isUnacked && (tcpInfo.backoff ?? 0) >= 2)) {
    const count = Math.max(inRow, tcpInfo?.backoff ?? 0);
    return gone('unansweredRetransmissions', count, areUnanswered(count, 'retransmission'));
  }
  if (state === 'ESTABLISHED' && isUnacked && silence !== null) {
    // An old ACK alone is no evidence: the data in flight may have been sent just now.
    const waiting = Math.min(silence, tcpInfo.timeSinceLastDataSent ?? 0);
    if (waiting >= LONG_UNACKED) {
      return gone('unacknowledgedFor', waiting, `data is unacknowledged for ${formatAge(waiting)}`);
    }
  }
  return null;
};

const handshakeUnanswered: Rule = (evidence) => {
  const count = unansweredTimeouts(evidence);
  if (count < 2) return null;
  return {
    ...{ problem: 'handshake-unanswered', severity: 'warning' },
    numbers: { attempts: count + 1 },
    message: `the peer does not answer the handshake, which was sent ${count + 1} times`,
  };
};

/** Linux admits one connection more than the limit. */
const acceptQueueFull: Rule = ({ receiveQueue: waiting, sendQueue: limit }) =>
  waiting === null || limit === null || waiting <= limit
    ? null
    : {
        ...{ problem: 'accept-queue-full', severity: 'critical' },
        numbers: { waiting, limit },
        message: `the accept queue is full (${plural(waiting, 'connection')} wait, the limit is ${limit}): the program does not accept fast enough`,
      };

const closeWait: Rule = (evidence) => {
  // The last segment was the FIN, if nothing came since.
  const waitingFor = silenceOf(evidence);
  const isLong = waitingFor === null || waitingFor >= LONG_UNCLOSED;
  const time = waitingFor === null ? '' : ` for ${formatAge(waitingFor)}`;
  return {
    ...{ problem: 'close-wait', severity: isLong ? 'warning' : 'info' },
    numbers: waitingFor === null ? {} : { waitingFor },
    message: `the peer has closed the connection, the program here has not${time}`,
  };
};

const windowClosed: Rule = ({ timer, tcpInfo, sendQueue }) => {
  // With an open window, Linux uses this timer when it could not send locally (no route).
  const isClosed = timer?.kind === 'persist' && !((tcpInfo?.sendWindow ?? 0) > 0);
  if (!isClosed || sendQueue === null) return null;
  return {
    ...{ problem: 'window-closed', severity: 'warning' },
    numbers: { waitingBytes: sendQueue },
    message: `the peer's program does not read: ${formatBytes(sendQueue)} wait here`,
  };
};

const unread: Rule = ({ tcpInfo, receiveQueue }) => {
  const waitingFor = tcpInfo?.timeSinceLastDataReceived ?? 0;
  if (receiveQueue === null || receiveQueue === 0 || waitingFor < LONG_UNREAD) return null;
  return {
    ...{ problem: 'unread', severity: 'warning' },
    numbers: { unreadBytes: receiveQueue, waitingFor },
    message: `the program here does not read: ${formatBytes(receiveQueue)} wait for ${formatAge(waitingFor)}`,
  };
};

const lossyPath: Rule = ({ tcpInfo }) => {
  const { bytesSent, bytesRetransmitted } = tcpInfo ?? {};
  if (!bytesSent || !bytesRetransmitted || bytesSent < ENOUGH_BYTES) return null;
  const share = bytesRetransmitted / bytesSent;
  if (share < LOSSY) return null;
  return {
    ...{ problem: 'lossy-path', severity: 'info' },
    numbers: { bytesSent, bytesRetransmitted },
    message: `the path loses packets: ${(share * 100).toFixed(0)} % of the bytes were sent again`,
  };
};

const noKeepAlive: Rule = (evidence) => {
  if (evidence.keepAlive !== false) return null;
  const silence = silenceOf(evidence);
  return {
    ...{ problem: 'no-keepalive', severity: 'info' },
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
  'CLOSE-WAIT': [halfOpen, closeWait, windowClosed, lossyPath],
  'TIME-WAIT': [],
  CLOSED: [],
};

/**
 * Whether keepalive is on, by the timer of a connection. Linux reports one timer only: while another one runs, that is not
 * known. It starts the keepalive timer with the connection, so without any timer keepalive is off.
 */
export function keepAliveByTimer(
  { state, timer, sendQueue }: Pick<Connection, 'state' | 'timer' | 'sendQueue'>,
  platform: string,
): boolean | null {
  if (platform !== 'linux' || !KEEPALIVE_STATES.has(state)) return null;
  if (timer === null) return sendQueue === 0 ? false : null;
  return timer.kind === 'keepalive' ? true : null;
}

/** The states in which keepalive can run. */
const KEEPALIVE_STATES: ReadonlySet<string> = new Set(['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-2']);
