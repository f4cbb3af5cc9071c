// Plans for dead-peer timeouts as numbers: with supervision and by the kernel's values alone, on every system.
// What kernels then do is watched by test/lanes/.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planDeadPeerTimeout } from '../../dist/index.js';
import { rows } from '../../lib/catalogue/catalogue';
import type { DeadPeerPlan, PlanRequest } from '../../lib/dead-peer/plan';
import { supervisedPlanFor } from '../../lib/dead-peer/supervised-plan';
import { latest, timerLateness } from '../../lib/dead-peer/timer-lateness';
import { Random } from '../lanes/simulator/random';

const SYSTEMS = ['linux', 'darwin', 'win32', 'freebsd', 'gvisor', 'mptcp'] as const;
type System = (typeof SYSTEMS)[number];

/** The catalogue's row of a system. */
const columnOf = (system: System) => (system === 'gvisor' || system === 'mptcp' ? 'linux' : system);

const timeouts = fc.oneof(
  fc.integer({ min: 4_000, max: 2 ** 31 - 1 }),
  fc.double({ min: 4_000, max: 90_000, noNaN: true }),
  fc.integer({ min: 4_000, max: 30_000 }),
  // Around the limits of the search and of the options.
  fc.integer({ min: -2, max: 2 }).map((near) => 32_767_000 + near),
  fc.constantFrom(4_000, 4_001, 20_000, 40_000, 240_000, 240_001, 2 ** 31 - 1),
);

const wishes = fc.record({
  minProbes: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 127 })),
  zeroWindow: fc.constantFrom('fail' as const, 'tolerate' as const),
  supervise: fc.boolean(),
  maxSilence: fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: 2_000, max: 400_000 }),
    fc.constantFrom(2 ** 31 - 1, 2_000.5),
  ),
  retransmissionTimeout: fc.oneof(
    fc.constantFrom(1, 200, 1_000, 3_000, 120_000),
    fc.double({ min: 1, max: 120_000, noNaN: true }),
  ),
  lossRate: fc.constantFrom(undefined, 0, 0.05, 1),
});

/** Expects that the kernel accepts each value: whole units, in the range of its option. */
function expectPossibleOptions({ options, platform }: DeadPeerPlan): void {
  for (const [name, value] of Object.entries(options)) {
    if (name === 'keepAlive') continue;
    const { min = 0, max = 0, unit } = rows()[name]?.[columnOf(platform)] ?? {};
    const units = (value as number) / { s: 1_000, ms: 1, us: 0.001 }[unit ?? 'ms'];
    expect({ name, isWhole: Number.isInteger(units) }).toEqual({ name, isWhole: true });
    expect(units, name).toBeLessThanOrEqual(max);
    // The kernel uses 0 for "no user timeout".
    if (name !== 'userTimeout' || units !== 0) expect(units, name).toBeGreaterThanOrEqual(min);
  }
}

/** Expects that the members of a plan agree with each other and with its timeout. */
function expectTruth(plan: DeadPeerPlan, timeout: number): void {
  const { bounds, promise, warnings, probes, options } = plan;
  const { idle, busy, closedWindow, worst } = bounds;
  expect(Math.max(idle, busy, closedWindow)).toBeLessThanOrEqual(worst);
  if (promise.isToldInTime) expect(worst).toBeLessThanOrEqual(timeout);
  if (worst > timeout) expect(warnings.length).toBeGreaterThan(0);
  expect(promise.sparesLivingPeers).toBe(plan.zeroWindow === 'tolerate');
  // With a user timeout Linux ignores the count.
  if (!options.userTimeout) expect(probes).toBeLessThanOrEqual(options.keepAliveCount as number);
  expect(plan.falseAlarmsPerHour ?? 0).toBeGreaterThanOrEqual(0);
  expect(plan.falseAlarmsPerHour ?? 0).toBeLessThanOrEqual(1);
  expect(plan.falseAlarmsPerHourWriting ?? 0).toBeGreaterThanOrEqual(0);
  expect(plan.falseAlarmsPerHourWriting ?? 0).toBeLessThanOrEqual(1);
  for (const text of [...warnings, plan.why]) expect(text).toMatch(/^[A-Z].*\.$/);
}

