// The rules of the systems as formulas, against a model of the kernel's timers that are late by chance.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as rules from '../../lib/dead-peer/kernel-rules';
import * as retransmission from '../../lib/dead-peer/retransmission';
import { latest, timerLateness } from '../../lib/dead-peer/timer-lateness';

/** A retransmission timeout of 0.2 s, and what Linux has for the rest. */
const LAN = { timeout: 200, timeoutMin: 200, timeoutMax: 120_000, retries: 15 };

const seconds = (I: number, V: number, C: number, U = 0) => ({
  keepAlive: I > 0,
  keepAliveInitialDelay: I * 1_000,
  keepAliveInterval: V * 1_000,
  keepAliveCount: C,
  userTimeout: U * 1_000,
});

/** Numbers from 0 to 1: how late each timer is, as a share of the greatest lateness. */
const lateness = fc.infiniteStream(fc.constantFrom(0, 0.001, 0.3, 0.7, 1));
const firing = (late: IterableIterator<number>) => (duration: number) =>
  duration + Math.round((late.next().value as number) * timerLateness(duration));

test('a timer is late by up to an eighth', () => {
  expect(timerLateness(4)).toBeLessThanOrEqual(10);
  fc.assert(
    fc.property(fc.integer({ min: 700, max: 10_000_000 }), (duration) => {
      expect(latest(duration)).toBeGreaterThan(duration);
      expect(latest(duration)).toBeLessThanOrEqual(duration * 1.13);
    }),
  );
});

