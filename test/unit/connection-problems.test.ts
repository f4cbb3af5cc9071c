// Which problems follow from what the kernel reports about a connection.

import { describe, expect, test } from 'vitest';
import type { ConnectionTimer } from '../../lib/connections/connection';
import { type Evidence, keepAliveByTimer, problemsOf } from '../../lib/connections/problems';
import normal from '../fixtures/connection.json';

type Info = Evidence['tcpInfo'];

/** An established, idle connection with a living peer and keepalive, except for the given members. */
function make(more: Partial<Evidence> = {}, info: Partial<NonNullable<Info>> = {}): Evidence {
  const { tcpInfo, ...connection } = normal as unknown as Evidence;
  return {
    ...connection,
    keepAlive: true,
    tcpInfo: { ...(tcpInfo as NonNullable<Info>), ...info },
    ...more,
  };
}

const timer = (kind: ConnectionTimer['kind'], count: number) => ({
  timer: { kind, count, expires: 1_600 },
});
const UNACKED = { unackedSegments: 1, timeSinceLastAckReceived: 12_000 };

describe('a problem, its numbers and its sentence', () => {
  test.each<[string, object, string, Evidence]>([
    [
      'half-open critical',
      { unansweredProbes: 3, silence: 2_400 },
      'the peer may be gone: 3 keepalive probes are unanswered, its last sign of life came 2.4 s ago',
      make(timer('keepalive', 3), { timeSinceLastAckReceived: 2_400 }),
    ],
    [
      'half-open critical',
      { unansweredProbes: 3, silence: 400 },
      'the peer may be gone: 3 keepalive probes are unanswered, its last sign of life came 0.4 s ago',
      make({}, { probes: 3 }),
    ],
    // A round-trip time of 1 s: two probes are on their way.
    [
      'half-open critical',
      { unansweredProbes: 5, silence: 400 },
      'the peer may be gone: 5 keepalive probes are unanswered, its last sign of life came 0.4 s ago',
      make(timer('keepalive', 5), { rtt: 1_000 }),
    ],
    [
      'half-open critical',
      { unansweredRetransmissions: 4, silence: 12_000 },
      'the peer may be gone: 4 retransmissions are unanswered, its last sign of life came 12 s ago',
      make(timer('retransmission', 4), { ...UNACKED, rto: 3_264 }),
    ],
    [
      'half-open critical',
      { unansweredRetransmissions: 3, silence: 12_000 },
      'the peer may be gone: 3 retransmissions are unanswered, its last sign of life came 12 s ago',
      make({}, { ...UNACKED, backoff: 3, rto: 4_000 }),
    ],
    // TCP_RTO_MAX_MS of 1 s.
    [
      'half-open critical',
      { unansweredRetransmissions: 5, silence: 12_000 },
      'the peer may be gone: 5 retransmissions are unanswered, its last sign of life came 12 s ago',
      make(timer('retransmission', 5), { ...UNACKED, rto: 1_000 }),
    ],
    [
      'half-open critical',
      { unansweredRetransmissions: 5 },
      'the peer may be gone: 5 retransmissions are unanswered',
      make({ state: 'LAST-ACK', tcpInfo: null, ...timer('retransmission', 5) }),
    ],
    [
      'handshake-unanswered warning',
      { attempts: 3 },
      'the peer does not answer the handshake, which was sent 3 times',
      make({ state: 'SYN-SENT', ...timer('retransmission', 2) }),
    ],
    [
      'accept-queue-full critical',
      { waiting: 3, limit: 2 },
      'the accept queue is full (3 connections wait, the limit is 2): the program does not accept fast enough',
      make({ state: 'LISTEN', receiveQueue: 3, sendQueue: 2, tcpInfo: null }),
    ],
    [
      'close-wait info',
      { waitingFor: 59_999 },
      'the peer has closed the connection, the program here has not for 59 s',
      make({ state: 'CLOSE-WAIT', keepAlive: false }, { timeSinceLastAckReceived: 59_999 }),
    ],
    [
      'close-wait warning',
      { waitingFor: 60_000 },
      'the peer has closed the connection, the program here has not for 60 s',
      make({ state: 'CLOSE-WAIT', keepAlive: false }, { timeSinceLastAckReceived: 60_000 }),
    ],
    [
      'close-wait info',
      {},
      'the peer has closed the connection, the program here has not',
      make({ state: 'CLOSE-WAIT', tcpInfo: null }),
    ],
    [
      'window-closed warning',
      { waitingBytes: 34_000_000 },
      "the peer's program does not read: 34 MB wait here",
      make(
        { ...timer('persist', 0), sendQueue: 34_000_000 },
        { sendWindow: 0, rto: 204, backoff: 5 },
      ),
    ],
    [
      'unread warning',
      { unreadBytes: 512, waitingFor: 10_000 },
      'the program here reads slowly or not at all: 512 B wait, the newest for 10 s',
      make({ receiveQueue: 512 }, { timeSinceLastDataReceived: 10_000 }),
    ],
    [
      'lossy-path info',
      { bytesSent: 100_000, bytesRetransmitted: 5_000 },
      '5 % of the bytes were sent again: the path loses packets, or the peer has no room for them',
      make({}, { bytesSent: 100_000, bytesRetransmitted: 5_000 }),
    ],
    [
      'no-keepalive info',
      { silence: 400 },
      'keepalive is off: if the peer vanishes while nothing is sent, the program is not told',
      make({ keepAlive: false }),
    ],
  ])('%s %o', (name, numbers, message, evidence) => {
    const [problem, severity] = name.split(' ');
    expect(problemsOf(evidence)).toEqual([{ problem, severity, numbers, message }]);
  });
});

