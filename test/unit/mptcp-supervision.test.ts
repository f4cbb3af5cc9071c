// The rule for a Multipath TCP connection: reports of its subflows and times in, a verdict out.

import { beforeEach, describe, expect, test } from 'vitest';
import { judgeSubflows, type SubflowMemories } from '../../lib/dead-peer/supervision/mptcp';
import type { Report } from '../../lib/dead-peer/supervision/report';
import { type Memory, newMemory } from '../../lib/dead-peer/supervision/rule';
import { tcpStates } from '../../lib/tcp-info/states';
import { report, TERMS } from '../support/reports';

const [CLOSED, SYN_SENT] = [tcpStates.indexOf('CLOSED'), tcpStates.indexOf('SYN-SENT')];

let memory: Memory;
let memories: SubflowMemories;
beforeEach(() => {
  memory = newMemory(0, -Infinity);
  memories = new Map();
});

type Reports = Readonly<Record<string, Partial<Report>>>;

function judge(now: number, reports: Reports) {
  const all = new Map(Object.entries(reports).map(([key, one]) => [key, report(one)]));
  return judgeSubflows(all, memory, memories, { now, readAt: now }, TERMS);
}

/** A subflow that last answered at `from`, with unanswered probes since then. */
const silentAt = (now: number, from = 0): Partial<Report> => {
  const probes = Math.floor((now - from) / 1_500);
  return { silence: now - from, segmentsSent: 100 + probes, probes };
};

/** Looks every half second; returns the time of the first verdict other than 'alive'. */
function verdictOf(until: number, reportsAt: (now: number) => Reports) {
  for (let now = 0; now <= until; now += 500) {
    const judgement = judge(now, reportsAt(now));
    if (judgement === undefined) return { verdict: undefined, time: now };
    const { verdict } = judgement.decision;
    if (verdict !== 'alive') return { verdict, time: now };
  }
  return { verdict: 'alive', time: until };
}

describe('a connection of two subflows', () => {
  test.each(['first', 'second'])('lives while only the %s is silent', (silent) => {
    const other = silent === 'first' ? 'second' : 'first';
    // In this order, too: the first subflow is the first report.
    expect(
      verdictOf(60_000, (now) => ({
        first: {},
        second: {},
        [silent]: silentAt(now),
        [other]: { silence: 10 },
      })),
    ).toEqual({ verdict: 'alive', time: 60_000 });
  });

  test('is dead after the timeout if both are silent', () => {
    expect(verdictOf(60_000, (now) => ({ first: silentAt(now), second: silentAt(now) }))).toEqual({
      verdict: 'dead',
      time: 8_000,
    });
  });

  test('is dead a timeout after the last answer on any of them', () => {
    const { verdict, time } = verdictOf(60_000, (now) => ({
      first: silentAt(now),
      second: now < 20_000 ? { silence: 0 } : silentAt(now, 20_000),
    }));
    expect([verdict, time]).toEqual(['dead', 28_000]);
  });

  test('counts the fewest attempts of all subflows', () => {
    judge(0, { first: {}, second: {} });
    const judgement = judge(5_000, {
      first: silentAt(5_000),
      second: { silence: 5_000, segmentsSent: 101, probes: 1 },
    });
    expect(judgement?.attempts).toBe(1);
  });

  test('is not dead before the one with too few attempts was asked enough', () => {
    expect(
      verdictOf(20_000, (now) => ({
        first: silentAt(now),
        second: { silence: now, segmentsSent: 101, probes: 1 },
      })).verdict,
    ).toBe('alive');
  });

  test('asks for a probe if one of them needs it', () => {
    judge(0, { first: {}, second: {} });
    const both = { first: { silence: 0 }, second: { silence: 4_000 } };
    expect(judge(4_000, both)?.decision).toMatchObject({ verdict: 'alive', request: 'keepalive' });
  });

  test('is looked at when the first of them must be', () => {
    judge(0, { first: {}, second: {} });
    expect(judge(3_000, { first: { silence: 0 }, second: { silence: 3_000 } })?.decision).toEqual({
      ...{ verdict: 'alive', request: 'nothing', lookAt: 4_000 },
    });
  });
});

describe('closed subflows', () => {
  test('do not count while another is open', () => {
    expect(
      verdictOf(60_000, () => ({ first: { state: CLOSED }, second: { silence: 0 } })).verdict,
    ).toBe('alive');
  });

  test('do not delay the verdict on the one that is open', () => {
    expect(
      verdictOf(60_000, (now) => ({ first: { state: CLOSED }, second: silentAt(now) })),
    ).toEqual({ verdict: 'dead', time: 8_000 });
  });

  test('have shown that the peer lived, so a subflow that was silent longer is not dead yet', () => {
    const { verdict, time } = verdictOf(
      60_000,
      (now): Reports =>
        now < 6_000 ? { first: { silence: 0 }, second: silentAt(now) } : { second: silentAt(now) },
    );
    expect([verdict, time]).toEqual(['dead', 13_500]);
  });

  test('leave the verdict to the report of the connection if none is open', () => {
    expect(judge(0, { first: { state: CLOSED } })).toBeUndefined();
    expect(judge(0, {})).toBeUndefined();
  });
});

describe('a subflow that is being opened', () => {
  test('counts only if no other is open', () => {
    const opening = { state: SYN_SENT, silence: 1e9, segmentsSent: 3, segmentsReceived: 0 };
    expect(verdictOf(60_000, (now) => ({ first: silentAt(now), second: opening }))).toEqual({
      verdict: 'dead',
      time: 8_000,
    });
  });

  test('and was added during a silence has not been asked before', () => {
    const { verdict, time } = verdictOf(
      60_000,
      (now): Reports =>
        now < 7_000
          ? { first: silentAt(now) }
          : { first: silentAt(now), second: silentAt(now, 7_000) },
    );
    expect(verdict).toBe('dead');
    expect(time).toBeGreaterThanOrEqual(11_000);
  });
});

test('forgets subflows that the kernel no longer reports', () => {
  judge(0, { first: {}, second: {} });
  judge(500, { second: {} });
  expect([...memories.keys()]).toEqual(['second']);
});
