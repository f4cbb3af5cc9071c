// Every driver on a server that falls silent. With only tuneSockets(), it fails within the promised time; without,
// the time is only measured. All drivers run once at the same time, and each case is a test.

import { writeFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { planDeadPeerTimeout } from '../../../dist/index.js';
import { impossible, runExperiment } from './experiment';
import retries from './retries.json';

/** Why the request of a driver waits for the next connection. Of the other drivers it fails. */
const RETRIES: Readonly<Record<string, string>> = retries;

interface Told {
  readonly by: string;
  /** Seconds after the peer fell silent, like all times here. */
  readonly at: number;
  readonly code: string | number | null;
}

interface Case {
  readonly state: string;
  /** The kernel's values before the peer fell silent. */
  readonly held: Readonly<Record<string, number>>;
  readonly code: string | null;
  /** When the kernel closed the connection; `null`: it was still open at the end. */
  readonly closed: number | null;
  readonly told: readonly Told[];
  readonly request: Told | null;
  readonly answered: boolean;
}

/** A new client of an address that does not answer. Seconds count from its beginning. */
interface Dead {
  /** The end of the first socket that tries the address. */
  readonly attempt: Told | null;
  readonly request: Told | null;
  readonly told: readonly Told[];
}

interface Driver {
  readonly name: string;
  readonly mode: 'tuned' | 'untuned';
  readonly untunable: readonly string[];
  readonly dead: Dead;
  readonly cases: readonly Case[];
}

const TIMEOUT = 10_000;
/** The lateness of timers that planDeadPeerTimeout() assumes. */
const PROMISE = (TIMEOUT + 250) / 1_000;
/** How long a driver may take to report a failure while two dozen drivers do so at once. */
const TELLING = 0.5;
/** How long untuned drivers are observed. */
const WATCH = 30_000;

const plan = planDeadPeerTimeout(TIMEOUT);
const CASES = [
  { state: 'idle', after: null },
  { state: 'busy', after: 0 },
  { state: 'late', after: 1_000 },
  // Shortly before the last probe would end the connection, minus the silence before.
  { state: 'worst', after: plan.bounds.idle - 800 },
];

const NAMES = [
  ...['pg', 'postgres', 'ioredis', 'redis', 'mysql2', 'mqtt', 'undici', 'fetch'],
  ...['http.Agent', 'http2', '@grpc/grpc-js', 'ws'],
];

let drivers: readonly Driver[] = [];

beforeAll(async () => {
  if (impossible !== undefined) return;
  const args = [`${TIMEOUT}`, JSON.stringify(CASES), `${WATCH}`];
  const stdout = await runExperiment('stage.mjs', args);
  drivers = (JSON.parse(stdout) as { drivers: readonly Driver[] }).drivers;
  if (process.env.DRIVERS_RESULTS !== undefined) writeFileSync(process.env.DRIVERS_RESULTS, stdout);
});

beforeEach(({ skip }) => skip(impossible !== undefined, impossible));

function driverOf(name: string, mode: Driver['mode']): Driver {
  const driver = drivers.find((one) => one.name === name && one.mode === mode);
  expect(driver, `${name}, ${mode}`).toBeDefined();
  return driver as Driver;
}

function caseOf(name: string, mode: Driver['mode'], state: string): Case {
  const found = driverOf(name, mode).cases.find((one) => one.state === state);
  expect(found, `${name}, ${mode}, ${state}`).toBeDefined();
  return found as Case;
}

test('the experiment ran every driver', () => {
  expect([...new Set(drivers.map(({ name }) => name))]).toEqual(NAMES);
});

describe.each(NAMES)('%s', (name) => {
  test('keeps the options of tuneSockets(), whatever the driver sets itself', () => {
    const { untunable, cases } = driverOf(name, 'tuned');
    expect(untunable).toEqual([]);
    expect(cases).toHaveLength(CASES.length);
    const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount } = plan.options;
    const expected = { keepAlive: 1, keepAliveInitialDelay, keepAliveInterval, keepAliveCount };
    for (const { held } of cases) expect(held).toEqual({ ...expected, userTimeout: 0 });
  });

  test.each(CASES.map(({ state }) => state))(
    'tuned, %s: fails within the promised time',
    (state) => {
      const { closed, code, told, request, answered } = caseOf(name, 'tuned', state);
      expect(answered).toBe(false);
      expect(code).toBe('ETIMEDOUT');
      expect(closed).not.toBeNull();
      // Three probes, one second apart: an earlier end has another cause.
      expect(closed).toBeGreaterThan(2);
      expect(closed).toBeLessThanOrEqual(PROMISE);
      const known = [...told, ...(request === null ? [] : [request])].map(({ at }) => at);
      if (state !== 'idle') expect(known.length).toBeGreaterThan(0);
      // The first report counts: a request that waits for the driver's next connection may take longer.
      if (known.length > 0) expect(Math.min(...known)).toBeLessThanOrEqual(PROMISE + TELLING);
    },
  );

  test('tuned, an address that does not answer: the socket fails within the promised time', () => {
    const { attempt } = driverOf(name, 'tuned').dead;
    expect(attempt?.at).toBeLessThanOrEqual(PROMISE);
  });

  test('tuned, an address that does not answer: the request fails too, or the driver tries again', () => {
    const { request } = driverOf(name, 'tuned').dead;
    const isInTime = request !== null && request.at <= PROMISE + TELLING;
    if (RETRIES[name] === undefined)
      expect({ request, isInTime }).toMatchObject({ isInTime: true });
    else expect({ request, isInTime }).toMatchObject({ isInTime: false });
  });

  test.each(CASES.map(({ state }) => state))('untuned, %s: was measured', (state) => {
    const { closed, answered } = caseOf(name, 'untuned', state);
    expect(answered).toBe(false);
    expect(closed === null || closed > 0).toBe(true);
  });
});
