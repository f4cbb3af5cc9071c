// A server whose devices again and again lose power without a word, and are back before anybody notices.

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
  /** How many connections ended, by what ended them. */
  readonly ends: Readonly<Record<string, number>>;
  /** Connections that were ended here before their device had vanished, and seen so by their device. */
  readonly wrong: number;
  readonly disturbed: number;
  readonly vanished: number;
  readonly superseded: number;
  readonly finWait: number;
  readonly left: Readonly<Record<string, number>>;
  readonly heapGrowth: number;
}

const DEVICES = 1_000;

/** A device that comes back has two connections until it has said who it is: as many as may at a time. */
const COMING_BACK = 32;

const MINUTE = 60_000;

/**
 * What V8 compiles and keeps in a minute. Of more than 10 000 connections a leak of each, with its socket,
 * would be forty megabytes and more; of its entry in the registry alone, four.
 */
const MARGIN = 3 << 20;

/** Once the first of them are all there. */
const peak = (samples: readonly Sample[], what: 'established' | 'size') =>
  Math.max(...samples.filter(({ after }) => after > 1_000).map((sample) => sample[what]));

describe('a thousand devices that reboot again and again', () => {
  beforeEach(needsNamespace);

  let flood: Flood;
  let control: { readonly samples: readonly Sample[] };
  beforeAll(async () => {
    // Side by side: the control takes a few seconds of the other's minute.
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

  test('the flood was one', () => {
    expect(flood.samples.at(-1)?.after).toBeGreaterThan(MINUTE - 2_000);
    expect(flood.superseded).toBeGreaterThan(5 * DEVICES);
    expect(Math.min(...flood.samples.slice(5).map(({ size }) => size))).toBeGreaterThan(
      0.8 * DEVICES,
    );
  });

  test('there is never more than a connection for each device, but for those coming back', () => {
    expect(peak(flood.samples, 'established')).toBeLessThanOrEqual(DEVICES + COMING_BACK);
    expect(peak(flood.samples, 'size')).toBeLessThanOrEqual(DEVICES);
  });

  test('without a registry they pile up', () => {
    expect(peak(control.samples, 'established')).toBeGreaterThan(1.2 * DEVICES);
  });

  test('no device that lives is superseded, or declared dead', () => {
    const { ends, wrong, disturbed, vanished } = flood;
    expect(wrong).toBe(0);
    expect(disturbed).toBe(0);
    expect(Object.keys(ends).sort()).toEqual(['ERR_PEER_SUPERSEDED', 'dead']);
    // Each that vanished was found, in one way or the other.
    expect((ends.dead as number) + (ends.ERR_PEER_SUPERSEDED as number)).toBe(vanished);
  });

  test('when all are gone nothing is left', () => {
    expect(flood.left).toEqual({
      ...{ size: 0, heartbeats: 0, established: 0, closeWait: 0, timers: 0, leaks: 0 },
    });
    expect(flood.heapGrowth).toBeLessThan(MARGIN);
    // Nor in the kernel, which would send a FIN to a peer that is gone for a minute and more.
    expect(flood.finWait).toBe(0);
  });
});
