// Timeouts for peers that vanish: the plans and bounds as numbers, and what they leave in the kernel.
// What the kernel then does is watched by test/lanes/dead-peers/.

import { once } from 'node:events';
import net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  explainDisconnect,
  getDeadPeerBounds,
  getKeepAlive,
  getOption,
  planDeadPeerTimeout,
  setDeadPeerTimeout,
  setKeepAlive,
  setOptions,
} from '../../dist/index.js';
import { rows } from '../../lib/catalogue/catalogue';
import type * as deadPeerTimeout from '../../lib/dead-peer/dead-peer-timeout';
import * as rules from '../../lib/dead-peer/rules';
import { fdOf, withPair } from '../support/net';
import { onLinux } from '../support/platform';
import { getInt } from '../support/reference-addon';

const SYSTEMS = ['linux', 'darwin', 'win32', 'freebsd', 'gvisor'] as const;

/** A retransmission timeout of 0.2 s, and what Linux has for the rest. */
const LAN = { timeout: 200, timeoutMin: 200, timeoutMax: 120_000, retries: 15 };

const seconds = (I: number, V: number, C: number, U = 0) => ({
  keepAlive: I > 0,
  keepAliveInitialDelay: I * 1_000,
  keepAliveInterval: V * 1_000,
  keepAliveCount: C,
  userTimeout: U * 1_000,
});

// Initial delay, interval, count, user timeout, and the seconds after which Linux 6.18 was seen to
// end an idle connection, rounded to what its rule gives.
const SEEN: readonly (readonly [number, number, number, number, number])[] = [
  [2, 1, 3, 0, 5],
  [1, 1, 1, 0, 2],
  [2, 1, 3, 10, 10],
  [2, 1, 1, 8, 8],
  [4, 1, 3, 1, 5],
  [2, 2, 9, 5, 6],
  [2, 3, 9, 6, 8],
  [1, 5, 2, 3, 6],
  [3, 1, 9, 3, 4],
  [2, 1, 3, 0.001, 3],
  [5, 1, 3, 0, 8],
  [1, 1, 10, 2.5, 3],
  [1, 1, 3, 8, 8],
  [2, 1, 3, 1.5, 3],
  [1, 1, 3, 4, 4],
];

describe('the rules of Linux', () => {
  test.each(SEEN)('idle: %d + %d x %d s, user timeout %d s: %d s', (I, V, C, U, idle) => {
    expect(rules.boundsOf('linux', seconds(I, V, C, U), LAN).idle).toBe(idle * 1_000);
  });

  test.for(SEEN)(
    'of a socket: %d + %d x %d s, user timeout %d s: %d s',
    async ([I, V, C, U, idle], context) => {
      onLinux('its rules, of its sockets')(context);
      await withPair(({ client }) => {
        const { userTimeout, ...keepAlive } = seconds(I, V, C, U);
        setOptions(client, { ...keepAlive, userTimeout });
        expect(getDeadPeerBounds(client).idle).toBe(idle * 1_000);
      });
    },
  );

  test('busy adds the retransmission timeout to the user timeout, counted from the write', () => {
    const bounds = rules.boundsOf('linux', seconds(2, 1, 3, 5), LAN);
    expect(bounds).toEqual({ idle: 5_000, busy: 5_200, worst: 10_200 });
    expect(rules.boundsOf('linux', seconds(0, 1, 3, 3), LAN)).toEqual({
      idle: Number.POSITIVE_INFINITY,
      busy: 3_200,
      worst: Number.POSITIVE_INFINITY,
    });
  });

  // Retransmission timeout, count, longest timeout, and what the kernel was seen to take, in seconds.
  test.each([
    [208, 15, 120_000, 939.4],
    [208, 3, 120_000, 6.8],
  ])(
    'data without a user timeout: %d ms, %d retransmissions, at most %d ms',
    (timeout, retries, timeoutMax, seen) => {
      const after = rules.givesUpAfter({ timeout, timeoutMin: 200, timeoutMax, retries }) / 1_000;
      // The kernel's timers are late by up to an eighth, and never early.
      expect(after).toBeLessThanOrEqual(seen + 0.5);
      expect(after).toBeGreaterThan(seen * 0.87);
    },
  );
});

