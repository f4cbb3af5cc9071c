// A dead-peer timeout for every way to lose a peer and every activity of the connection. With WRITE_DOCS=1 the
// measured times become the table of docs/dead-peers.md.

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

describe('a peer that is lost', () => {
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
      expect(after).toBeGreaterThan(bounds.idle - 200);
      expect(after).toBeLessThan(bounds.idle * 1.1);
    }
  });

  test('the bounds that the package reported are kept', () => {
    for (const { loss, activity, bounds, began, after, timeout } of cases) {
      if (loss !== 'black hole') continue;
      const { idle, worst } = bounds;
      // Counted from the write.
      const busy = began + bounds.busy;
      const bound = activity === 'idle' ? idle : activity === 'in flight' ? busy : worst;
      expect(after, `${activity}, ${timeout} ms`).toBeLessThanOrEqual(bound * 1.1 + SLACK);
    }
  });

  test('writes the table', async () => {
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
