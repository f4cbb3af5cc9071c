// Heartbeats of peers that take a large upload little by little, and cannot answer before they have it.

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
/** When a peer was lost is known to a few system calls. */
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

    test('a peer that goes on reading lives, and answers at the end', () => {
      for (const { one, name } of of('lives')) {
        expect(one, name).toMatchObject({ deaths: 0, code: null, isOpen: true });
        expect(one.rtt, name).toBeLessThan(SLACK);
      }
    });

    test('no ping joins a queue of this program', () => {
      for (const { one, name } of of('lives')) {
        if (buffer === 'small send buffer') expect(one.skippedPings, name).toBeGreaterThan(0);
        expect(one.pingsWhileQueued, name).toBe(0);
        // The last one may be on its way.
        expect([one.pings, one.pings - 1], name).toContain(one.pingsReceived);
      }
    });

    test.each([
      ['unplugged', 'vanished'],
      ['stopped', 'silent'],
    ])('%s in the middle of it: %s', (fate, reason) => {
      const { timeout } = report;
      for (const { one, name } of of(fate)) {
        expect(one, name).toMatchObject({ deaths: 1, code: 'ETIMEDOUT', isClosed: true });
        expect(one.death?.reason, name).toBe(reason);
        expect(one.explained, name).toBe(reason);
        expect(one.sinceLost, name).toBeGreaterThan(timeout - BEFORE);
        // What a system acknowledges last is known. One that answers to a closed window does so for longer
        // than its program takes anything: that is looked at when the silence is late, and at its end.
        const { interval } = report;
        const longest = fate === 'unplugged' ? timeout + interval / 8 : timeout + lateAfter();
        expect(one.sinceLost, name).toBeLessThanOrEqual(longest + SLACK);
      }
    });
  });
});
