// The bounds that getDeadPeerBounds() reports for 1 000 random settings of the kernel, compared with what the kernel does.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inNamespace, needsNamespace } from '../../support/namespace';

interface Case {
  readonly kind: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly code: string | null;
  readonly bound: number;
  /** From the peer's last segment, for 'busy' from the write. */
  readonly took: number | null;
  /** For how long a user timeout had been counting already. */
  readonly early: number;
  readonly sendWindow: number;
}

interface Report {
  readonly cases: readonly Case[];
  /** Connections that failed before their peer vanished. */
  readonly early: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly lag: number;
}

/** Tolerance for reading the clock of the kernel and for the way from the kernel to the event, in ms. */
const LATENESS = 20;

const KINDS = [
  ['idle', 350],
  ['busy', 300],
  ['worst', 200],
  ['closedWindow', 150],
] as const;

describe('the bounds of random settings', () => {
  beforeEach(needsNamespace);

  let report: Report;
  beforeAll(async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    report = await inNamespace<Report>('dead-peers/bounds.mjs', `${seed}`);
    const { lag, leftOut } = report;
    console.log(
      `SEED=${seed}, event loop at most ${lag} ms late, not drawn: ${JSON.stringify(leftOut)}`,
    );
    for (const [kind] of KINDS) {
      const shares = of(kind).map(({ took, bound }) => (took ?? Infinity) / bound);
      const share = (value: number) => `${(100 * value).toFixed(1)} %`;
      console.log(
        `${kind}: ${share(Math.min(...shares))} to ${share(Math.max(...shares))} of the bound`,
      );
    }
  });
  const of = (kind: string) => report.cases.filter((one) => one.kind === kind);

  test('no living peer was ended, and closed windows were closed', () => {
    expect(report.early).toBe(0);
    for (const { sendWindow } of of('closedWindow')) expect(sendWindow).toBe(0);
  });

  test.each(KINDS)('%s: no end comes after the bound', (kind, count) => {
    expect(of(kind)).toHaveLength(count);
    for (const { values, code, took, bound } of of(kind)) {
      expect(code, JSON.stringify(values)).toBe('ETIMEDOUT');
      expect(took, JSON.stringify(values)).toBeLessThanOrEqual(bound + report.lag + LATENESS);
    }
  });

  test.each(KINDS)('%s: no end comes before four fifths of the bound', (kind) => {
    for (const { values, took, early, bound } of of(kind)) {
      const counted = (took as number) + early;
      expect(counted, JSON.stringify(values)).toBeGreaterThanOrEqual(0.8 * bound);
    }
  });
});
