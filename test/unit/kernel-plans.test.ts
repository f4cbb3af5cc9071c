// Plans whose kernel values alone must do: what they keep on each system, and what their warnings say.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planDeadPeerTimeout } from '../../dist/index.js';
import { kernelPlanFor } from '../../lib/dead-peer/kernel-plan';
import type { PlanRequest } from '../../lib/dead-peer/plan';
import { timerLateness } from '../../lib/dead-peer/timer-lateness';

const kernelAlone = { supervise: false } as const;

/** A request for kernel values alone on a Linux of before 6.15. */
const OLDER_LINUX: PlanRequest = {
  platform: 'linux',
  minProbes: 3,
  zeroWindow: 'tolerate',
  maxSilence: undefined,
  supervise: false,
  hasTimeoutMax: false,
  retransmission: { timeout: 1_000, timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  silence: 0,
  runningTimer: 0,
  assumptions: [],
};

const NEWER_LINUX: PlanRequest = { ...OLDER_LINUX, hasTimeoutMax: true };

describe('kernel values alone', () => {
  test.each(['linux', 'darwin', 'win32', 'freebsd', 'gvisor'] as const)(
    '%s: a long timeout is kept, with at least minProbes probes, and not wasted',
    (platform) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 60_000, max: 10_000_000 }),
          fc.integer({ min: 1, max: 8 }),
          fc.constantFrom(200, 1_000, 3_000),
          (timeout, minProbes, retransmissionTimeout) => {
            const chosen = { ...kernelAlone, platform, minProbes, retransmissionTimeout };
            const { bounds, probes } = planDeadPeerTimeout(timeout, chosen);
            expect(probes).toBeGreaterThanOrEqual(minProbes);
            expect(bounds.worst).toBeLessThanOrEqual(timeout);
            expect(bounds.worst).toBeGreaterThan(timeout / 2);
          },
        ),
        { numRuns: 200 },
      );
    },
  );

  test('Linux 6.15 and later: no user timeout, and the longest retransmission timeout bounds data', () => {
    const plan = kernelPlanFor(NEWER_LINUX, 30_000);
    expect(plan.options).toEqual({
      keepAlive: true,
      keepAliveInitialDelay: 4_000,
      keepAliveInterval: 1_000,
      keepAliveCount: 5,
      userTimeout: 0,
      retransmissionTimeoutMax: 1_176,
    });
    expect(plan).toMatchObject({
      supervised: false,
      probes: 5,
      zeroWindow: 'tolerate',
      measured: true,
      promise: { sparesLivingPeers: true, isIndependentOfPath: true },
    });
    expect(plan.bounds.worst).toBeLessThanOrEqual(30_000);
  });

  test('it cannot keep 20 s: the nearest plan says so, with the bound', () => {
    const { bounds, warnings } = kernelPlanFor(NEWER_LINUX, 20_000);
    expect(bounds.worst).toBeGreaterThan(20_000);
    expect(bounds.worst).toBeLessThan(23_000);
    expect(warnings[0]).toMatch(
      /^The kernel alone cannot keep 20 s here\. .* 21\.96 s in the worst case\. With zeroWindow "fail"/,
    );
  });

  test("zeroWindow 'fail' keeps 20 s with a user timeout between two probes", () => {
    const chosen = {
      ...kernelAlone,
      platform: 'linux',
      zeroWindow: 'fail',
      lossRate: 0.05,
    } as const;
    const plan = planDeadPeerTimeout(20_000, chosen);
    expect(plan.options).toMatchObject({
      keepAliveInitialDelay: 3_000,
      keepAliveInterval: 1_000,
      userTimeout: 7_720,
    });
    expect(plan).toMatchObject({ probes: 5, zeroWindow: 'fail', retransmissionTimeout: 1_000 });
    expect(plan.bounds.worst).toBeLessThanOrEqual(20_000);
  });

  test('Linux before 6.15: the user timeout may end a living peer, and a warning says so', () => {
    const plan = kernelPlanFor(OLDER_LINUX, 20_000);
    expect(plan.options).toMatchObject({ userTimeout: 7_720 });
    expect(plan.options).not.toHaveProperty('retransmissionTimeoutMax');
    expect(plan).toMatchObject({ zeroWindow: 'fail', promise: { sparesLivingPeers: false } });
    expect(plan.warnings.join('\n')).toMatch(
      /living peer that does not read is ended .* 7\.72 s: this kernel has no TCP_RTO_MAX_MS/,
    );
    const wished = kernelPlanFor({ ...OLDER_LINUX, zeroWindow: 'fail' }, 20_000);
    expect(wished.warnings.join('\n')).not.toContain('living peer');
  });

  test('every plan of Linux names what only supervision can keep', () => {
    for (const hasTimeoutMax of [true, false]) {
      const { warnings, promise } = kernelPlanFor({ ...OLDER_LINUX, hasTimeoutMax }, 60_000);
      expect(warnings.join('\n')).toContain('keeps writing postpones the end without limit');
      expect(warnings.join('\n')).toContain('neither read nor written (paused, half-closed)');
      expect(promise.isToldInTime).toBe(false);
    }
  });

  test('a slow path makes the nearest plan, and never an error', () => {
    for (const timeout of [1_000, 3_000, 30_000, 120_000]) {
      const retransmission = { ...OLDER_LINUX.retransmission, timeout };
      const { bounds, retransmissionTimeout } = kernelPlanFor(
        { ...OLDER_LINUX, retransmission },
        9_000,
      );
      expect(retransmissionTimeout).toBe(timeout);
      expect(bounds.busy).toBeGreaterThan(2 * timeout + 3_000);
    }
  });

  test('more probes than transmissions of data are not promised', () => {
    const plan = (minProbes: number, hasTimeoutMax: boolean) =>
      kernelPlanFor({ ...OLDER_LINUX, minProbes, hasTimeoutMax }, 600_000);
    const survives = (minProbes: number, hasTimeoutMax: boolean) =>
      plan(minProbes, hasTimeoutMax).promise.survivesLostPackets;
    expect([survives(1, false), survives(3, false), survives(4, false)]).toEqual([
      false,
      true,
      false,
    ]);
    expect([survives(17, true), survives(18, true)]).toEqual([true, false]);
    expect(plan(4, false).warnings.join('\n')).toContain(
      'in flight, 3 unanswered segments may end',
    );
  });

  test('a silence before the call does not use up the probes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4_000, max: 400_000 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.integer({ min: 1, max: 8 }),
        fc.infiniteStream(fc.constantFrom(0, 0.5, 1)),
        (timeout, silence, minProbes, late) => {
          const { options } = kernelPlanFor({ ...OLDER_LINUX, silence, minProbes }, timeout);
          const { keepAliveInitialDelay, keepAliveInterval, userTimeout } = options as Record<
            string,
            number
          > as { keepAliveInitialDelay: number; keepAliveInterval: number; userTimeout: number };
          const fire = (duration: number) =>
            duration + (late.next().value as number) * timerLateness(duration);
          // tcp_keepalive_timer(): the first probe is sent at once if the initial delay is over.
          let now =
            silence + (keepAliveInitialDelay > silence ? fire(keepAliveInitialDelay - silence) : 0);
          let probes = 0;
          while (now < userTimeout || probes === 0) {
            probes++;
            now += fire(keepAliveInterval);
          }
          expect(probes).toBeGreaterThanOrEqual(minProbes);
        },
      ),
      { numRuns: 1_000 },
    );
    const { warnings } = kernelPlanFor({ ...OLDER_LINUX, silence: 6_000 }, 9_000);
    expect(warnings.join('\n')).toContain(
      'already been silent for 6 s. It gets the time to answer 3 probes from now on',
    );
  });

  test('MPTCP: neither a user timeout nor TCP_RTO_MAX_MS, and the minute after the last subflow', () => {
    const plan = planDeadPeerTimeout(200_000, {
      ...kernelAlone,
      platform: 'mptcp',
      zeroWindow: 'fail',
    });
    expect(Object.keys(plan.options).sort()).toEqual([
      'keepAlive',
      'keepAliveCount',
      'keepAliveInitialDelay',
      'keepAliveInterval',
    ]);
    expect(plan.bounds.idle).toBeLessThanOrEqual(200_000);
    expect(plan.bounds.busy).toBeGreaterThan(900_000);
    expect(plan.zeroWindow).toBe('tolerate');
    expect(plan.why).toContain('net.mptcp.close_timeout, 60 s');
  });

  test('gVisor: a user timeout, which spares living peers there', () => {
    const plan = planDeadPeerTimeout(20_000, { platform: 'gvisor' });
    expect(plan.options.userTimeout).toBeGreaterThan(0);
    expect(plan).toMatchObject({ supervised: false, zeroWindow: 'tolerate' });
    expect(plan.why).toContain(
      'looks a few times within the timeout whether the kernel has closed',
    );
    expect(plan.promise.isToldInTime).toBe(false);
  });

  test('Windows: supervision only tells of the end, and the kernel gives the verdict', () => {
    const plan = planDeadPeerTimeout(20_000, { platform: 'win32' });
    expect(plan).toMatchObject({
      supervised: false,
      measured: false,
      promise: { isToldInTime: true },
    });
    expect(plan.why).toContain('The kernel gives the verdict');
    const alone = planDeadPeerTimeout(20_000, { ...kernelAlone, platform: 'win32' });
    expect(alone.promise.isToldInTime).toBe(false);
    expect(alone.why).not.toContain('The kernel gives the verdict');
  });

  test('Windows before 10.1703: its ten probes take as long together', () => {
    const request = { ...OLDER_LINUX, platform: 'win32', fixedCount: 10 } as const;
    const { options, bounds } = kernelPlanFor(request, 60_000);
    expect(options.keepAliveCount).toBe(10);
    const { keepAliveInitialDelay, keepAliveInterval } = options as Record<string, number>;
    expect((keepAliveInitialDelay as number) + 10 * (keepAliveInterval as number)).toBeLessThan(
      bounds.idle,
    );
  });

  test('macOS: plans short timeouts, without a user timeout', () => {
    const { options, probes, bounds } = planDeadPeerTimeout(20_000, {
      ...kernelAlone,
      platform: 'darwin',
    });
    expect(options).toEqual({
      keepAlive: true,
      keepAliveInitialDelay: 13_000,
      keepAliveInterval: 1_000,
      keepAliveCount: 5,
    });
    expect(probes).toBe(5);
    expect(bounds.worst).toBeLessThanOrEqual(20_000);
    expect(
      planDeadPeerTimeout(5_000, { ...kernelAlone, platform: 'darwin' }).bounds.worst,
    ).toBeLessThanOrEqual(5_000);
  });

  test('falseAlarmsPerHour is 0 without loss, 1 at total loss, and matches a simulation at 5 %', () => {
    const plan = (lossRate: number) =>
      kernelPlanFor(OLDER_LINUX, 9_000, lossRate).falseAlarmsPerHour as number;
    expect(plan(0)).toBe(0);
    expect(plan(1)).toBe(1);
    // A simulation, because the formula is under test: rounds of 1 s, three probes 1 s apart.
    const loss = 0.05;
    const unanswered = 1 - (1 - loss) ** 2;
    let [time, deaths] = [0, 0];
    let seed = 42;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let round = 0; round < 2_000_000; round++) {
      time += 1;
      let probe = 1;
      while (probe <= 3 && random() < unanswered) probe++;
      time += Math.min(probe - 1, 2);
      if (probe > 3) deaths++;
    }
    const perHour = 1 - Math.exp(-(deaths / time) * 3_600);
    expect(plan(loss)).toBeCloseTo(perHour, 1);
  });
});