describe('an idle connection on Linux', () => {
  // Initial delay, interval, count, user timeout, and the seconds after which Linux 6.18 was seen to end it, rounded to
  // what its rule gives.
  test.each([
    [2, 1, 3, 0, 5],
    [1, 1, 1, 0, 2],
    [2, 1, 3, 10, 10],
    [2, 1, 1, 8, 8],
    [4, 1, 3, 1, 5],
    [2, 2, 9, 5, 6],
    [3, 1, 9, 3, 4],
    [2, 1, 3, 0.001, 3],
    [5, 1, 3, 0, 8],
    [1, 1, 10, 2.5, 3],
    [1, 1, 3, 8, 8],
    [2, 1, 3, 1.5, 3],
    [1, 1, 3, 4, 4],
  ])('%d + %d x %d s, user timeout %d s: seen %d s', (I, V, C, U, seen) => {
    const { idle } = rules.boundsOf('linux', seconds(I, V, C, U), LAN);
    expect(idle).toBeGreaterThan(seen * 1_000);
    expect(idle).toBeLessThanOrEqual(seen * 1_130);
  });

  test.each([
    [2, 3, 9, 6, 8],
    [1, 5, 2, 3, 6],
  ])(
    'with an interval above the initial delay, an answered probe delays the first one',
    (I, V, C, U, seen) => {
      const { idle } = rules.boundsOf('linux', seconds(I, V, C, U), LAN);
      expect(idle).toBeGreaterThan(seen * 1_000);
      expect(rules.boundsOf('linux', seconds(I, V, C), LAN).idle).toBe(latest(V * 1_000) * (C + 1));
    },
  );

  test('with a time that could not be read, it may never end', () => {
    for (const U of [0, 5]) {
      for (const [I, V] of [
        [Infinity, 1],
        [1, Infinity],
        [Infinity, Infinity],
      ] as const) {
        const { idle } = rules.boundsOf('linux', seconds(I, V, 3, U), LAN);
        expect(idle).toBe(Number.POSITIVE_INFINITY);
        expect(rules.probesOf('linux', seconds(I, V, 3, U))).toBeGreaterThan(0);
      }
    }
  });

  test('no order of late timers ends it after the bound, or after fewer probes than stated', () => {
    const whole = (max: number) => fc.integer({ min: 1, max });
    const values = fc.record({ I: whole(300), V: whole(100), C: whole(12) });
    fc.assert(
      fc.property(
        values,
        fc.double({ min: 0, max: 900, noNaN: true }),
        fc.boolean(),
        lateness,
        ({ I, V, C }, U, isAnswer, late) => {
          const chosen = seconds(I, V, C, Math.max(0, U - 50));
          const { keepAliveInterval, keepAliveInitialDelay, userTimeout } = chosen;
          const fire = firing(late);
          // tcp_keepalive_timer(): after an answered probe, the next timer is due an interval later.
          let now = isAnswer ? fire(keepAliveInterval) : 0;
          if (now < keepAliveInitialDelay) now += fire(keepAliveInitialDelay - now);
          let probes = 0;
          const isOver = () =>
            userTimeout > 0 ? now >= userTimeout && probes > 0 : probes >= chosen.keepAliveCount;
          while (!isOver()) {
            probes++;
            now += fire(keepAliveInterval);
          }
          expect(now).toBeLessThanOrEqual(rules.boundsOf('linux', chosen, LAN).idle);
          expect(probes).toBeGreaterThanOrEqual(rules.probesOf('linux', chosen));
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

describe('data that is not acknowledged on Linux', () => {
  test('the user timeout counts from the first retransmission, which a tail-loss probe delays', () => {
    const { busy, idle, worst } = rules.boundsOf('linux', seconds(2, 1, 3, 5), LAN);
    expect(busy).toBeGreaterThan(200 + 200 + 5_000);
    expect(busy).toBeLessThan(1.1 * (200 + 200 + 5_000));
    expect(worst).toBe(idle + busy);
    const { idle: never } = rules.boundsOf('linux', seconds(0, 1, 3, 3), LAN);
    expect(never).toBe(Number.POSITIVE_INFINITY);
  });

  // Retransmission timeout, count, longest timeout, and what the kernel was seen to take, in seconds.
  test.each([
    [208, 15, 120_000, 939.4],
    [208, 3, 120_000, 6.8],
  ])(
    'without a user timeout: %d ms, %d retransmissions, at most %d ms',
    (timeout, retries, timeoutMax, seen) => {
      const after = retransmission.untilGivenUp({ timeout, timeoutMin: 200, timeoutMax, retries });
      expect(after / 1_000).toBeGreaterThanOrEqual(seen);
      expect(after / 1_000).toBeLessThan(seen * 1.2);
    },
  );

  test('no order of late timers ends it after the bound', () => {
    const settings = fc.record({
      timeout: fc.integer({ min: 200, max: 130_000 }),
      timeoutMax: fc.constantFrom(1_000, 1_177, 3_000, 40_000, 120_000),
      retries: fc.integer({ min: 0, max: 20 }),
    });
    const userTimeouts = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 600_000 }));
    fc.assert(
      fc.property(settings, userTimeouts, lateness, (wish, userTimeout, late) => {
        const given = { ...wish, timeoutMin: 200 };
        const longest = given.timeoutMax;
        const fire = firing(late);
        let wait = Math.min(given.timeout, longest);
        // tcp_send_loss_probe() restarts the timeout.
        let now = fire(wait) + fire(wait);
        const began = now;
        const limit = userTimeout || modelTimeout(given.retries, longest);
        // retransmits_timed_out(), tcp_clamp_rto_to_user_timeout()
        while (now - began < limit) {
          wait = Math.min(2 * wait, longest);
          const rest = limit - (now - began);
          now += fire(userTimeout > 0 ? Math.min(wait, rest) : wait);
        }
        const { busy } = rules.boundsOf('linux', seconds(1, 1, 1, userTimeout / 1_000), given);
        expect(now).toBeLessThanOrEqual(busy);
      }),
      { numRuns: 3_000 },
    );
  });

  /** tcp_model_timeout() */
  function modelTimeout(retries: number, longest: number): number {
    const doublings = Math.floor(Math.log2(longest / 200));
    if (retries <= doublings) return (2 ** (retries + 1) - 1) * 200;
    return (2 ** (doublings + 1) - 1) * 200 + (retries - doublings) * longest;
  }

  test('the rules return for settings that no kernel has', () => {
    const hostile = fc.constantFrom(-1, 0, 0.001, 1, 200, 120_000, 1e9, 2 ** 53);
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, hostile, (timeout, min, max, retries, U) => {
        const given = { timeout, timeoutMin: min, timeoutMax: max, retries };
        const values = { ...seconds(1, 1, 1), userTimeout: Math.max(0, U) };
        const { busy, closedWindow } = rules.boundsOf('linux', values, given);
        expect(busy).toBeGreaterThanOrEqual(0);
        expect(closedWindow).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a closed window on Linux', () => {
  test('without a user timeout, the probes end when one more than tcp_retries2 is due', () => {
    const limited = { ...LAN, timeoutMax: 1_000 };
    const { closedWindow } = rules.boundsOf('linux', seconds(2, 1, 3), limited);
    expect(closedWindow).toBe(16 * latest(1_000));
  });

  test('with a user timeout, it counts from the first probe, and the probes are counted, too', () => {
    const at = (U: number, timeoutMax: number) =>
      rules.boundsOf('linux', seconds(2, 1, 3, U), { ...LAN, timeoutMax }).closedWindow;
    expect(at(10, 120_000)).toBeGreaterThan(10_200);
    expect(at(10, 120_000)).toBeLessThan(11_400);
    expect(at(100, 1_000)).toBe(16 * latest(1_000));
  });
});

describe('the rules of other systems', () => {
  test('MPTCP: keepalive and retransmissions, and a minute after the last subflow', () => {
    const tcp = rules.boundsOf('linux', seconds(2, 1, 3), LAN);
    const mptcp = rules.boundsOf('mptcp', seconds(2, 1, 3), LAN);
    expect(mptcp.idle).toBe(tcp.idle + 60_000);
    expect(mptcp.busy).toBe(tcp.busy + 60_000);
  });

  // From their documentation and source.
  test('macOS and FreeBSD: keepalive also covers data in flight', () => {
    for (const system of ['darwin', 'freebsd'] as const) {
      const { idle, ...others } = rules.boundsOf(system, seconds(2, 1, 3), LAN);
      expect(idle).toBe(latest(2_000) + 3 * latest(1_000));
      expect(others).toEqual({ busy: idle, closedWindow: idle, worst: idle });
      // Without keepalive, the retransmission count decides, or the user timeout and one more wait.
      const off = rules.boundsOf(system, seconds(0, 1, 3, 2), { ...LAN, timeoutMax: 64_000 });
      expect(off.worst).toBe(Number.POSITIVE_INFINITY);
      expect(off.busy).toBe(latest(200) + 2_000 + latest(64_000));
    }
  });

  test('gVisor: the probe count or the user timeout ends the connection, whichever comes first', () => {
    expect(rules.probesOf('gvisor', seconds(1, 1, 3, 10))).toBe(3);
    expect(rules.probesOf('gvisor', seconds(1, 1, 9, 3.5))).toBe(3);
    // Measured: 4 and 5 s after 1 s of silence, and 6.2 s after the write.
    expect(rules.boundsOf('gvisor', seconds(2, 1, 3, 10), LAN).idle).toBeGreaterThan(5_000);
    expect(rules.boundsOf('gvisor', seconds(2, 1, 30, 6), LAN).busy).toBeGreaterThan(6_210);
  });

  test('Windows: the probe count alone ends an idle connection', () => {
    const { idle, busy, worst } = rules.boundsOf('win32', seconds(2, 1, 3, 9), LAN);
    expect(idle).toBe(latest(2_000) + 3 * latest(1_000));
    expect(busy).toBeGreaterThan(9_400);
    expect(worst).toBe(idle + busy);
  });
});

test('falseAlarmsPerHour counts the keepalive rounds that fit into an hour', () => {
  const unanswered = 0.75;
  expect(rules.falseAlarmsPerHour('linux', seconds(3_600, 1, 1), 0.5)).toBeCloseTo(unanswered, 10);
  const rounds = 1 / (1 + unanswered);
  const two = 1 - (1 - unanswered ** 2) ** rounds;
  expect(rules.falseAlarmsPerHour('linux', seconds(3_600, 3_600, 2), 0.5)).toBeCloseTo(two, 10);
  expect(rules.falseAlarmsPerHour('linux', seconds(0, 1, 3), 0.5)).toBe(0);
});
