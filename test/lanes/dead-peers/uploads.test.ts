// Heartbeats of peers that read a large upload slowly and only answer after it.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { certificate } from '../../support/certificate';
import { inNamespace, needsNamespace } from '../../support/namespace';
import type { Observed } from './observed';

interface Case extends Observed {
  readonly fate: string;
  readonly buffer: string;
  readonly isSecure: boolean;
  readonly startAt: number;
  readonly pingsReceived: number | null;
  /** While the upload waited in this program. */
  readonly pingsWhileQueued: number | null;
}

interface Report {
  readonly interval: number;
  readonly timeout: number;
  readonly cases: readonly Case[];
}

const SLACK = 250;
/** Tolerance for the moment when a peer was lost: a few system calls, in ms. */
const BEFORE = 100;

describe('uploads that take longer than the timeout', () => {
  beforeEach(needsNamespace);

  let report: Report;
  beforeAll(async () => {
    report = await inNamespace<Report>('dead-peers/uploads.mjs', JSON.stringify(certificate()));
    for (const fate of ['unplugged', 'stopped']) {
      const after = report.cases.filter((one) => one.fate === fate).map((one) => one.sinceLost);
      console.log(`${fate}, told dead after so many ms: ${after.join(', ')}`);
    }
  });

  const lateAfter = () => (report.interval + report.timeout) / 2;

  describe.each(['small send buffer', 'large send buffer'])('%s', (buffer) => {
    const of = (fate: string) => {
      const found = report.cases.filter((one) => one.fate === fate && one.buffer === buffer);
      expect(found).toHaveLength(6);
      return found.map((one) => {
        const transport = one.isSecure ? 'TLS' : 'TCP';
        return { one, name: `${transport}, begun at ${one.startAt} ms` };
      });
    };

    test('a peer that continues to read is alive, and answers at the end', () => {
      for (const { one, name } of of('lives')) {
        expect(one, name).toMatchObject({ deaths: 0, code: null, isOpen: true });
        expect(one.rtt, name).toBeLessThan(SLACK);
      }
    });

    test('no ping is added to a queue of this program', () => {
      for (const { one, name } of of('lives')) {
        if (buffer === 'small send buffer') expect(one.skippedPings, name).toBeGreaterThan(0);
        expect(one.pingsWhileQueued, name).toBe(0);
        // The last ping may be in flight.
        expect([one.pings, one.pings - 1], name).toContain(one.pingsReceived);
      }
    });

    test.each([
      ['unplugged', 'vanished'],
      ['stopped', 'silent'],
    ])('%s during the upload: %s', (fate, reason) => {
      const { timeout } = report;
      for (const { one, name } of of(fate)) {
        expect(one, name).toMatchObject({ deaths: 1, code: 'ETIMEDOUT', isClosed: true });
        expect(one.death?.reason, name).toBe(reason);
        expect(one.explained, name).toBe(reason);
        expect(one.sinceLost, name).toBeGreaterThan(timeout - BEFORE);
        // The last acknowledgement of the peer's system is known. A system that answers window probes does so
        // longer than its program reads, so progress is checked late in the silence and at its end.
        const { interval } = report;
        const longest = fate === 'unplugged' ? timeout + interval / 8 : timeout + lateAfter();
        expect(one.sinceLost, name).toBeLessThanOrEqual(longest + SLACK);
      }
    });
  });
});