describe('no problem', () => {
  test.each<[string, Evidence]>([
    ['idle, keepalive on', make(timer('keepalive', 0))],
    ['keepalive is not known', make({ keepAlive: null })],
    ['a keepalive probe that was lost, and one on its way', make(timer('keepalive', 2))],
    ['four of them, on a slow path', make(timer('keepalive', 4), { rtt: 1_000 })],
    [
      'a window probe that was lost, and one on its way',
      make({ ...timer('persist', 2), sendQueue: 9 }, { sendWindow: 0, rto: 400, backoff: 2 }),
    ],
    [
      'two retransmissions, one of them on its way',
      make(timer('retransmission', 2), { ...UNACKED, backoff: 2, rto: 4_000 }),
    ],
    [
      'data sent a moment ago after a long silence',
      make(timer('retransmission', 0), { ...UNACKED, timeSinceLastAckReceived: 3_600_000 }),
    ],
    // The path has just become slower.
    [
      'three retransmissions within two seconds',
      make(timer('retransmission', 3), { ...UNACKED, backoff: 3, rto: 1_760 }),
    ],
    [
      'a window that is closed for a moment',
      make({ ...timer('persist', 0), sendQueue: 9 }, { sendWindow: 0, rto: 204, backoff: 4 }),
    ],
    [
      'one retransmission',
      make(timer('retransmission', 1), { ...UNACKED, consecutiveTimeouts: 1 }),
    ],
    [
      'half of the bytes sent again, but few bytes',
      make({}, { bytesSent: 99_999, bytesRetransmitted: 50_000 }),
    ],
    ['data that has just arrived', make({ receiveQueue: 9 }, { timeSinceLastDataReceived: 9_999 })],
    [
      'a full accept queue that admits one more',
      make({ state: 'LISTEN', receiveQueue: 2, sendQueue: 2 }),
    ],
    [
      'a handshake that was sent again once',
      make({ state: 'SYN-SENT', ...timer('retransmission', 1) }),
    ],
    // An open window: the kernel could not send locally.
    ['an attempt to send', make({ ...timer('persist', 1), sendQueue: 9 }, { sendWindow: 65_536 })],
    ['TIME-WAIT', make({ state: 'TIME-WAIT', tcpInfo: null, ...timer('time-wait', 0) })],
    [
      'unknown counters',
      make({}, { probes: null, unackedSegments: null, consecutiveTimeouts: null, backoff: null }),
    ],
    [
      'nothing but the state is known',
      make({ tcpInfo: null, receiveQueue: null, sendQueue: null, keepAlive: null }),
    ],
  ])('%s', (_, evidence) => {
    expect(problemsOf(evidence)).toEqual([]);
  });
});

test.each([
  // Nobody answers: whether the peer's program reads is not known.
  ['half-open', 3],
  ['window-closed', 2],
])('one connection can have several problems, the worst first: %s', (worst, probes) => {
  const evidence = make(
    { ...timer('persist', probes), sendQueue: 9, receiveQueue: 9, keepAlive: false },
    {
      sendWindow: 0,
      ...{ rto: 204, backoff: 6 },
      timeSinceLastDataReceived: 20_000,
      bytesSent: 200_000,
      bytesRetransmitted: 90_000,
    },
  );
  expect(problemsOf(evidence).map(({ problem }) => problem)).toEqual([
    ...[worst, 'unread', 'lossy-path', 'no-keepalive'],
  ]);
});

describe('CLOSE-WAIT', () => {
  test('has unread data, besides the FIN, which counts as a byte', () => {
    const evidence = make(
      { state: 'CLOSE-WAIT' },
      { timeSinceLastDataReceived: 73_000, timeSinceLastAckReceived: 73_000 },
    );
    const problems = (receiveQueue: number) =>
      problemsOf({ ...evidence, receiveQueue }).map(
        ({ problem, severity }) => `${problem} ${severity}`,
      );
    expect(problems(1)).toEqual(['close-wait warning']);
    expect(problems(2)).toEqual(['close-wait warning', 'unread warning']);
  });

  test('lasts also if the peer answers keepalive probes', () => {
    const evidence = make(
      { state: 'CLOSE-WAIT', ...timer('keepalive', 0) },
      { timeSinceLastDataReceived: 73_000, timeSinceLastAckReceived: 1_600 },
    );
    expect(problemsOf(evidence)).toMatchObject([
      { problem: 'close-wait', severity: 'warning', numbers: { waitingFor: 73_000 } },
    ]);
  });
});

describe('whether keepalive is on, by the timer', () => {
  test.each<[boolean | null, Partial<Evidence>, string]>([
    [false, {}, 'linux'],
    [false, { state: 'CLOSE-WAIT' }, 'linux'],
    [true, timer('keepalive', 0), 'linux'],
    // Another timer runs, or is about to: Linux reports one only.
    [null, { sendQueue: 1 }, 'linux'],
    [null, timer('retransmission', 0), 'linux'],
    [null, { state: 'SYN-SENT' }, 'linux'],
    // These systems report no timers.
    [null, {}, 'darwin'],
    [null, {}, 'win32'],
  ])('%s: %o on %s', (isOn, more, platform) => {
    expect(keepAliveByTimer(make(more), platform)).toBe(isOn);
  });
});
