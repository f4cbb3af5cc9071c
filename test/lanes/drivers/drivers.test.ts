// Every driver on a server that falls silent. With only tuneSockets(), it fails within the promised time; without,
// the time is only measured. All drivers run once at the same time, and each case is a test.

import { writeFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { planDeadPeerTimeout } from '../../../dist/index.js';
import behaviour from './behaviour.json';
import { impossible, runExperiment } from './experiment';

/** What a driver does by itself. Of the other drivers, every request fails when the connection fails. */
interface Behaviour {
  /** The driver ends the connection before, without an answer, in these cases. */
  readonly endsItself?: readonly string[];
  /** The code with which it replaces that of the socket's error. */
  readonly code?: string;
  /** Why a request does not fail with its connection. */
  readonly pending?: string;
  /** Why the request of a new client does not fail with the first attempt to connect. */
  readonly deadAddress?: string;
  /** The driver's options by which these requests fail in time too, as JavaScript. */
  readonly bound?: string;
  /** What to write, if that is no option of the client. */
  readonly boundAs?: string;
}

const BEHAVIOUR: Readonly<Record<string, Behaviour>> = behaviour;

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

/** With tuneSockets(); with it and the options of the driver; without both. */
type Mode = 'tuned' | 'bounded' | 'untuned';

interface Driver {
  readonly name: string;
  readonly mode: Mode;
  readonly untunable: readonly string[];
  readonly dead: Dead;
  readonly cases: readonly Case[];
}

const TIMEOUT = 10_000;
/** The lateness of timers that planDeadPeerTimeout() assumes. */
const PROMISE = (TIMEOUT + 250) / 1_000;
/** How long a driver may take to report a failure while dozens of drivers do so at once. */
const TELLING = 0.5;

/** `npm run test:drivers -- --write` measures every driver without tuneSockets() too. */
const isFull = process.env.DRIVERS_FULL !== undefined;
/** This one is always measured without it: it shows that the others do not end by themselves. */
const CONTROL = 'pg';
/** How long drivers are observed. */
const WATCH = isFull ? 30_000 : 13_000;

const plan = planDeadPeerTimeout(TIMEOUT);
const CASES = [
  { state: 'idle', after: null },
  { state: 'busy', after: 0 },
  { state: 'late', after: 1_000 },
  // Shortly before the last probe would end the connection.
  { state: 'worst', afterAnswer: plan.bounds.idle - 500 },
];

const NAMES = [
  ...['pg', 'postgres', 'mysql2', 'mysql', 'mariadb', 'ioredis', 'iovalkey', 'redis', 'memjs'],
  ...['etcd3', '@aws-sdk/client-dynamodb', 'mqtt', 'mqtt, WebSocket', 'amqplib'],
  ...['@nats-io/transport-node', 'fivebeans', 'ws', 'socket.io-client', 'graphql-ws', 'undici'],
  ...['fetch', 'http.Agent', 'axios', 'got', 'node-fetch', 'superagent', 'http2'],
  ...['@grpc/grpc-js', 'imapflow', 'nodemailer', 'basic-ftp', 'ssh2', 'ldapts', 'modbus-serial'],
];

const clients = NAMES.flatMap((name) => {
  const bound = BEHAVIOUR[name]?.bound;
  return [
    { name, mode: 'tuned' },
    ...(bound === undefined ? [] : [{ name, mode: 'bounded', bound }]),
    ...(isFull || name === CONTROL ? [{ name, mode: 'untuned' }] : []),
  ];
});

let drivers: readonly Driver[] = [];

beforeAll(async () => {
  if (impossible !== undefined) return;
  const stdout = await runExperiment('stage.mjs', [
    JSON.stringify({ clients, timeout: TIMEOUT, cases: CASES, watch: WATCH }),
  ]);
  drivers = (JSON.parse(stdout) as { drivers: readonly Driver[] }).drivers;
  if (process.env.DRIVERS_RESULTS !== undefined) writeFileSync(process.env.DRIVERS_RESULTS, stdout);
});

beforeEach(({ skip }) => skip(impossible !== undefined, impossible));

function driverOf(name: string, mode: Mode): Driver {
  const driver = drivers.find((one) => one.name === name && one.mode === mode);
  expect(driver, `${name}, ${mode}`).toBeDefined();
  return driver as Driver;
}

function caseOf(name: string, mode: Mode, state: string): Case {
  const found = driverOf(name, mode).cases.find((one) => one.state === state);
  expect(found, `${name}, ${mode}, ${state}`).toBeDefined();
  return found as Case;
}

/** Expects that the request failed in time, or did not, as behaviour.json says. */
function expectFailure(request: Told | null, begin: number, pending: string | undefined): void {
  const isInTime = request !== null && request.at <= begin + PROMISE + TELLING;
  expect({ request, isInTime }).toMatchObject({ isInTime: pending === undefined });
}

test('the experiment ran every driver', () => {
  const modes = clients.map(({ name, mode }) => ({ name, mode }));
  expect(drivers.map(({ name, mode }) => ({ name, mode }))).toEqual(modes);
});

describe.each(NAMES)('%s', (name) => {
  const { endsItself, code: ownCode, pending, deadAddress, bound } = BEHAVIOUR[name] ?? {};

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
      expect(closed).not.toBeNull();
      expect(closed).toBeLessThanOrEqual(PROMISE);
      expect(code).toBe(ownCode ?? 'ETIMEDOUT');
      // Three probes, one second apart: an earlier end has another cause.
      if (!endsItself?.includes(state)) expect(closed).toBeGreaterThan(2);
      const failed = request === null || pending !== undefined ? [] : [request];
      const known = [...told, ...failed].map(({ at }) => at);
      // The first report counts: a request that waits for the driver's next connection may take longer.
      if (known.length === 0) expect(state === 'idle' || pending !== undefined).toBe(true);
      else if (!endsItself?.includes(state))
        expect(Math.min(...known)).toBeLessThanOrEqual(PROMISE + TELLING);
    },
  );

  test(`tuned, asked 1 s later: the request ${pending === undefined ? 'fails' : 'waits'}`, () => {
    expectFailure(caseOf(name, 'tuned', 'late').request, 0, pending);
  });

  test('tuned, an address that does not answer: the socket fails within the promised time', () => {
    const { attempt } = driverOf(name, 'tuned').dead;
    expect(attempt?.at).toBeLessThanOrEqual(PROMISE);
  });

  test('tuned, an address that does not answer: the request fails too, or the driver tries again', () => {
    expectFailure(driverOf(name, 'tuned').dead.request, 0, deadAddress);
  });

  if (bound !== undefined) {
    test("tuned, with the driver's own option: every request fails", () => {
      const { cases, dead } = driverOf(name, 'bounded');
      for (const { state, request } of cases) {
        if (state === 'busy' || state === 'late') expectFailure(request, 1, undefined);
      }
      expectFailure(dead.request, 0, undefined);
    });
  }
});

describe.each(isFull ? NAMES : [])('%s, without tuneSockets()', (name) => {
  test.each(CASES.map(({ state }) => state))('%s: was measured', (state) => {
    const { closed, answered } = caseOf(name, 'untuned', state);
    expect(answered).toBe(false);
    expect(closed === null || closed > 0).toBe(true);
  });
});

test.each(CASES.map(({ state }) => state))('pg, without tuneSockets(), %s: lives on', (state) => {
  expect(caseOf(CONTROL, 'untuned', state).closed).toBeNull();
});
