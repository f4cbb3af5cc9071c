// Options that must be set before the first packet, with real libraries and servers: sockets of connect() as in
// docs/drivers.md, and tuneSockets() under unchanged drivers. nftables counts the SYNs by their mark, and the reference addon
// reads the options.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { impossible, runExperiment } from './experiment';

interface Result {
  /** The name of the library, the way of connecting, the order. */
  readonly case: string;
  readonly result: {
    readonly answers: readonly unknown[];
    /** The kernel's values of the connections. */
    readonly held: readonly Readonly<Record<'mark' | 'synRetries', number>>[];
    readonly untunable: readonly string[];
  };
  /** The number of SYNs: `'198.18.0.2 mark 7'`. */
  readonly syns: Readonly<Record<string, number>>;
}

const SERVER = ['198.18.0.2', 'fd00:18::2'];
const REFUSING = ['198.18.0.4', 'fd00:18::4'];

/** The examples of the page, and what is called of them. */
const EXAMPLES = [
  ...['http.Agent', 'https.Agent', 'http.request', 'tls', 'http2'].map((name) => [name, 'ask']),
  ...['ask', 'askSecurely', 'askClient', 'askPool', 'fetchGlobally', 'fetchWithDispatcher'].map(
    (request) => ['undici', request],
  ),
  ...['pg', 'postgres', 'ioredis', 'mysql2', 'mqtt', 'ws'].map((name) => [name, 'ask']),
] as [name: string, request: string][];

/**
 * Two drivers are not here: @nats-io/transport-node takes the addresses of a name in random order, and Mosquitto accepts
 * WebSocket on every address.
 */
const DRIVERS = [
  ...['pg', 'postgres', 'ioredis', 'redis', 'mysql2', 'mqtt', 'undici', 'fetch'],
  ...['http.Agent', 'http2', '@grpc/grpc-js', 'ws', 'https', 'https of undici', 'https of fetch'],
  ...['mysql', 'mariadb', 'iovalkey', 'memjs', 'etcd3', '@aws-sdk/client-dynamodb'],
  ...['amqplib', 'fivebeans', 'socket.io-client', 'graphql-ws', 'axios', 'got', 'node-fetch'],
  ...['superagent', 'imapflow', 'nodemailer', 'basic-ftp', 'ssh2', 'ldapts', 'modbus-serial'],
];

/** iovalkey takes IPv4 only, if not told otherwise. */
const addressesOf = (name: string, addresses: readonly string[]): readonly string[] =>
  name === 'iovalkey' ? addresses.slice(0, 1) : addresses;

/** Two requests need two connections: no agent, or the pool of undici. */
const UNSHARED = ['http.request', 'undici', 'fetch', 'https of undici', 'https of fetch'];

const CASES = [
  ...EXAMPLES.flatMap(([name, request]) => [
    ...['example', 'example-node'].flatMap((way) =>
      ['ask', 'refuse'].map((order) => [name, way, order, request]),
    ),
    [name, 'example', 'reject', request],
  ]),
  ...DRIVERS.flatMap((name) =>
    ['driver', 'driver-tuned'].flatMap((way) =>
      ['ask', 'refuse'].map((order) => [name, way, order, 'ask']),
    ),
  ),
];

let results: readonly Result[] = [];

beforeAll(async () => {
  if (impossible !== undefined) return;
  results = JSON.parse(await runExperiment('early-stage.mjs', [JSON.stringify(CASES)]));
});

beforeEach(({ skip }) => skip(impossible !== undefined, impossible));

function resultOf(...args: string[]): Result {
  const found = results.find((one) => one.case === args.join(' '));
  expect(found, args.join(' ')).toMatchObject({ result: expect.anything() });
  return found as Result;
}

/** Expects at least one SYN to each of the addresses, and the mark on every SYN. */
function expectMarkedSyns({ syns }: Result, addresses: readonly string[], mark: number): void {
  expect(Object.keys(syns).sort()).toEqual(addresses.map((one) => `${one} mark ${mark}`).sort());
}

/** Expects two answers on connections that have the options. */
function expectAnswers(
  name: string,
  found: Result,
  options: Readonly<Record<string, number>>,
): void {
  const { answers, held, untunable } = found.result;
  expect(answers).toHaveLength(2);
  expect(untunable).toEqual([]);
  expect(held.length).toBeGreaterThan(0);
  for (const one of held) expect(one).toEqual(options);
  if (!UNSHARED.includes(name)) expect(new Set(Object.values(found.syns))).toEqual(new Set([1]));
}

const SET = { mark: 7, synRetries: 2 };
/** The defaults of Linux. */
const UNSET = { mark: 0, synRetries: 6 };

test('the page has no other examples', () => {
  const page = readFileSync(join(__dirname, '../../../docs/drivers.md'), 'utf8');
  const names = [...page.matchAll(/```js (\S+)\n/g)].map(([, name]) => name);
  expect(names).toEqual([...new Set(EXAMPLES.map(([name]) => name)), 'http.Server']);
});

describe.each(EXAMPLES)('the example of %s, %s', (name, request) => {
  test('is answered, and every address got SYNs with the options', () => {
    const found = resultOf(name, 'example', 'ask', request);
    expectMarkedSyns(found, SERVER, 7);
    expectAnswers(name, found, SET);
  });

  test('is answered as with net.connect(), which has no such options', () => {
    const found = resultOf(name, 'example-node', 'ask', request);
    expectMarkedSyns(found, SERVER, 0);
    expectAnswers(name, found, UNSET);
    const { answers } = resultOf(name, 'example', 'ask', request).result;
    if (name !== 'mqtt') expect(answers).toEqual(found.result.answers);
  });

  test('reports a refused connection as with net.connect()', () => {
    const found = resultOf(name, 'example', 'refuse', request);
    expectMarkedSyns(found, REFUSING, 7);
    const usual = resultOf(name, 'example-node', 'refuse', request);
    expectMarkedSyns(usual, REFUSING, 0);
    expect(JSON.stringify(usual.result)).toContain('ECONNREFUSED');
    expect(found.result).toEqual(usual.result);
  });

  test('reports an option that the kernel refuses, and sends nothing', () => {
    const found = resultOf(name, 'example', 'reject', request);
    expect(JSON.stringify(found.result)).toContain('"code":"ENODEV"');
    expect(found.syns).toEqual({});
  });
});

describe.each(DRIVERS)('%s, with tuneSockets()', (name) => {
  test('is answered, and every address got SYNs with the options', () => {
    const found = resultOf(name, 'driver-tuned', 'ask', 'ask');
    expectMarkedSyns(found, addressesOf(name, SERVER), 7);
    expectAnswers(name, found, SET);
  });

  test('without it: no SYN has the mark', () => {
    const found = resultOf(name, 'driver', 'ask', 'ask');
    expectMarkedSyns(found, addressesOf(name, SERVER), 0);
    expectAnswers(name, found, UNSET);
  });

  test('reports a refused connection as without it', () => {
    const addresses = addressesOf(name, REFUSING);
    const found = resultOf(name, 'driver-tuned', 'refuse', 'ask');
    expectMarkedSyns(found, addresses, 7);
    const usual = resultOf(name, 'driver', 'refuse', 'ask');
    expectMarkedSyns(usual, addresses, 0);
    expect(JSON.stringify(usual.result)).toContain('ECONNREFUSED');
    expect(found.result).toEqual(usual.result);
  });
});
