// Compares the stated chance of a false alarm with paths that lose packets.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inNamespace, needsNamespace } from '../../support/namespace';

interface Path {
  readonly loss: number;
  readonly connections: number;
  readonly seconds: number;
  readonly share: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly perHour: number;
}

describe('living, idle peers on a path that loses packets', () => {
  beforeEach(needsNamespace);

  let paths: readonly Path[];
  beforeAll(async () => {
    paths = await inNamespace<Path[]>('dead-peers/lossy.mjs');
  });

  test.each([0.05, 0.2])(
    'with %d lost in each direction, as many are taken for dead as stated',
    (loss) => {
      const path = paths.find((one) => one.loss === loss) as Path;
      const { connections, seconds, share, codes, perHour } = path;
      expect(Object.keys(codes)).toEqual(['ETIMEDOUT']);
      expect(share).toBeGreaterThan(0);
      // No peer can be taken for dead before its last probe, in the first four seconds.
      const rate = perHour < 1 ? -Math.log1p(-perHour) / 3_600 : ratePerSecond(loss);
      const stated = -Math.expm1(-rate * (seconds - 3));
      const deviation = Math.sqrt((stated * (1 - stated)) / connections);
      console.log(
        `${loss * 100} %: stated ${stated.toFixed(3)}, measured ${share.toFixed(3)} of ${connections} in ${seconds} s`,
      );
      expect(Math.abs(share - stated)).toBeLessThan(4 * deviation);
    },
  );
});

/** Per hour, all would be dead: so the same formula per second. Rounds of 1 s, three probes 1 s apart. */
function ratePerSecond(loss: number): number {
  const unanswered = 1 - (1 - loss) ** 2;
  const round = 1 + unanswered + unanswered ** 2;
  return -Math.log1p(-(unanswered ** 3)) / round;
}
