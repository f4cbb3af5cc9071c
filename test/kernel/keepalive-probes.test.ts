// Keepalive at work: probes and deaths, watched in a network namespace whose link goes down.

import { beforeEach, describe, expect, test } from 'vitest';
import { inNamespace, needsNamespace } from '../support/namespace';

interface Case {
  /** What the case set, in ms; `idle` or `write`: what the connection does after the link is gone. */
  readonly name: string;
  /** Code of the error that ended the connection, or null where it was alive at the end. */
  readonly code: string | null;
  /** When, in ms after the last segment of the peer, or after the write. */
  readonly diedAt: number | null;
  /** When each keepalive probe was first counted by the kernel, in ms after the last segment of the peer. */
  readonly probesAt: readonly number[];
}

interface Report {
  readonly cases: readonly Case[];
  /** The namespace's own count of keepalive probes, by the kernel (TcpExtTCPKeepAlive). */
  readonly probes: number;
  readonly watchedFor: number;
}

/** Timer slack of the kernel, and a poll of 20 ms on a machine that is shared. */
const LATE = 400;
/** Rounding, and a tick of the kernel's clock. */
const EARLY = 20;

describe('a peer that vanished', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);

  let report: Report;
  const find = (name: string) => report.cases.find((one) => one.name === name) as Case;

  test('the experiment runs', async () => {
    report = await inNamespace<Report>('dead-peer.mjs');
    expect(report.cases).toHaveLength(9);
  });

  test.each([
    // name, initial delay, interval, count: the formula of tcp(7) is the sum
    ['1000/1000/3', 1, 1, 3],
    ['2000/1000/2', 2, 1, 2],
    ['1000/2000/2', 1, 2, 2],
    ['1500/500/2 rounds up', 2, 1, 2],
    ['accepted by a tuned server', 1, 1, 2],
  ])(
    '%s: probes when they should go out, death at initialDelay + interval x count',
    (name, delay, interval, count) => {
      const { code, diedAt, probesAt } = find(name);
      expect(code).toBe('ETIMEDOUT');
      expect(probesAt).toHaveLength(count);
      probesAt.forEach((at, index) => {
        expectAbout(at, (delay + index * interval) * 1_000);
      });
      expectAbout(diedAt as number, (delay + interval * count) * 1_000);
    },
  );

  test('the kernel counted as many probes as the connections had', () => {
    const counted = report.cases.reduce((sum, { probesAt }) => sum + probesAt.length, 0);
    expect(report.probes).toBe(counted);
  });

  test('keepalive off: nothing is noticed', () => {
    expect(find('off')).toMatchObject({ code: null, probesAt: [] });
    expect(find('Node’s setKeepAlive(true)')).toMatchObject({ code: null, probesAt: [] });
  });

  test('data in flight: no probe goes out, and keepalive alone notices nothing', () => {
    expect(find('1000/1000/3, write')).toMatchObject({ code: null, probesAt: [] });
  });

  test('data in flight with a user timeout: death at that time', () => {
    const { code, diedAt } = find('userTimeout 3000, write');
    expect(code).toBe('ETIMEDOUT');
    // The time counts from the first retransmission, one retransmission time-out after the write.
    expectAbout(diedAt as number, 3_000 + 200);
  });
});

function expectAbout(measured: number, expected: number): void {
  expect(measured).toBeGreaterThan(expected - EARLY);
  expect(measured).toBeLessThan(expected + LATE);
}