test('givesUpAfter returns for settings that no kernel has', () => {
  const hostile = fc.constantFrom(-1, 0, 0.001, 1, 200, 120_000, 1e9, 2 ** 53);
  fc.assert(
    fc.property(hostile, hostile, hostile, hostile, (timeout, timeoutMin, timeoutMax, retries) => {
      const after = rules.givesUpAfter({ timeout, timeoutMin, timeoutMax, retries });
      expect(after).toBeGreaterThanOrEqual(timeout);
    }),
    { numRuns: 1_000 },
  );
  // Without retransmissions: at the first one after the shortest timeout.
  expect(rules.givesUpAfter({ ...LAN, retries: 0 })).toBe(600);
});

test('givesUpAfter ends at the last retransmission timeout, and not one later', () => {
  const always = { timeout: 200, timeoutMin: 200, timeoutMax: 200, retries: 3 };
  expect(rules.givesUpAfter(always)).toBe(1_000);
});

test('falseAlarmsPerHour counts the keepalive rounds that fit into an hour', () => {
  const unanswered = 0.75;
  expect(rules.falseAlarmsPerHour('linux', seconds(3_600, 1, 1), 0.5)).toBeCloseTo(unanswered, 10);
  const rounds = 1 / (1 + unanswered);
  const two = 1 - (1 - unanswered ** 2) ** rounds;
  expect(rules.falseAlarmsPerHour('linux', seconds(3_600, 3_600, 2), 0.5)).toBeCloseTo(two, 10);
  expect(rules.falseAlarmsPerHour('linux', seconds(0, 1, 3), 0.5)).toBe(0);
});

describe('the rules of other systems, from their documentation and source', () => {
  test('macOS and FreeBSD: keepalive also covers data in flight', () => {
    for (const system of ['darwin', 'freebsd'] as const) {
      expect(rules.boundsOf(system, seconds(2, 1, 3, 0), LAN)).toEqual({
        idle: 5_000,
        busy: 5_000,
        worst: 5_000,
      });
      // Without keepalive, the retransmission count decides, or the user timeout and one more wait.
      const off = rules.boundsOf(system, seconds(0, 1, 3, 2), { ...LAN, timeoutMax: 64_000 });
      expect(off).toEqual({
        idle: Number.POSITIVE_INFINITY,
        busy: 66_200,
        worst: Number.POSITIVE_INFINITY,
      });
    }
  });

  test('gVisor: the probe count or the user timeout ends the connection, whichever comes first', () => {
    expect(rules.probesOf('gvisor', seconds(1, 1, 3, 10))).toBe(3);
    expect(rules.probesOf('gvisor', seconds(1, 1, 9, 3.5))).toBe(3);
  });

  test('Windows: the probe count alone ends an idle connection', () => {
    expect(rules.boundsOf('win32', seconds(2, 1, 3, 9), LAN)).toEqual({
      idle: 5_000,
      busy: 9_200,
      worst: 14_200,
    });
  });
});

