// A dead-peer timeout does not end living peers, and treats a closed window as `zeroWindow` says.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inNamespace, needsNamespace } from '../../support/namespace';

interface Case {
  readonly name: string;
  readonly timeout: number;
  readonly bounds: { readonly idle: number; readonly busy: number; readonly worst: number };
  readonly code: string | null;
  readonly after: number | null;
}

interface Report {
  readonly cases: readonly Case[];
  readonly watchedFor: number;
  readonly closedWindow: { readonly sendWindow: number | null; readonly probes: number | null };
}

const SLACK = 250;

describe('living peers, and peers with a closed window', () => {
  beforeEach(needsNamespace);

  let report: Report;
  beforeAll(async () => {
    report = await inNamespace<Report>('dead-peers/living.mjs');
  });
  const named = (name: string) => report.cases.filter((one) => one.name.startsWith(name));

  test.each([
    ['idle', 6],
    ['slow', 4],
    ['never reads, tolerate', 1],
    ['late call', 2],
  ])('%s: stays open for three times the timeout', (name, count) => {
    const found = named(name);
    expect(found).toHaveLength(count);
    for (const { timeout, code } of found) {
      expect(report.watchedFor).toBeGreaterThanOrEqual(3 * timeout);
      expect(code, `${timeout} ms`).toBeNull();
    }
  });

  test("zeroWindow 'fail' ends a peer that never reads, although it answers", () => {
    expect(report.closedWindow.sendWindow).toBe(0);
    const [one] = named('never reads, fail') as [Case];
    expect(one.code).toBe('ETIMEDOUT');
    expect(one.after).toBeLessThanOrEqual(one.timeout + SLACK);
  });

  test("zeroWindow 'tolerate' still detects a peer that vanishes", () => {
    const found = named('lost: ');
    expect(found).toHaveLength(14);
    for (const { name, timeout, code, after, bounds } of found) {
      expect(code, name).toBe('ETIMEDOUT');
      expect(after, name).toBeLessThanOrEqual(timeout + SLACK);
      if (name === 'lost: in flight') expect(after).toBeLessThanOrEqual(bounds.busy);
    }
  });
});
