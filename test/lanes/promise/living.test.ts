// Peers that live: none is ended, beyond the chance that the plan states for a path that loses packets.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isFull, needsPrograms, type Programs, preparePrograms, withoutPrograms } from './programs';

interface Case {
  readonly scene: string;
  readonly name: string;
  readonly timeout: number;
  readonly rtt: number;
  /** Why and when it was ended, in ms after the scene began; `null`: it was not. */
  readonly code: string | null;
  readonly after: number | null;
}

interface Living {
  readonly results: readonly Case[];
  readonly lateness: { readonly longest: number };
  readonly cpuSeconds: number;
}

interface Busy {
  readonly results: readonly { readonly state: string; readonly code: string | null }[];
}

/** Connections with one timeout on paths that lose the same share of packets. */
interface Group {
  readonly timeout: number;
  readonly loss: number;
  readonly isWriting: boolean;
  /** How many are ended per hour according to the plan; `null`: the end is certain, so no rate follows. */
  readonly stated: number | null;
  readonly ended: number;
  /** The sum over all connections. */
  readonly hours: number;
  readonly codes: Readonly<Record<string, number>>;
}

interface Requests {
  readonly answered: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly wasClosed: boolean;
}

const TIMEOUTS = isFull ? [5_000, 9_000, 13_000, 20_000, 31_000, 60_000] : [5_000, 9_000, 20_000];
const SCENES = [
  'closed window',
  'slow reader',
  'round-trip time jumps to 0.7 T',
  'called in a silence, one packet lost',
  'setKeepAlive of core afterwards',
  'program of the peer blocked for 3 T',
];
const PATTERNS = ['once, for 3 T', 'four times, for 0.9 T', 'thirty times, for 0.1 T'];
const BLOCKED = [5_000, 20_000].flatMap((timeout) =>
  PATTERNS.map((pattern) => ({ pattern, timeout })),
);
const LOSS = { timeouts: [5_000, 9_000, 20_000], seconds: isFull ? 1_800 : 270 };
const LONGEST = isFull ? 2_400_000 : 600_000;

describe('living peers', () => {
  beforeEach(needsPrograms);

  let programs: Programs;
  let living: Promise<Living>;
  let loss: Promise<{ groups: Group[] }>;
  let blocked: Promise<Busy>[];
  beforeAll(() => {
    if (withoutPrograms !== undefined) return;
    programs = preparePrograms();
    // All run at the same time: they mostly wait.
    living = programs.run('living.mjs', { timeouts: TIMEOUTS }, LONGEST);
    loss = programs.run('loss.mjs', LOSS, LONGEST);
    blocked = BLOCKED.map((request) => programs.run('busy.mjs', request, LONGEST));
  });
  afterAll(() => programs?.remove());

  describe('in every situation that looks like a dead one', () => {
    let report: Living;
    beforeAll(async () => {
      report = await living;
      const { results, lateness, cpuSeconds } = report;
      console.log(
        `${results.length} living peers; longest pause of the program ${lateness.longest} ms, ${cpuSeconds.toFixed(0)} s of processor time`,
      );
    });

    test.each(SCENES)('%s: none is ended', (scene) => {
      const found = report.results.filter((one) => one.scene === scene);
      expect(found.length).toBeGreaterThan(3);
      const ended = found
        .filter(({ code, after }) => code !== null || after !== null)
        .map(
          ({ name, timeout, rtt, code, after }) =>
            `${name}, T ${timeout / 1_000} s, RTT ${rtt} ms: ${code} after ${after} ms`,
        );
      expect(ended).toEqual([]);
    });
  });

  describe('while the event loop of this program is blocked', () => {
    test.each(BLOCKED.map((request, index) => ({ ...request, index })))(
      '$pattern, $timeout ms: none is ended',
      async ({ index }) => {
        const { results } = (await blocked[index]) as Busy;
        expect(results).toHaveLength(50);
        expect(results.filter(({ code }) => code !== null)).toEqual([]);
      },
      LONGEST,
    );
  });

  describe('requests over one connection to a server with 0.3 of a processor', () => {
    test.each([5_000, 9_000, 20_000])(
      '%d ms: none fails',
      async (timeout) => {
        const report = await programs.run<Requests>('requests.mjs', { timeout }, LONGEST);
        expect(report).toEqual({ answered: 10_000, failed: {}, wasClosed: true });
      },
      LONGEST,
    );
  });

  describe('on a path that loses packets', () => {
    let groups: readonly Group[];
    beforeAll(async () => {
      ({ groups } = await loss);
      console.log('T    loss  activity  stated per hour  ended  hours  per hour, 95 % interval');
      for (const { timeout, loss: share, isWriting, stated, ended, hours } of groups) {
        const [low, high] = poissonInterval(ended, 0.025).map((count) =>
          (count / hours).toFixed(1),
        );
        console.log(
          `${timeout / 1_000} s, ${share * 100} %, ${isWriting ? 'writing' : 'idle'}: ${stated?.toFixed(2) ?? 'certain'}, ${ended} in ${hours.toFixed(2)}: ${low} to ${high}`,
        );
      }
    });

    test.each([0.05, 0.1, 0.2, 0.3])('%d lost each way: no more are ended than stated', (share) => {
      const found = groups.filter((group) => group.loss === share);
      expect(found).toHaveLength(2 * LOSS.timeouts.length);
      for (const { timeout, isWriting, stated, ended, hours, codes } of found) {
        const name = `${timeout} ms, ${isWriting ? 'writing' : 'idle'}: ${ended} ended in ${hours.toFixed(2)} h`;
        expect(Object.keys(codes).join(), name).toMatch(/^(ETIMEDOUT)?$/);
        expect(hours, name).toBeGreaterThan(0.3);
        // With 24 groups, a lane at exactly the stated rate fails once in 400 runs.
        const [low] = poissonInterval(ended, 1e-4);
        expect(low / hours, name).toBeLessThanOrEqual(stated ?? Number.POSITIVE_INFINITY);
      }
    });
  });
});

/** The exact interval of the mean of a Poisson count. `tail`: the chance that it is beyond each end. */
function poissonInterval(count: number, tail: number): [low: number, high: number] {
  const low = count === 0 ? 0 : meanWhere((mean) => 1 - atMost(mean, count - 1) > tail, count);
  return [low, meanWhere((mean) => atMost(mean, count) < tail, count)];
}

/** The smallest mean for which a condition holds. */
function meanWhere(holds: (mean: number) => boolean, count: number): number {
  let [low, high] = [0, 10 * (count + 10)];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The chance that a Poisson count is at most `limit`. */
function atMost(mean: number, limit: number): number {
  let term = Math.exp(-mean);
  let sum = term;
  for (let i = 1; i <= limit; i++) {
    term *= mean / i;
    sum += term;
  }
  return sum;
}