describe('planDeadPeerTimeout', () => {
  test.each(SYSTEMS)(
    '%s: the plan stays within the timeout with late timers, and has at least minProbes probes',
    (platform) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 3_000, max: 10_000_000 }),
          fc.integer({ min: 1, max: 8 }),
          fc.constantFrom(200, 1_000, 3_000),
          (timeout, minProbes, retransmissionTimeout) => {
            let plan: ReturnType<typeof planDeadPeerTimeout>;
            try {
              plan = planDeadPeerTimeout(timeout, { platform, minProbes, retransmissionTimeout });
            } catch (error) {
              // The reported smallest timeout is possible, and is greater than the given one.
              const { smallestTimeout } = error as { smallestTimeout: number };
              expect(smallestTimeout).toBeGreaterThan(timeout);
              const options = { platform, minProbes, retransmissionTimeout };
              expect(() => planDeadPeerTimeout(smallestTimeout, options)).not.toThrow();
              expect(() => planDeadPeerTimeout(smallestTimeout - 1, options)).toThrow(RangeError);
              return;
            }
            const { bounds, probes, options } = plan;
            expect(probes).toBeGreaterThanOrEqual(minProbes);
            expect(bounds.worst).toBeLessThanOrEqual(timeout + 250);
            expect(Math.max(bounds.idle, bounds.busy)).toBeLessThanOrEqual(bounds.worst);
            // Whole seconds, as the kernels take them.
            expect((options.keepAliveInitialDelay as number) % 1_000).toBe(0);
            expect((options.keepAliveInterval as number) % 1_000).toBe(0);
            expect(options.keepAliveCount).toBe(probes);
            // A long timeout is not wasted: the plan uses at least half of it.
            if (timeout > 60_000) expect(bounds.worst).toBeGreaterThan(timeout / 2);
          },
        ),
        { numRuns: 300 },
      );
    },
  );

  test.each(SYSTEMS)(
    '%s: each value is in the range of its option, or the error has a possible smallestTimeout',
    (platform) => {
      const timeouts = fc.oneof(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.double({ min: 0.001, max: 60_000, noNaN: true }),
        fc.integer({ min: 1, max: 10_000 }),
        // Around the limits of the search and of the options.
        fc.integer({ min: -2, max: 2 }).map((near) => 32_767_000 + near),
        fc.constantFrom(1, 999, 1_000, 1_001, 1_910, 20_000, 40_000, 2 ** 31 - 1),
      );
      const options = fc.record({
        minProbes: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 127 })),
        zeroWindow: fc.constantFrom('fail' as const, 'tolerate' as const),
        retransmissionTimeout: fc.oneof(
          fc.constantFrom(1, 200, 1_000, 3_000, 120_000),
          fc.double({ min: 1, max: 120_000, noNaN: true }),
        ),
        lossRate: fc.constantFrom(undefined, 0, 0.05, 1),
      });
      const inRange = (name: string, value: unknown) => {
        const {
          min = 0,
          max = 0,
          unit,
        } = rows[name]?.[platform === 'gvisor' ? 'linux' : platform] ?? {};
        const units = (value as number) / { s: 1_000, ms: 1, us: 0.001 }[unit ?? 'ms'];
        expect({ name, units, isInteger: Number.isInteger(units) }).toMatchObject({
          isInteger: true,
        });
        expect(units, name).toBeLessThanOrEqual(max);
        // The kernel uses 0 for "no user timeout".
        if (name !== 'userTimeout' || units !== 0) expect(units, name).toBeGreaterThanOrEqual(min);
      };
      const began = performance.now();
      fc.assert(
        fc.property(timeouts, options, (timeout, wish) => {
          const plan = (milliseconds: number) =>
            planDeadPeerTimeout(milliseconds, { ...wish, platform });
          try {
            const { probes, bounds, options, falseAlarmsPerHour } = plan(timeout);
            expect(probes).toBeGreaterThanOrEqual(wish.minProbes);
            expect(bounds.worst).toBeLessThanOrEqual(timeout + 250);
            expect(Math.max(bounds.idle, bounds.busy)).toBeLessThanOrEqual(bounds.worst);
            for (const [name, value] of Object.entries(options)) {
              if (name !== 'keepAlive') inRange(name, value);
            }
            expect(falseAlarmsPerHour ?? 0).toBeGreaterThanOrEqual(0);
            expect(falseAlarmsPerHour ?? 0).toBeLessThanOrEqual(1);
          } catch (error) {
            if (wish.zeroWindow === 'tolerate' && ['win32', 'gvisor'].includes(platform)) {
              expect(String(error)).toContain(`'tolerate' on ${platform}`);
              return;
            }
            expect(error).toBeInstanceOf(RangeError);
            const { smallestTimeout } = error as { smallestTimeout: number };
            expect(smallestTimeout).toBeGreaterThan(timeout);
            expect(() => plan(smallestTimeout)).not.toThrow();
            if (smallestTimeout > 1) expect(() => plan(smallestTimeout - 1)).toThrow(RangeError);
          }
        }),
        { numRuns: 2_000 },
      );
      // Each plan takes some microseconds; an endless one would not get here.
      expect(performance.now() - began).toBeLessThan(30_000);
    },
  );

  test('the error explains the smallest timeout by the values that decide on that system', () => {
    const refusal = (platform: 'darwin' | 'linux') => {
      try {
        return String(planDeadPeerTimeout(100, { platform, minProbes: 1 }));
      } catch (error) {
        return String(error);
      }
    };
    expect(refusal('darwin')).toContain('(1 unanswered probe). Received 100');
    expect(refusal('linux')).toContain('(1 unanswered probe, retransmission timeout 1000 ms)');
    // The recommended number is accepted.
    expect(planDeadPeerTimeout(1_910, { platform: 'darwin', minProbes: 1 }).probes).toBe(1);
  });

  test('reads each option once', () => {
    let reads = 0;
    const options = {
      platform: 'darwin' as const,
      get minProbes() {
        return reads++ === 0 ? 7 : -1;
      },
    };
    expect(planDeadPeerTimeout(30_000, options).probes).toBe(7);
    expect(reads).toBe(1);
  });

  test('a late keepalive timer never ends a connection after fewer than 3 probes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 9_000, max: 20_000_000 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (timeout, late) => {
          const { options, bounds } = planDeadPeerTimeout(timeout, { platform: 'linux' });
          const [delay, interval, user] = [
            options.keepAliveInitialDelay,
            options.keepAliveInterval,
            options.userTimeout,
          ] as [number, number, number];
          const fire = (duration: number) =>
            duration + (late.next().value as number) * rules.timerLateness(duration);
          // tcp_keepalive_timer(): a probe whenever it fires, until as much time has passed.
          let [now, probes] = [fire(delay), 0];
          while (now < user || probes === 0) {
            probes++;
            now += fire(interval);
          }
          expect(probes).toBeGreaterThanOrEqual(3);
          expect(now + bounds.busy).toBeLessThanOrEqual(timeout + 250);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('returns exact values for 20 s on Linux', () => {
    expect(planDeadPeerTimeout(20_000, { platform: 'linux', lossRate: 0.05 })).toEqual({
      platform: 'linux',
      timeout: 20_000,
      options: {
        keepAlive: true,
        keepAliveInitialDelay: 4_000,
        keepAliveInterval: 1_000,
        keepAliveCount: 5,
        userTimeout: 8_720,
      },
      probes: 5,
      retransmissionTimeout: 1_000,
      bounds: { idle: 9_000, busy: 9_720, worst: 18_720 },
      zeroWindow: 'fail',
      falseAlarmsPerHour: expect.closeTo(0.00765, 4),
      why: expect.stringContaining('4 s of silence and then every 1 s'),
      measured: true,
    });
  });

  test("zeroWindow 'tolerate' sets no user timeout and limits the retransmission timeout", () => {
    const plan = planDeadPeerTimeout(30_000, { platform: 'linux', zeroWindow: 'tolerate' });
    expect(plan.options).toMatchObject({ userTimeout: 0, retransmissionTimeoutMax: 1_176 });
    expect(plan.bounds.worst).toBeLessThan(30_000);
    expect(() =>
      planDeadPeerTimeout(15_000, { platform: 'linux', zeroWindow: 'tolerate' }),
    ).toThrow(/>= 23195 ms/);
  });

  test('macOS: plans shorter timeouts, without a user timeout', () => {
    const plan = planDeadPeerTimeout(5_000, { platform: 'darwin' });
    expect(plan.options).not.toHaveProperty('userTimeout');
    expect(plan).toMatchObject({ probes: 3, measured: false, zeroWindow: 'tolerate' });
    expect(planDeadPeerTimeout(20_000, { platform: 'darwin' }).options).toEqual({
      keepAlive: true,
      keepAliveInitialDelay: 13_000,
      keepAliveInterval: 1_000,
      keepAliveCount: 5,
    });
  });

  test('keepAliveCount is the number of probes that are sent with late timers', () => {
    const count = (platform: 'linux' | 'win32') =>
      planDeadPeerTimeout(2_160_000, { platform }).options.keepAliveCount;
    // Timers of such a long delay may be so late that the user timeout needs one more probe.
    expect([count('linux'), count('win32')]).toEqual([6, 5]);
  });

  test('falseAlarmsPerHour is 0 without loss, 1 at total loss, and matches a simulation at 5 %', () => {
    const plan = (lossRate: number) => planDeadPeerTimeout(9_000, { platform: 'linux', lossRate });
    expect(plan(0).falseAlarmsPerHour).toBe(0);
    expect(plan(1).falseAlarmsPerHour).toBe(1);
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
    expect(plan(loss).falseAlarmsPerHour).toBeCloseTo(perHour, 1);
  });

  test.each([
    ['10s', {}, TypeError, 'number of milliseconds'],
    [Number.NaN, {}, RangeError, '> 0'],
    [0, {}, RangeError, '> 0'],
    [-5, {}, RangeError, '> 0'],
    [2 ** 31, {}, RangeError, '<= 2147483647'],
    [5_000, {}, RangeError, '3 unanswered probes, retransmission timeout 1000 ms'],
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
    [60_000, { zeroWindow: 'tolerate', platform: 'win32' }, TypeError, "'tolerate' on win32"],
    [60_000, { zeroWindow: 'tolerate', platform: 'gvisor' }, TypeError, "'tolerate' on gvisor"],
    [20_000, { retransmissionTimeout: 0 }, RangeError, '>= 1'],
    [20_000, null, TypeError, 'an object'],
  ])('rejects %j with %j', (timeout, options, type, message) => {
    const call = () => planDeadPeerTimeout(timeout as never, options as never);
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});

describe('setDeadPeerTimeout', () => {
  beforeEach(onLinux('the values of its plan, with a user timeout'));
  const TCP = 6;
  const held = (socket: object, fd = fdOf(socket)) => ({
    enable: getInt(fd, 1, 9),
    initialDelay: getInt(fd, TCP, 4),
    interval: getInt(fd, TCP, 5),
    count: getInt(fd, TCP, 6),
    userTimeout: getInt(fd, TCP, 18),
  });

  test('sets the values of its plan in the kernel', async () => {
    await withPair(({ client }) => {
      const plan = setDeadPeerTimeout(client, 20_000);
      expect(plan.bounds).toEqual({ idle: 9_000, busy: 9_720, worst: 18_720 });
      expect(held(client)).toEqual({
        enable: 1,
        initialDelay: 4,
        interval: 1,
        count: 5,
        userTimeout: 8_720,
      });
      // The retransmission timeout of the kernel is shorter than the one in the plan.
      expect(getDeadPeerBounds(client)).toMatchObject({ idle: 9_000, worst: expect.any(Number) });
      expect(getDeadPeerBounds(client).worst).toBeLessThan(18_720);
    });
  });

  test('a returned plan is frozen, so a caller cannot change a later one', async () => {
    await withPair(({ client, accepted }) => {
      const plan = setDeadPeerTimeout(client, 20_000);
      expect(() => {
        (plan.options as { keepAlive?: boolean }).keepAlive = false;
      }).toThrow(TypeError);
      expect(() => {
        delete (plan.options as { userTimeout?: number }).userTimeout;
      }).toThrow(TypeError);
      expect(() => {
        (plan.bounds as { worst: number }).worst = 1;
      }).toThrow(TypeError);
      expect(() => {
        (plan as { probes: number }).probes = 1;
      }).toThrow(TypeError);
      setDeadPeerTimeout(accepted, 20_000);
      expect(held(accepted)).toMatchObject({ enable: 1, count: 5, userTimeout: 8_720 });
    });
  });

  test('uses the retransmission timeout of the connection if the default does not fit', async () => {
    await withPair(({ client }) => {
      expect(() => planDeadPeerTimeout(8_300)).toThrow(RangeError);
      const plan = setDeadPeerTimeout(client, 8_300);
      expect(plan.bounds.worst).toBeLessThan(8_000);
      expect(setDeadPeerTimeout(client, 6_000, { minProbes: 2 }).probes).toBe(2);
      expect(setDeadPeerTimeout(client, 5_000, { minProbes: 1 }).probes).toBe(1);
    });
  });

  test('rejects a timeout that is too small, reports the smallest, and sets nothing', async () => {
    await withPair(({ client }) => {
      const before = held(client);
      expect(() => setDeadPeerTimeout(client, 5_000)).toThrow(/must be >= \d{4} ms \(3 unanswered/);
      expect(() => setDeadPeerTimeout(client, '5' as never)).toThrow(TypeError);
      expect(() => setDeadPeerTimeout(client, 20_000, { minprobes: 1 } as never)).toThrow(
        TypeError,
      );
      expect(held(client)).toEqual(before);
    });
  });

  test('null restores the values of a new socket', async () => {
    await withPair(({ client }) => {
      const before = held(client);
      setDeadPeerTimeout(client, 30_000, { zeroWindow: 'tolerate' });
      expect(getOption(client, 'retransmissionTimeoutMax')).toBeGreaterThanOrEqual(1_176);
      expect(getOption(client, 'retransmissionTimeoutMax')).toBeLessThan(1_190);
      setDeadPeerTimeout(client, 20_000);
      expect(setDeadPeerTimeout(client, null)).toBeNull();
      expect(held(client)).toEqual(before);
      expect(getOption(client, 'retransmissionTimeoutMax')).toBe(120_000);
    });
  });

  test('connections that a server accepts inherit its values', async () => {
    const server = net.createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    setDeadPeerTimeout(server, 20_000);
    const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    expect(held(accepted)).toMatchObject({ enable: 1, initialDelay: 4, userTimeout: 8_720 });
    expect(server.listenerCount('connection')).toBe(0);
    expect(getDeadPeerBounds(server)).toMatchObject({ idle: 9_000, worst: 18_720 });
    client.destroy();
    accepted.destroy();
    server.close();
  });

  test('throws for sockets that are not open, not listening, or no sockets', () => {
    expect(() => setDeadPeerTimeout(new net.Socket(), 20_000)).toThrow('not open');
    expect(() => setDeadPeerTimeout(net.createServer(), 20_000)).toThrow('not listening');
    expect(() => setDeadPeerTimeout({} as never, 20_000)).toThrow(TypeError);
    expect(() => getDeadPeerBounds(99_999)).toThrow('EBADF');
  });
});

describe('a server on a system where connections do not inherit every option', () => {
  const { platform } = process;
  let copy: typeof deadPeerTimeout;
  const set: [unknown, unknown][] = [];

  beforeAll(async () => {
    // Loads the module as on macOS, over mocks that record their calls.
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    vi.resetModules();
    vi.doMock('../../lib/core/socket', () => ({ descriptorOf: fdOf }));
    vi.doMock('../../lib/tcp-info/get-tcp-info', () => ({ getTcpInfo: () => ({ rto: null }) }));
    vi.doMock('../../lib/options/option', () => ({ isSupported: () => false }));
    vi.doMock('../../lib/options/keepalive', () => ({}));
    vi.doMock('../../lib/options/options', () => ({
      setOptions: (socket: unknown, options: unknown) => set.push([socket, options]),
    }));
    copy = await import('../../lib/dead-peer/dead-peer-timeout.js');
  });
  afterAll(() => {
    Object.defineProperty(process, 'platform', { value: platform });
    vi.doUnmock('../../lib/core/socket');
    vi.resetModules();
  });

  test('sets the options once on each accepted connection, until null ends it', async () => {
    const server = net.createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const accept = async () => {
      const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
      const [accepted] = (await once(server, 'connection')) as [net.Socket];
      client.destroy();
      accepted.destroy();
      return accepted;
    };
    copy.setDeadPeerTimeout(server, 30_000);
    const plan = copy.setDeadPeerTimeout(server, 20_000);
    expect(plan?.options).not.toHaveProperty('userTimeout');
    set.length = 0;
    const accepted = await accept();
    expect(set).toEqual([[accepted, plan?.options]]);
    copy.setDeadPeerTimeout(server, null);
    set.length = 0;
    await accept();
    expect(set).toEqual([]);
    expect(server.listenerCount('connection')).toBe(0);
    server.close();
  });
});

describe('getDeadPeerBounds', () => {
  beforeEach(onLinux('the rules of its sockets'));
  const said = (socket: net.Socket) => getDeadPeerBounds(socket).warnings.join('\n');

  test('a new socket is never given up while idle, and after about 15 minutes while it sends', async () => {
    await withPair(({ client }) => {
      const { idle, busy, worst } = getDeadPeerBounds(client);
      expect([idle, worst]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
      expect(busy).toBeGreaterThan(924_000);
      expect(busy).toBeLessThan(1_100_000);
      expect(said(client)).toContain('keepalive is off');
      expect(said(client)).toMatch(/hangs for about 1[5-8] minutes/);
    });
  });

  test('warns of each unsafe value', async () => {
    await withPair(({ client }) => {
      client.setKeepAlive(true);
      expect(said(client)).toContain('detected after 2 h 11 min');
      setKeepAlive(client, { enable: true, initialDelay: 2_000, interval: 1_000, count: 3 });
      expect(said(client)).toMatch(/^there is no user timeout/);
      setOptions(client, { userTimeout: 1_500 });
      expect(said(client)).toContain('(1.5 s) is shorter than initial delay plus interval (3 s)');
      expect(said(client)).toContain('one lost keepalive probe ends a living connection');
      setOptions(client, { userTimeout: 10_000 });
      expect(said(client)).toContain('the probe count (3) is ignored');
      expect(said(client)).toContain('after 8 unanswered probes');
      setOptions(client, { userTimeout: 5_000 });
      expect(said(client)).toMatch(/^a living peer that does not read/);
      setOptions(client, { userTimeout: 0, retransmissionTimeoutMax: 1_000 });
      expect(getDeadPeerBounds(client).busy).toBeLessThan(17_000);
    });
  });
});

describe('explainDisconnect', () => {
  const error = (code: string, more = {}) => Object.assign(new Error(code), { code, ...more });

  test.each([
    ['ETIMEDOUT', 'vanished'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'closed'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['ECONNREFUSED', 'refused'],
    ['ECONNABORTED', 'ended here'],
    ['ENOENT', 'unknown'],
    ['constructor', 'unknown'],
  ])('%s is %s', (code, peer) => {
    const explained = explainDisconnect(error(code));
    expect(explained).toMatchObject({ peer, code, tcpInfo: null });
    expect(explained.message.length).toBeGreaterThan(20);
  });

  test("ETIMEDOUT of connect is 'unreachable', and an error without a code is 'unknown'", () => {
    expect(explainDisconnect(error('ETIMEDOUT', { syscall: 'connect' })).peer).toBe('unreachable');
    expect(explainDisconnect(new Error('other'))).toMatchObject({ peer: 'unknown', code: null });
    expect(() => explainDisconnect('ETIMEDOUT')).toThrow(TypeError);
  });

  test('with a socket that can be read, includes its last counters; with a destroyed one, null', async () => {
    await withPair(async ({ client, accepted }) => {
      accepted.pause();
      client.write('x'.repeat(1_000));
      const { tcpInfo, message } = explainDisconnect(error('ETIMEDOUT'), client);
      expect(tcpInfo?.state).toBe('ESTABLISHED');
      expect(message).toMatch(/Its last sign of life came \d+\.\d s ago/);
      client.destroy();
      expect(explainDisconnect(error('ETIMEDOUT'), client).tcpInfo).toBeNull();
    });
  });

  test('getKeepAlive reads a socket of Node', async () => {
    await withPair(({ client }) => expect(getKeepAlive(client).enable).toBe(false));
  });
});
