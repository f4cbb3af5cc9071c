// The events that `socket-options watch` prints, from made-up samples of TCP_INFO.

import { describe, expect, test } from 'vitest';
import { eventsBetween, type TcpSample } from '../../lib/cli/tcp-events';

const IDLE: TcpSample = {
  state: 'ESTABLISHED',
  probes: 0,
  retransmitted: 0,
  inARow: 0,
  unacked: 0,
  unsent: 0,
  sent: 100,
  received: 100,
  segmentsSent: 10,
  segmentsReceived: 10,
  window: 65_535,
  sinceAck: 2_340,
};

const textsBetween = (before: Partial<TcpSample>, now: Partial<TcpSample>) =>
  eventsBetween({ ...IDLE, ...before }, { ...IDLE, ...now }).map(({ text }) => text);

describe('eventsBetween', () => {
  test('reports nothing between equal samples', () => {
    expect(textsBetween({}, {})).toEqual([]);
  });

  test.each<[string, Partial<TcpSample>, Partial<TcpSample>]>([
    ['1 byte sent', {}, { sent: 101 }],
    ['20 bytes received', {}, { received: 120 }],
    [
      '1 segment sent again: 1 segment unacknowledged, the peer has been silent for 2.3 s',
      { unacked: 1 },
      { unacked: 1, retransmitted: 1, sent: 101 },
    ],
    [
      '2 segments sent again, nothing is unacknowledged now',
      { unacked: 3 },
      { unacked: 0, retransmitted: 2, sent: 300 },
    ],
    [
      'retransmission 3: 2 segments unacknowledged, the peer has been silent for 2.3 s',
      { unacked: 2, retransmitted: 2, inARow: 2 },
      { unacked: 2, retransmitted: 3, inARow: 3 },
    ],
    [
      'keepalive probe 2 is unanswered, the peer has been silent for 2.3 s',
      { probes: 1 },
      { probes: 2 },
    ],
    [
      'window probe 1 is unanswered, the peer has been silent for 2.3 s',
      { unsent: 9, window: 0 },
      { unsent: 9, window: 0, probes: 1 },
    ],
    ['answer after 2 probes: the peer is alive', { probes: 2 }, {}],
    ['keepalive probe, answered at once', {}, { segmentsSent: 11, segmentsReceived: 11 }],
    ['answer: the peer acknowledges again', { inARow: 2 }, {}],
    [
      "the peer's window is closed: its system answers, its program does not read",
      {},
      { window: 0 },
    ],
    ["the peer's window is open again", { window: 0 }, {}],
    ['the state changes from ESTABLISHED to CLOSE-WAIT', {}, { state: 'CLOSE-WAIT' }],
  ])('reports: %s', (text, before, now) => {
    expect(textsBetween(before, now)).toEqual([text]);
  });

  test.each<[string, Partial<TcpSample>]>([
    ['data was sent', { sent: 101 }],
    ['data was received', { received: 101 }],
    ['data is unacknowledged', { unacked: 1 }],
    ['more than one segment was sent', { segmentsSent: 12 }],
  ])('does not take segments for an answered probe if %s', (_, more) => {
    const segments = { segmentsSent: 11, segmentsReceived: 11 };
    expect(textsBetween({}, { ...segments, ...more })).not.toContain(
      'keepalive probe, answered at once',
    );
  });

  test('gives JSON the counters instead of the text', () => {
    const [event] = eventsBetween(IDLE, { ...IDLE, probes: 1 });
    expect(event).toMatchObject({
      event: 'probe',
      kind: 'keepalive probe',
      probes: 1,
      answered: false,
      silent: 2_340,
    });
  });
});