describe.each(SYSTEMS)('%s', (platform) => {
  test('every timeout has a plan with possible values that says the truth, or is refused with the smallest', () => {
    const began = performance.now();
    fc.assert(
      fc.property(timeouts, wishes, (timeout, wish) => {
        const plan = (milliseconds: number) =>
          planDeadPeerTimeout(milliseconds, { ...wish, platform });
        try {
          expectPossibleOptions(plan(timeout));
          expectTruth(plan(timeout), timeout);
        } catch (error) {
          if (!('smallestTimeout' in (error as object))) throw error;
          const { smallestTimeout } = error as { smallestTimeout: number };
          expect(smallestTimeout).toBeGreaterThan(timeout);
          expect(() => plan(smallestTimeout)).not.toThrow();
          expect(() => plan(smallestTimeout - 1)).toThrow(RangeError);
        }
      }),
      { numRuns: 1_500 },
    );
    // Each plan takes some microseconds; an endless one would not get here.
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  test('planning ends for every small timeout and number of probes', () => {
    for (let timeout = 1; timeout <= 12_000; timeout += 7) {
      for (const minProbes of [1, 2, 3, 127]) {
        for (const supervise of [true, false]) {
          try {
            planDeadPeerTimeout(timeout, { platform, minProbes, supervise });
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }
    }
  });

  test('maxSilence bounds the silence of an idle connection, with late timers', () => {
    fc.assert(
      fc.property(
        timeouts,
        fc.integer({ min: 2_000, max: 400_000 }),
        fc.boolean(),
        (timeout, maxSilence, supervise) => {
          const plan = planDeadPeerTimeout(timeout, { platform, maxSilence, supervise });
          const { keepAliveInitialDelay, keepAliveInterval } = plan.options;
          expect(plan.maxSilence).toBeLessThanOrEqual(maxSilence);
          for (const delay of [keepAliveInitialDelay, keepAliveInterval] as number[]) {
            expect(delay + timerLateness(delay)).toBeLessThanOrEqual(Math.max(maxSilence, 1_080));
          }
          expect(plan.warnings.join(' ')).not.toContain('maxSilence');
        },
      ),
      { numRuns: 300 },
    );
  });

  test('warns of long silences without maxSilence, with the limits of well-known devices', () => {
    const long = planDeadPeerTimeout(1_800_000, { platform });
    expect(long.warnings.join(' ')).toMatch(/240 s.*350 s.*900 s.*1 h.*Set maxSilence/);
    expect(planDeadPeerTimeout(20_000, { platform }).warnings.join(' ')).not.toContain('350 s');
  });
});

const NEWER_LINUX: PlanRequest = {
  platform: 'linux',
  minProbes: 3,
  zeroWindow: 'tolerate',
  maxSilence: undefined,
  supervise: true,
  hasTimeoutMax: true,
  retransmission: { timeout: 1_000, timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  silence: 0,
  runningTimer: 0,
  assumptions: [],
};

describe('the chances of false alarms', () => {
  const chances = (timeout: number, lossRate: number) => {
    const plan = supervisedPlanFor(NEWER_LINUX, timeout, lossRate);
    return [plan.falseAlarmsPerHour as number, plan.falseAlarmsPerHourWriting as number];
  };

  test('are 0 without loss and 1 at total loss', () => {
    expect(chances(20_000, 0)).toEqual([0, 0]);
    expect(chances(20_000, 1)).toEqual([1, 1]);
  });

  /**
   * Deaths per hour of a made-up sender. `first` is the pause before each round, and `waits` are those between its attempts, in
   * milliseconds. It gives up when no time is left for another attempt.
   */
  function simulate(
    { timeout, loss, rounds }: { timeout: number; loss: number; rounds: number },
    first: number,
    waits: (attempt: number) => number,
  ): number {
    const random = new Random(7);
    const isAnswered = () => random.next() >= loss && random.next() >= loss;
    let [time, deaths] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      let silence = first;
      let attempt = 0;
      let isAlive = false;
      while (silence < timeout - 150 && !isAlive) {
        isAlive = isAnswered();
        if (!isAlive) silence += waits(attempt++);
      }
      time += silence;
      if (!isAlive) deaths++;
    }
    return (deaths / time) * 3_600_000;
  }
  const rateOf = (chance: number) => -Math.log1p(-chance);

  test('idle: match a simulation', () => {
    const [idle] = chances(9_000, 0.1) as [number, number];
    // Two seconds of silence, then a probe each second.
    const setting = { timeout: 9_000, loss: 0.1, rounds: 4_000_000 };
    const share = simulate(setting, 2_000, () => 1_000) / rateOf(idle);
    expect(share).toBeGreaterThan(0.7);
    expect(share).toBeLessThan(1.3);
  });

  test.each([9_000, 12_500, 20_000])('writing: at %d ms, no pace has a larger one', (timeout) => {
    const loss = 0.2;
    const plan = supervisedPlanFor(NEWER_LINUX, timeout, loss);
    const { keepAliveInitialDelay, retransmissionTimeoutMax } = plan.options as Record<
      string,
      number
    >;
    const longest = keepAliveInitialDelay as number;
    const stated = rateOf(plan.falseAlarmsPerHourWriting as number);
    let largest = 0;
    for (const pause of [0, 0.3, 0.6, 0.9, 1].map((share) => share * longest)) {
      for (const first of [200, 400, 640, 820, 1_000]) {
        for (const timer of [(wait: number) => wait, latest]) {
          const waits = (attempt: number) =>
            timer(Math.min(first * 2 ** attempt, retransmissionTimeoutMax as number));
          const rate = simulate({ timeout, loss, rounds: 200_000 }, pause, waits);
          largest = Math.max(largest, rate);
        }
      }
    }
    // The simulation has about a thousand deaths.
    expect(largest).toBeLessThanOrEqual(1.1 * stated);
    expect(largest).toBeGreaterThan(0.5 * stated);
  });
});

describe('a call late in a silence', () => {
  const boundOf = (differences: Partial<PlanRequest>) => {
    const { warnings } = supervisedPlanFor(
      { ...NEWER_LINUX, silence: 6_000, ...differences },
      5_000,
    );
    return 1_000 * Number(/up to ([\d.]+) s from now/.exec(warnings.join(' '))?.[1]);
  };

  test('has a bound for the time from the call: attempts in each eighth of the timeout', () => {
    expect(boundOf({})).toBeGreaterThanOrEqual(2_500);
    expect(boundOf({})).toBeLessThanOrEqual(3_000);
  });

  test('waits for a timer that runs already, if data is in flight or the window is closed', () => {
    expect(boundOf({ runningTimer: 23_000 })).toBeGreaterThanOrEqual(23_000 * 1.125 + 2_500);
    expect(boundOf({ runningTimer: 23_000, hasTimeoutMax: false })).toBeGreaterThanOrEqual(
      23_000 * (1 + 2 + 4),
    );
  });
});

describe('the bounds of a supervised socket', () => {
  const HOUR = 3_600_000;
  const boundsOf = (timeout: number, differences: Partial<PlanRequest> = {}) =>
    supervisedPlanFor({ ...NEWER_LINUX, ...differences }, timeout).bounds;
  const OLDER = { hasTimeoutMax: false };

  // 924.6 s: documentation of net.ipv4.tcp_retries2.
  test('end where the kernel gives up on data in flight', () => {
    for (const { idle, busy } of [boundsOf(HOUR), boundsOf(HOUR, OLDER)]) {
      expect(idle).toBe(HOUR);
      expect(busy).toBeGreaterThan(924_600);
      expect(busy).toBeLessThan(924_600 / 0.8);
    }
    expect(boundsOf(800_000).busy).toBe(800_000);
  });

  test('end where the kernel gives up on a closed window: after 15 probes', () => {
    const { closedWindow } = boundsOf(HOUR, OLDER);
    expect(closedWindow).toBeGreaterThan(16 * 120_000);
    expect(closedWindow).toBeLessThan((16 * 120_000) / 0.8);
  });

  test('follow a doubled timer of the kernel that runs already', () => {
    const retransmission = { ...NEWER_LINUX.retransmission, retries: 3 };
    expect(boundsOf(HOUR, { retransmission }).busy).toBeLessThan(10_000);
    expect(boundsOf(HOUR, { retransmission, runningTimer: 100_000 }).busy).toBeGreaterThan(100_000);
  });

  test('have three probes of a window that was closed for long, before Linux 6.15', () => {
    expect(boundsOf(20_000).closedWindow).toBe(20_000);
    const { closedWindow } = boundsOf(20_000, OLDER);
    expect(closedWindow).toBeGreaterThan(3 * 120_000);
    expect(closedWindow).toBeLessThan((3 * 120_000) / 0.8);
    // One probe has half of the timeout to be answered.
    expect(boundsOf(100_000, { ...OLDER, minProbes: 1 }).closedWindow).toBeGreaterThan(170_000);
  });

  test('of Multipath TCP include its close timeout', () => {
    const mptcp = boundsOf(HOUR, { ...OLDER, platform: 'mptcp' });
    expect(mptcp.busy).toBe(boundsOf(HOUR, OLDER).busy + 60_000);
    // Each further subflow may have to be found stale first: after four retransmissions.
    const { busy } = boundsOf(HOUR, { ...OLDER, platform: 'mptcp', subflows: 3 });
    expect(busy).toBe(mptcp.busy + 2 * 16_000);
  });

  test('include the attempts of a connection whose retransmission timeout is long', () => {
    const retransmission = { ...NEWER_LINUX.retransmission, timeout: 8_000 };
    expect(boundsOf(20_000, { retransmission }).busy).toBe(20_000);
    // A write, and pauses of 8, 8, 16 and 32 s.
    const { busy } = boundsOf(20_000, { ...OLDER, retransmission });
    expect(busy).toBeGreaterThan(64_000);
    expect(busy).toBeLessThan(64_000 / 0.8);
  });

  test('include the pauses of a TCP_RTO_MAX_MS that the program has set since', () => {
    const { idle, closedWindow } = boundsOf(20_000, { heldTimeoutMax: 60_000 });
    expect(idle).toBe(20_000);
    expect(closedWindow).toBeGreaterThan(3 * 60_000);
    expect(boundsOf(20_000, { heldTimeoutMax: 1_000 }).closedWindow).toBeLessThan(20_000);
  });

  test('include a pause between window probes that began when more of them were allowed', () => {
    const retransmission = { ...NEWER_LINUX.retransmission, retries: 3 };
    const timer = { retransmission, runningTimer: 120_000 };
    expect(boundsOf(HOUR, { ...OLDER, ...timer }).closedWindow).toBeGreaterThan(4 * 120_000);
  });
});

describe('with supervision', () => {
  test('returns exact values for 20 s on Linux', () => {
    expect(supervisedPlanFor(NEWER_LINUX, 20_000)).toMatchObject({
      platform: 'linux',
      timeout: 20_000,
      supervised: true,
      options: {
        keepAlive: true,
        keepAliveInitialDelay: 4_000,
        keepAliveInterval: 2_000,
        retransmissionTimeoutMax: 3_851,
      },
      bounds: { idle: 20_000, busy: 20_000, closedWindow: 20_000, worst: 20_000 },
      zeroWindow: 'tolerate',
      warnings: [],
      falseAlarmsPerHour: null,
      measured: true,
      promise: {
        isToldInTime: true,
        sparesLivingPeers: true,
        survivesLostPackets: true,
        isIndependentOfPath: true,
        namesLimits: true,
      },
    });
  });

  test('reads each option once', () => {
    let reads = 0;
    const options = {
      platform: 'darwin' as const,
      supervise: false,
      get minProbes() {
        return reads++ === 0 ? 7 : -1;
      },
    };
    expect(planDeadPeerTimeout(30_000, options).probes).toBe(7);
    expect(reads).toBe(1);
  });
});

describe('a wrong argument', () => {
  test('the error of a timeout that no socket can keep has the smallest one and its reason', () => {
    expect(() => planDeadPeerTimeout(3_999)).toThrow(
      /must be >= 4000 ms \(3 unanswered probes, and the kernel's unit of keepalive times is one second\)\. Received 3999/,
    );
    expect(() => planDeadPeerTimeout(100, { minProbes: 1 })).toThrow('(1 unanswered probe, and');
  });

  test.each([
    ['10s', {}, TypeError, 'number of milliseconds'],
    [Number.NaN, {}, RangeError, '>= 4000'],
    [0, {}, RangeError, '>= 4000'],
    [-5, {}, RangeError, '>= 4000'],
    [2 ** 31, {}, RangeError, '<= 2147483647'],
    [20_000, { platform: 'sunos' }, TypeError, "must be one of 'linux'"],
    [
      20_000,
      { platfrom: 'linux' },
      TypeError,
      'unknown option "platfrom" (did you mean "platform"?)',
    ],
    [20_000, { minProbe: 3 }, TypeError, 'unknown option "minProbe" (did you mean "minProbes"?)'],
    [20_000, { minProbes: 0 }, RangeError, '>= 1'],
    [20_000, { minProbes: 1.5 }, RangeError, 'an integer'],
    [20_000, { minProbes: '3' }, TypeError, 'an integer'],
    [20_000, { lossRate: 5 }, RangeError, '<= 1'],
    [20_000, { zeroWindow: 'kill' }, TypeError, "one of 'fail', 'tolerate'"],
    [20_000, { maxSilence: 1_999 }, RangeError, '>= 2000'],
    [20_000, { maxSilence: '60s' }, TypeError, 'number of milliseconds'],
    [20_000, { supervise: 'no' }, TypeError, 'boolean'],
    [20_000, { retransmissionTimeout: 0 }, RangeError, '>= 1'],
    [20_000, null, TypeError, 'an object'],
  ])('rejects %j with %j', (timeout, options, type, message) => {
    const call = () => planDeadPeerTimeout(timeout as never, options as never);
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});
