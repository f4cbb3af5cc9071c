// Older and newer versions of Windows: the same program (fake/report.mjs) on an addon that is linked to a fake Windows
// (fake/windows.cc), once for each build.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { planDeadPeerTimeout } from '../../../dist/index.js';

interface Outcome {
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly option?: string; readonly message: string };
}

interface Held {
  readonly enable: boolean;
  readonly initialDelay: number;
  readonly interval: number;
  readonly count: number;
}

interface UserTimeouts {
  readonly seconds: number;
  readonly milliseconds: number | null;
}

interface Report {
  readonly supported: readonly string[];
  readonly keepAlive: Readonly<Record<string, { results: Outcome[]; held: Held }>>;
  readonly userTimeout: {
    readonly asNew: UserTimeouts;
    readonly set: Outcome;
    readonly setHeld: UserTimeouts;
    readonly read: Outcome;
    readonly off: Outcome;
    readonly offHeld: UserTimeouts;
  };
  readonly deadPeer: {
    readonly plan: ReturnType<typeof planDeadPeerTimeout>;
    readonly keepAlive: unknown;
    readonly userTimeouts: UserTimeouts;
    readonly bounds: { idle: number; busy: number; warnings: string[] };
    readonly boundsByRegistry: { idle: number };
    readonly accepted: { keepAlive: unknown; userTimeouts: UserTimeouts };
    readonly off: null;
    readonly after: { keepAlive: { enable: boolean }; userTimeouts: UserTimeouts };
  };
  readonly tuned: { keepAlive: unknown; userTimeouts: UserTimeouts };
  readonly tcpInfo: { udp: Outcome['error']; normalised: Outcome; kernel: Outcome };
}

const { TEST_OTHER_WINDOWS: addon } = process.env;

function reportOn(build: number): Report {
  const output = execFileSync(process.execPath, [join(__dirname, 'fake/report.mjs')], {
    encoding: 'utf8',
    timeout: 20_000,
    env: {
      ...process.env,
      SOCKET_OPTIONS_PREBUILD: addon,
      SOCKET_OPTIONS_TEST_WINDOWS: String(build),
    },
  });
  return JSON.parse(output) as Report;
}

/** The builds that introduced each option, from Microsoft's documents. */
const BUILDS = [
  { name: '10.1507', build: 10_240, maxRtMs: false, count: false, times: false, info: null },
  { name: '10.1607', build: 14_393, maxRtMs: true, count: false, times: false, info: null },
  { name: '10.1703', build: 15_063, maxRtMs: true, count: true, times: false, info: 0 },
  { name: '10.1709', build: 16_299, maxRtMs: true, count: true, times: true, info: 0 },
  { name: '10.1809', build: 17_763, maxRtMs: true, count: true, times: true, info: 1 },
  { name: '11', build: 22_000, maxRtMs: true, count: true, times: true, info: 2 },
];

/** The defaults of a new socket in Wine, which are those of Linux. */
const FRESH: Held = { enable: false, initialDelay: 7_200, interval: 75, count: 9 };

