// A pause of this process (stopped, or event loop blocked) for three times the timeout is not silence of a peer.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { certificate } from '../../support/certificate';
import { inNamespace, needsNamespace } from '../../support/namespace';

interface Seen {
  readonly way: string;
  readonly deaths: number;
  readonly death: { readonly reason: string; readonly silence: number } | null;
  /** In ms before the peer was declared dead: when the program last read, and when the peer was lost. */
  readonly sinceHeard: number | null;
  readonly sinceLost: number | null;
  readonly code: string | null;
}

interface Report {
  readonly interval: number;
  readonly timeout: number;
  readonly scenes: readonly {
    readonly name: string;
    readonly pausedFor: number;
    readonly deadOfLiving: number;
    readonly gone: readonly Seen[];
  }[];
  readonly atTheEnd: readonly Seen[];
}

const SLACK = 250;

describe('this process pauses for longer than the timeout', () => {
  beforeEach(needsNamespace);

  let report: Report;
  beforeAll(async () => {
    report = await inNamespace<Report>('dead-peers/pauses.mjs', JSON.stringify(certificate()));
    for (const { name, pausedFor, gone } of report.scenes) {
      const after = gone.map(({ sinceLost }) => (sinceLost as number) - pausedFor);
      console.log(
        `${name} for ${pausedFor} ms: those gone were told ${Math.min(...after)} to ${Math.max(...after)} ms after it`,
      );
    }
  });

  const promised = () => {
    const { interval, timeout } = report;
    return timeout + Math.min(interval, timeout - interval) / 8 + SLACK;
  };

  function expectDeath(one: Seen): void {
    const reason = one.way === 'watch only' ? 'unknown' : 'vanished';
    expect(one).toMatchObject({ deaths: 1, code: 'ETIMEDOUT', death: { reason } });
    expect(one.sinceHeard).toBeGreaterThanOrEqual(report.timeout);
  }

  describe.each(['stopped', 'blocked', 'blocked again and again'])('%s', (name) => {
    const scene = () => {
      const found = report.scenes.find((one) => one.name === name);
      return found as Report['scenes'][number];
    };

    test('none of 100 living peers is declared dead', () => {
      expect(scene().pausedFor).toBeGreaterThanOrEqual(3 * report.timeout);
      expect(report.atTheEnd).toHaveLength(100);
      expect(scene().deadOfLiving).toBe(0);
    });

    test('vanished peers are found in time', () => {
      const { pausedFor, gone } = scene();
      expect(gone).toHaveLength(12);
      for (const one of gone) {
        expectDeath(one);
        expect((one.sinceLost as number) - pausedFor).toBeLessThanOrEqual(promised());
        if (name === 'blocked again and again') continue;
        // At most two steps of the pause count as silence.
        const heardRunning = (one.sinceHeard as number) - pausedFor;
        expect(heardRunning).toBeGreaterThanOrEqual(report.timeout - report.interval / 4);
      }
    });
  });

  test('peers that vanish after the pause are found in time', () => {
    for (const one of report.atTheEnd) {
      expectDeath(one);
      expect(one.sinceHeard).toBeLessThanOrEqual(promised());
    }
  });
});
