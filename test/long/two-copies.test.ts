// Two copies of this package in one program: that of the operator, who preloads one, and that of the program, which has its own.
// What was asked for last holds, in whichever copy.

import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as operator from '../../dist/index.js';
import { inNamespace, needsNamespace } from '../support/namespace';
import { fdOf, listen } from '../support/net';
import { copyPackage } from '../support/package-copy';
import { onLinux } from '../support/platform';
import {
  getInt,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPIDLE,
} from '../support/reference-addon';
import { openSilentPort, type SilentPort } from '../support/silent-port';

/** In seconds, of a dead-peer timeout of 20 s and of 60 s. */
const IDLE_20 = 4;
const IDLE_60 = 12;
const TCP_NODELAY = 1;

beforeEach(onLinux('supervision, by its TCP_INFO'));

let folder: string | undefined;
let program: typeof operator;
beforeAll(() => {
  // Windows would not remove the addon while it is loaded.
  if (process.platform !== 'linux') return;
  folder = copyPackage();
  const path = join(folder, 'dist/index.js');
  program = createRequire(path)(path) as typeof operator;
});
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});
const tune = (copy: typeof operator, options: operator.TuneSocketsOptions): void => {
  const tuning = copy.tuneSockets(options);
  ends.push(() => tuning.close());
};