describe.each(BUILDS)('Windows $name', ({ build, maxRtMs, count, times, info }) => {
  let report: Report;
  beforeAll(() => {
    if (addon !== undefined) report = reportOn(build);
  });
  beforeEach(({ skip }) =>
    skip(addon === undefined, 'npm run test:windows links the addon to it, on Linux'),
  );

  /** The result of each call: its value, or the code and option of its error. */
  const outcomes = (name: string) =>
    report.keepAlive[name]?.results.map(({ value, error }) =>
      error === undefined ? value : `${error.code} ${error.option ?? error.message}`,
    );
  const held = (name: string) => report.keepAlive[name]?.held;
  const expectCase = (name: string, results: unknown[], values: Partial<Held>) => {
    expect([outcomes(name), held(name)]).toEqual([results, { ...FRESH, ...values }]);
  };

  test('has the options of its build', () => {
    expect(report.supported).toEqual([
      ...(times ? ['keepAliveInitialDelay', 'keepAliveInterval'] : []),
      ...(count ? ['keepAliveCount'] : []),
      'userTimeout',
    ]);
  });

  test('keepalive sets both times, in seconds or fractions', () => {
    const on = { enable: true };
    expectCase('whole', [null], { ...on, initialDelay: 45, interval: 3 });
    // Wine rounds up, as the package does.
    expectCase('fractions', [null], { ...on, initialDelay: 2, interval: 1 });
  });

  test('keepalive sets enable, or leaves it unchanged', () => {
    const tuned = { initialDelay: 2, interval: 3 };
    expectCase('staysOff', [null], tuned);
    expectCase('staysOn', [null, null], { ...tuned, enable: true });
    expectCase('switchedOff', [null, null], tuned);
    expectCase('switchAlone', [null], { enable: true });
  });

  const TOGETHER = 'ENOPROTOOPT SIO_KEEPALIVE_VALS';

  test('keepalive sets one time alone if it can read and keep the other', () => {
    const whole = { enable: true, initialDelay: 45, interval: 3 };
    expectCase(
      'oneFraction',
      [null, times ? null : TOGETHER],
      times ? { ...whole, initialDelay: 2 } : whole,
    );
    expectCase(
      'oneTime',
      [times ? null : TOGETHER],
      times ? { enable: true, initialDelay: 45 } : {},
    );
  });

  test('keepalive sets the count on builds where it is not always ten', () => {
    const whole = { enable: true, initialDelay: 45, interval: 3 };
    const fixed = 'ENOPROTOOPT TCP_KEEPCNT';
    expectCase('tenProbes', [null], { ...whole, ...(count ? { count: 10 } : {}) });
    expectCase('fourProbes', [count ? null : fixed], count ? { ...whole, count: 4 } : {});
    expectCase(
      'fourProbesAndFractions',
      [count ? null : fixed],
      count ? { enable: true, initialDelay: 2, interval: 1, count: 4 } : {},
    );
  });

  test("keepalive 'system' takes the registry's values if no socket reports them", () => {
    expectCase('system', [null, null], times ? {} : { initialDelay: 7_200, interval: 1 });
  });

  test('keepalive rejects wrong values without setting anything', () => {
    expect(held('wrong')).toEqual(FRESH);
    expect(report.keepAlive.wrong?.results.map(({ error }) => error?.code)).toEqual([
      ...Array(4).fill('ERR_OUT_OF_RANGE'),
      ...Array(3).fill('ERR_INVALID_ARG_TYPE'),
    ]);
  });

  test('rejects options that the build does not have', () => {
    expectCase(
      'options',
      [times ? null : 'ENOPROTOOPT TCP_KEEPIDLE'],
      times ? { initialDelay: 45 } : {},
    );
    expect(outcomes('read')).toEqual([
      {
        enable: false,
        initialDelay: times ? 7_200_000 : null,
        interval: times ? 75_000 : null,
        count: count ? 9 : null,
      },
      [
        ...(times ? ['keepAliveInitialDelay', 'keepAliveInterval'] : []),
        ...(count ? ['keepAliveCount'] : []),
        ...['keepAlive', 'userTimeout'],
      ],
    ]);
  });

  const asNew = { seconds: 21, milliseconds: maxRtMs ? 21_007 : null };

  test('sets the user timeout in milliseconds or whole seconds, and switches it off', () => {
    const { userTimeout } = report;
    expect(userTimeout).toEqual({
      asNew,
      set: { value: null },
      setHeld: maxRtMs ? { ...asNew, milliseconds: 30_500 } : { ...asNew, seconds: 31 },
      read: { value: maxRtMs ? 30_500 : 31_000 },
      off: { value: null },
      offHeld: asNew,
    });
  });

  test('setDeadPeerTimeout() sets and removes a timeout on a connection and a server', () => {
    const { deadPeer } = report;
    const plan = planDeadPeerTimeout(20_000, { platform: 'win32' });
    const options = count
      ? plan.options
      : { ...plan.options, keepAliveInterval: 500, keepAliveCount: 10 };
    expect(deadPeer.plan).toMatchObject({
      options,
      bounds: plan.bounds,
      probes: options.keepAliveCount,
    });
    expect(deadPeer.plan.why).toMatch(
      count ? / every 1 s\. .* 5 unanswered/ : / every 0.5 s\. .* 10 unanswered/,
    );
    const keepAlive = {
      enable: true,
      initialDelay: times ? options.keepAliveInitialDelay : null,
      interval: times ? options.keepAliveInterval : null,
      count: count ? options.keepAliveCount : null,
    };
    const { userTimeout = 0 } = plan.options;
    const userTimeouts = maxRtMs
      ? { ...asNew, milliseconds: userTimeout }
      : { ...asNew, seconds: Math.ceil(userTimeout / 1_000) };
    expect(deadPeer).toMatchObject({
      keepAlive,
      userTimeouts,
      accepted: { keepAlive, userTimeouts },
      off: null,
      after: { keepAlive: { enable: false }, userTimeouts: asNew },
    });
  });

  test('tuneSockets() sets a dead-peer timeout', () => {
    const { options } = planDeadPeerTimeout(30_000, { platform: 'win32' });
    const { userTimeout = 0 } = options;
    expect(report.tuned).toEqual({
      keepAlive: {
        enable: true,
        initialDelay: times ? options.keepAliveInitialDelay : null,
        interval: times ? options.keepAliveInterval : null,
        count: count ? options.keepAliveCount : null,
      },
      userTimeouts: maxRtMs
        ? { ...asNew, milliseconds: userTimeout }
        : { ...asNew, seconds: Math.ceil(userTimeout / 1_000) },
    });
  });

  test('getDeadPeerBounds() warns if the times are not known', () => {
    const { idle, warnings } = report.deadPeer.bounds;
    const unknown = expect.stringMatching(/does not report the keepalive times/);
    if (times) {
      expect(idle).toBe(report.deadPeer.plan.bounds.idle);
      expect(warnings).not.toContainEqual(unknown);
      expect(report.deadPeer.boundsByRegistry.idle).toBe(idle);
    } else {
      expect(warnings).toContainEqual(unknown);
      // The times of the registry, and the count of the plan if it can be read.
      const probing = 1_000 * (count ? report.deadPeer.plan.probes : 10);
      // Timers may be late by up to an eighth.
      const isNear = (value: number, times: number) => value >= times && value <= times * 1.13;
      expect(isNear(idle, 7_200_000 + probing)).toBe(true);
      expect(isNear(report.deadPeer.boundsByRegistry.idle, 300_000 + probing)).toBe(true);
    }
  });

  test('reads the newest version of TCP_INFO that the build has, also after a failed read', () => {
    const { udp, normalised, kernel } = report.tcpInfo;
    expect(udp).toMatchObject({ code: 'ENOTSUP', option: 'SIO_TCP_INFO' });
    if (info === null) {
      expect(normalised.error).toMatchObject({ code: 'ENOTSUP' });
      return;
    }
    expect(normalised.value).toMatchObject({
      state: 'ESTABLISHED',
      rtt: 12.345,
      minRtt: 9,
      rto: null,
      mss: 1_448,
      bytesSent: 5_000_000_000,
      bytesInFlight: 2_896,
      congestionWindow: 14_480,
      totalTimeouts: 3,
      receiveWindowLimitedTime: info >= 1 ? 77 : null,
      segmentsReceivedOutOfOrder: info >= 2 ? 6 : null,
    });
    expect(kernel.value).toMatchObject({ ConnectionTimeMs: 61_001, RttUs: 12_345 });
    const has = (name: string) => (kernel.value as Record<string, unknown>)[name] != null;
    expect([has('SndLimTimeRwin'), has('OutOfOrderPktsIn')]).toEqual([info >= 1, info >= 2]);
  });
});
