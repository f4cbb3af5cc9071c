// A dead-peer timeout by kernel values alone, for every way to lose a peer. With supervision: test/lanes/promise/.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DeadPeerBounds, DeadPeerPlan } from '../../../dist/index.js';
import { inNamespace, needsNamespace } from '../../support/namespace';

interface Case {
  readonly loss: string;
  readonly timeout: number;
  readonly activity: string;
  readonly plan: DeadPeerPlan;
  /** For the connection's present retransmission timeout. */
  readonly bounds: DeadPeerBounds;
  readonly code: string | null;
  /** When its activity began, in ms after its peer was lost: losing the other peers takes time. */
  readonly began: number;
  /** When it failed, in ms after its peer was lost. */
  readonly after: number | null;
}

/** Tolerance for the kernel's timers. */
const SLACK = 250;

const LOSSES = [
  'black hole',
  'link down',
  'route gone',
  'rebooted',
  'ICMP unreachable',
  'local firewall',
];
const TIMEOUTS = [5_000, 6_000, 9_000, 10_000, 12_000, 20_000];
const MIDWAY = ['10', '20', '30', '40', '50', '60', '70', '80', '90', '95'];
const ACTIVITIES = [
  'idle',
  'in flight',
  'writes every 0.2 s',
  ...MIDWAY.map((share) => `writes at ${share} %`),
];

describe('a peer that is lost, without supervision', () => {
  beforeEach(needsNamespace);

  let cases: readonly Case[];
  beforeAll(async () => {
    ({ cases } = await inNamespace<{ cases: Case[] }>('dead-peers/matrix.mjs'));
  });
  const of = (loss: string, timeout: number) =>
    cases.filter((one) => one.loss === loss && one.timeout === timeout);

  test('the fixture ran every case', () => {
    expect(cases).toHaveLength(LOSSES.length * TIMEOUTS.length * ACTIVITIES.length);
  });

  describe.each(LOSSES)('%s', (loss) => {
    test.each(TIMEOUTS)('%d ms: every activity fails within the timeout', (timeout) => {
      const found = of(loss, timeout);
      expect(found.map(({ activity }) => activity)).toEqual(ACTIVITIES);
      for (const { activity, after, code } of found) {
        expect(code, activity).toMatch(
          loss === 'rebooted' ? /^(ECONNRESET|EPIPE)$/ : /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
        );
        expect(after, activity).toBeLessThanOrEqual(timeout + SLACK);
      }
    });
  });

  test('no peer is declared dead before all of its probes are unanswered', () => {
    for (const { loss, activity, bounds, after } of cases) {
      if (loss !== 'black hole' || activity !== 'idle') continue;
      // It had already been silent for a tenth of a second.
      expect(after).toBeGreaterThan(bounds.idle / 1.13 - 200);
      expect(after).toBeLessThan(bounds.idle + SLACK);
    }
  });

  test('the bounds of the plan and of the socket are kept', () => {
    for (const { loss, activity, bounds, plan, began, after, timeout } of cases) {
      if (loss !== 'black hole') continue;
      for (const { idle, busy, worst } of [bounds, plan.bounds]) {
        // Counted from the write.
        const busyBound = began + busy;
        const bound = activity === 'idle' ? idle : activity === 'in flight' ? busyBound : worst;
        expect(after, `${activity}, ${timeout} ms`).toBeLessThanOrEqual(bound + SLACK);
      }
    }
  });
});
