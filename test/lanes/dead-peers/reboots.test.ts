// A server whose devices repeatedly lose power silently, and are back before the server notices.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inNamespace, needsNamespace } from '../../support/namespace';

interface Sample {
  /** In ms. */
  readonly after: number;
  /** By ss(8). */
  readonly established: number;
  readonly size: number;
}

interface Flood {
  readonly samples: readonly Sample[];
  /** How many connections were closed, by reason. */
  readonly ends: Readonly<Record<string, number>>;
  /** Connections that the server closed although their device had not vanished. */
  readonly wrong: number;
  readonly disturbed: number;
  readonly vanished: number;
  readonly superseded: number;
  readonly finWait: number;
  readonly left: Readonly<Record<string, number>>;
  readonly heapGrowth: number;
}

const DEVICES = 1_000;

/** A device that comes back has two connections until it has sent its name: this many come back at a time. */
const COMING_BACK = 32;

const MINUTE = 60_000;

/**
 * Tolerance for compiled code and caches of V8. With more than 10 000 connections, a leak of each socket would be
 * more than forty megabytes, a leak of each registry entry four.
 */
const MARGIN = 3 << 20;

/** After all devices have connected for the first time. */
const peak = (samples: readonly Sample[], what: 'established' | 'size') =>
  Math.max(...samples.filter(({ after }) => after > 1_000).map((sample) => sample[what]));

describe('a thousand devices that reboot repeatedly', () => {
  beforeEach(needsNamespace);

  let flood: Flood;
  let control: { readonly samples: readonly Sample[] };
  beforeAll(async () => {
    // Both run at the same time: the control only takes a few seconds.
    [flood, control] = await Promise.all([
      inNamespace<Flood>('dead-peers/reboots.mjs', 'registry', `${MINUTE}`),
      inNamespace<typeof control>('dead-peers/reboots.mjs', 'no registry', '10000'),
    ]);
    const { vanished, superseded, finWait, ends, heapGrowth, samples } = flood;
    console.log(
      `${vanished} connections vanished, ${superseded} were superseded, ${ends.dead} found dead; ` +
        `at most ${peak(samples, 'established')} ESTABLISHED, ` +
        `${peak(control.samples, 'established')} without a registry; ${finWait} in FIN-WAIT-1; ` +
        `heap ${(heapGrowth / 1_024).toFixed(0)} kB larger`,
    );
  });

  test('the fixture made enough connections', () => {
    expect(flood.samples.at(-1)?.after).toBeGreaterThan(MINUTE - 2_000);
    expect(flood.superseded).toBeGreaterThan(5 * DEVICES);
    // On a busy machine it takes seconds until all devices are connected.
    const full = flood.samples.filter(({ size }) => size > 0.8 * DEVICES);
    expect(full.length).toBeGreaterThan(flood.samples.length / 2);
  });

  test('keeps one connection per device, except for devices that come back', () => {
    expect(peak(flood.samples, 'established')).toBeLessThanOrEqual(DEVICES + COMING_BACK);
    expect(peak(flood.samples, 'size')).toBeLessThanOrEqual(DEVICES);
  });

  test('without a registry, old connections accumulate', () => {
    expect(peak(control.samples, 'established')).toBeGreaterThan(1.1 * DEVICES);
  });

  test('does not supersede or declare dead a living device', () => {
    const { ends, wrong, disturbed, vanished } = flood;
    expect(wrong).toBe(0);
    expect(disturbed).toBe(0);
    expect(Object.keys(ends).sort()).toEqual(['ERR_PEER_SUPERSEDED', 'dead']);
    // Every vanished device was found, in one way or the other.
    expect((ends.dead as number) + (ends.ERR_PEER_SUPERSEDED as number)).toBe(vanished);
  });

  test('leaves nothing after all devices have vanished', () => {
    expect(flood.left).toEqual({
      ...{ size: 0, heartbeats: 0, established: 0, closeWait: 0, timers: 0, leaks: 0 },
    });
    expect(flood.heapGrowth).toBeLessThan(MARGIN);
    // Not in the kernel either, which would otherwise send FINs to vanished peers for more than a minute.
    expect(flood.finWait).toBe(0);
  });
});
