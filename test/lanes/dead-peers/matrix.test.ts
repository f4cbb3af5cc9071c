// A dead-peer timeout, whatever becomes of the peer and whatever the connection is doing. What was
// measured becomes the table of docs/dead-peers.md, with WRITE_DOCS=1.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeTable } from '../../support/docs';
import { inNamespace, needsNamespace } from '../../support/namespace';

interface Case {
  readonly loss: string;
  readonly timeout: number;
  readonly activity: string;
  readonly probes: number;
  readonly bounds: { readonly idle: number; readonly busy: number; readonly worst: number };
  readonly code: string | null;
  /** When it began what it was doing, in ms after its peer was lost: as long as it took to lose the others. */
  readonly began: number;
  /** When it failed, in ms after its peer was lost. */
  readonly after: number | null;
}

/** Of the kernel's timers. */
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

describe('a peer that is lost', () => {
  beforeEach(needsNamespace);

  let cases: readonly Case[];
  beforeAll(async () => {
    ({ cases } = await inNamespace<{ cases: Case[] }>('dead-peers/matrix.mjs'));
  });
  const of = (loss: string, timeout: number) =>
    cases.filter((one) => one.loss === loss && one.timeout === timeout);

  test('every case was run', () => {
    expect(cases).toHaveLength(LOSSES.length * TIMEOUTS.length * ACTIVITIES.length);
  });

  describe.each(LOSSES)('%s', (loss) => {
    test.each(TIMEOUTS)('%d ms: failed within it, in each activity', (timeout) => {
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

  test('none was called dead before all of its probes went unanswered', () => {
    for (const { loss, activity, bounds, after } of cases) {
      if (loss !== 'black hole' || activity !== 'idle') continue;
      // It was silent for a tenth of a second already.
      expect(after).toBeGreaterThan(bounds.idle - 200);
      expect(after).toBeLessThan(bounds.idle * 1.1);
    }
  });

  test('the bounds that it had are what happened', () => {
    for (const { loss, activity, bounds, began, after, timeout } of cases) {
      if (loss !== 'black hole') continue;
      const { idle, worst } = bounds;
      // From the write.
      const busy = began + bounds.busy;
      const bound = activity === 'idle' ? idle : activity === 'in flight' ? busy : worst;
      expect(after, `${activity}, ${timeout} ms`).toBeLessThanOrEqual(bound * 1.1 + SLACK);
    }
  });

  test('the table', async () => {
    const shown = (loss: string, timeout: number) => {
      const found = of(loss, timeout);
      const at = (activity: string) => found.find((one) => one.activity === activity)?.after ?? 0;
      const longest = Math.max(...found.map(({ after }) => after ?? Number.POSITIVE_INFINITY));
      const figures = [at('idle'), at('in flight'), at('writes every 0.2 s'), longest];
      return figures.map((figure) => (figure / 1_000).toFixed(1));
    };
    const bounds = (timeout: number) => of('black hole', timeout)[0]?.bounds;
    await writeTable(
      'docs/dead-peers.md',
      'measured',
      ['peer', 'timeout', 'promised: idle, busy, worst', 'idle', 'in flight', 'writing', 'worst'],
      LOSSES.flatMap((loss) =>
        TIMEOUTS.map((timeout) => {
          const { idle, busy, worst } = bounds(timeout) as Case['bounds'];
          const promised = [idle, busy, worst].map((bound) => (bound / 1_000).toFixed(1));
          return [loss, `${timeout / 1_000} s`, promised.join(', '), ...shown(loss, timeout)];
        }),
      ),
    );
  });
});