/** A connection to a server of this thread, and both ends of it. `choose` is called while it connects. */
async function connect(
  choose: (socket: net.Socket) => void = () => {},
  server = net.createServer(),
): Promise<{ client: net.Socket; accepted: net.Socket }> {
  const isAccepted = once(server, 'connection') as Promise<[net.Socket]>;
  const client = net.connect(server.listening ? portOf(server) : await listen(server), '127.0.0.1');
  choose(client);
  await once(client, 'connect');
  const [accepted] = await isAccepted;
  ends.push(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { client, accepted };
}
const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;

const idleOf = (socket: net.Socket): number => getInt(fdOf(socket), IPPROTO_TCP, TCP_KEEPIDLE);
const isKeptAlive = (socket: net.Socket): boolean =>
  getInt(fdOf(socket), SOL_SOCKET, SO_KEEPALIVE) !== 0;

test('each copy has functions of its own', () => {
  expect(program.tuneSockets).not.toBe(operator.tuneSockets);
});

describe('the program keeps its own values against tuneSockets() of the operator', () => {
  beforeEach(() =>
    tune(operator, {
      client: { deadPeerTimeout: 20_000, noDelay: false },
      server: { deadPeerTimeout: 20_000 },
    }),
  );

  test('where it has none, those of the operator hold', async () => {
    const { client, accepted } = await connect();
    expect([idleOf(client), idleOf(accepted)]).toEqual([IDLE_20, IDLE_20]);
  });

  test('a timeout that it chooses while it connects', async () => {
    const { client } = await connect((socket) => program.setDeadPeerTimeout(socket, 60_000));
    expect(idleOf(client)).toBe(IDLE_60);
    expect(program.getDeadPeerBounds(client).worst).toBe(60_000);
  });

  test('no timeout, chosen while it connects', async () => {
    const { client } = await connect((socket) => program.setDeadPeerTimeout(socket, null));
    expect(isKeptAlive(client)).toBe(false);
  });

  test('a timeout that it chooses for a server, for connections that are accepted', async () => {
    const server = net.createServer();
    await listen(server);
    program.setDeadPeerTimeout(server, 60_000);
    const { accepted } = await connect(undefined, server);
    expect(idleOf(accepted)).toBe(IDLE_60);
    expect(program.getDeadPeerBounds(accepted).worst).toBe(60_000);
  });

  test('a tuning of its own, and it gets what that does not set', async () => {
    tune(program, { client: { deadPeerTimeout: 60_000 }, server: { noDelay: true } });
    const { client, accepted } = await connect();
    expect([idleOf(client), idleOf(accepted)]).toEqual([IDLE_60, IDLE_20]);
    expect(getInt(fdOf(accepted), IPPROTO_TCP, TCP_NODELAY)).toBe(1);
  });

  test('a tuning of its own with another option', async () => {
    tune(program, { client: { noDelay: true } });
    const { client } = await connect();
    expect(idleOf(client)).toBe(IDLE_20);
    expect(getInt(fdOf(client), IPPROTO_TCP, TCP_NODELAY)).toBe(1);
  });

  test('a tuning of its own whose filter does not want the socket', async () => {
    tune(program, { client: { deadPeerTimeout: 60_000 }, filter: () => false });
    const { client } = await connect();
    expect(idleOf(client)).toBe(IDLE_20);
  });

  test('but a later tuning of the operator wins', async () => {
    tune(program, { client: { deadPeerTimeout: 60_000 } });
    tune(operator, { client: { deadPeerTimeout: 20_000 } });
    const { client } = await connect();
    expect(idleOf(client)).toBe(IDLE_20);
  });
});

describe('of two calls while a socket connects, the last one holds', () => {
  test.each<[string, number | null, number | null, number]>([
    ['a shorter timeout', 60_000, 20_000, IDLE_20],
    ['a longer timeout', 20_000, 60_000, IDLE_60],
    ['no timeout', 20_000, null, 7_200],
    ['a timeout again', null, 20_000, IDLE_20],
  ])('%s', async (_name, first, second, idle) => {
    const { client } = await connect((socket) => {
      program.setDeadPeerTimeout(socket, first);
      operator.setDeadPeerTimeout(socket, second);
    });
    expect([idleOf(client), isKeptAlive(client)]).toEqual([idle, second !== null]);
    if (second !== null) expect(operator.getDeadPeerBounds(client).worst).toBe(second);
  });
});

test('the user timeout of a later tuning holds against the dead-peer timeout of an earlier one', async () => {
  tune(operator, { client: { deadPeerTimeout: 20_000 }, server: { deadPeerTimeout: 20_000 } });
  tune(program, { client: { userTimeout: 33_000 }, server: { userTimeout: 33_000 } });
  const { client, accepted } = await connect();
  for (const end of [client, accepted]) {
    expect([program.getOption(end, 'userTimeout'), idleOf(end)]).toEqual([33_000, IDLE_20]);
  }
});

test('options of connect() in one copy hold against tuneSockets() of another', async () => {
  tune(operator, { client: { dscp: 10, deadPeerTimeout: 20_000 } });
  const server = net.createServer();
  const client = program.connect({
    ...{ port: await listen(server), host: '127.0.0.1' },
    socketOptions: { dscp: 46 },
  });
  await once(client, 'connect');
  expect(operator.getOption(client, 'dscp')).toBe(46);
  expect(idleOf(client)).toBe(IDLE_20);
  client.destroy();
  server.close();
});

test('an option that is set before the first packet is that of the later tuning', async () => {
  tune(operator, { client: { dscp: 10 } });
  tune(program, { client: { dscp: 46 } });
  const { client } = await connect();
  expect(operator.getOption(client, 'dscp')).toBe(46);
});

test('a socket that connects again is tuned again, whatever was chosen before', async () => {
  tune(operator, { client: { deadPeerTimeout: 20_000 } });
  const { client } = await connect((socket) => program.setDeadPeerTimeout(socket, null));
  client.destroy();
  await once(client, 'close');
  const server = net.createServer();
  client.connect(await listen(server), '127.0.0.1');
  await once(client, 'connect');
  expect(idleOf(client)).toBe(IDLE_20);
  client.destroy();
  server.close();
});

describe('connecting is bounded by what was asked for last', () => {
  let silent: SilentPort;
  beforeAll(async () => {
    silent = await openSilentPort();
  });
  afterAll(() => silent.close());

  /** Connects to a port that never answers. Returns whether the socket fails. One that must not is watched for 1.5 s. */
  async function fails(
    isExpected: boolean,
    choose: (socket: net.Socket) => void = () => {},
  ): Promise<boolean> {
    const socket = net.connect(silent.port, '127.0.0.1');
    ends.push(() => socket.destroy());
    choose(socket);
    const failure = once(socket, 'error');
    await (isExpected ? failure : Promise.race([failure, sleep(1_500)]));
    return socket.destroyed;
  }

  test.each([
    ['the operator', undefined, 400, undefined, true],
    ['a longer tuning of the program', 60_000, 400, undefined, false],
    ['a shorter tuning of the program', 400, 60_000, undefined, true],
    ['a longer timeout of the socket', undefined, 400, 60_000, false],
    ['no timeout of the socket', undefined, 400, null, false],
  ])('%s', async (_name, ofProgram, ofOperator, ofSocket, isEnded) => {
    tune(operator, { client: { connectTimeout: ofOperator } });
    if (ofProgram !== undefined) tune(program, { client: { connectTimeout: ofProgram } });
    const isFailed = await fails(isEnded, (socket) => {
      if (ofSocket !== undefined) program.setDeadPeerTimeout(socket, ofSocket);
    });
    expect(isFailed).toBe(isEnded);
  });

  test('a tuning of the program whose filter does not want the socket', async () => {
    tune(operator, { client: { connectTimeout: 400 } });
    tune(program, { client: { connectTimeout: 60_000 }, filter: () => false });
    expect(await fails(true)).toBe(true);
  });
});

test('only the copy that was called last ends a connection whose peer is dead', async (context) => {
  needsNamespace(context);
  const ended = await inNamespace<Record<string, string | null>>('two-copies.mjs', String(folder));
  expect(ended).toEqual({
    'nothing of its own': 'ETIMEDOUT',
    'a longer timeout': null,
    'no timeout': null,
    'a shorter timeout': 'ETIMEDOUT',
    'the operator again': 'ETIMEDOUT',
  });
});
