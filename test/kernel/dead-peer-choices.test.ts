// What the program has chosen for a socket holds: against an earlier choice, against tuneSockets(), and in what is reported.

import { once } from 'node:events';
import net from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  getDeadPeerBounds,
  getKeepAlive,
  getTcpInfo,
  isSupported,
  planDeadPeerTimeout,
  setDeadPeerTimeout,
  setOptions,
  tuneSockets,
} from '../../dist/index.js';
import { inNamespace, needsNamespace } from '../support/namespace';
import { listen, REFUSING_PORT, withPair } from '../support/net';
import { onLinux } from '../support/platform';
import { withUncaught } from '../support/uncaught';

beforeEach(onLinux('supervision, by its TCP_INFO'));

describe('the last call wins', () => {
  test('supervise: false ends an earlier supervision', async () => {
    await withPair(({ client }) => {
      setDeadPeerTimeout(client, 4_000);
      expect(getDeadPeerBounds(client).worst).toBe(4_000);
      const plan = setDeadPeerTimeout(client, 60_000, { supervise: false });
      expect(plan.supervised).toBe(false);
      expect(getDeadPeerBounds(client).worst).toBeGreaterThan(20_000);
    });
  });

  test('a server reports the plan of its connections', async () => {
    const server = net.createServer();
    await listen(server);
    const { bounds } = setDeadPeerTimeout(server, 20_000);
    expect(getDeadPeerBounds(server)).toMatchObject(bounds);
    setDeadPeerTimeout(server, null);
    expect(getDeadPeerBounds(server).idle).toBe(Number.POSITIVE_INFINITY);
    server.close();
  });
});

describe('getDeadPeerBounds() of a supervised socket', () => {
  test('has the longer bound of a late call, until the peer shows life', async () => {
    let isLate = false;
    // The call has the kernel probe the peer. Its answer may come before the bounds are read: then again.
    for (let attempt = 0; attempt < 5 && !isLate; attempt++) {
      await withPair(async ({ client, accepted }) => {
        while ((getTcpInfo(client).timeSinceLastAckReceived ?? 0) < 2_100) await sleep(50);
        const plan = setDeadPeerTimeout(client, 4_000);
        expect(plan.bounds.worst).toBeGreaterThan(4_000);
        expect(plan.promise.isToldInTime).toBe(false);
        isLate = getDeadPeerBounds(client).worst === plan.bounds.worst;
        accepted.write('alive');
        await once(client, 'data');
        expect(getDeadPeerBounds(client)).toMatchObject({ worst: 4_000, warnings: [] });
      });
    }
    expect(isLate).toBe(true);
  });

  test('warns of a user timeout that the program has set afterwards', async () => {
    await withPair(({ client }) => {
      setDeadPeerTimeout(client, 20_000);
      expect(getDeadPeerBounds(client).warnings).toEqual([]);
      setOptions(client, { userTimeout: 6_000 });
      expect(getDeadPeerBounds(client).warnings.join()).toContain('user timeout (6 s)');
    });
  });

  test('is longer when the program has raised TCP_RTO_MAX_MS afterwards', async ({ skip }) => {
    skip(!isSupported('retransmissionTimeoutMax'), 'TCP_RTO_MAX_MS needs Linux 6.15');
    await withPair(({ client }) => {
      setDeadPeerTimeout(client, 20_000);
      setOptions(client, { retransmissionTimeoutMax: 60_000 });
      const { idle, closedWindow, warnings } = getDeadPeerBounds(client);
      expect(idle).toBe(20_000);
      // Three probes, with pauses of a minute.
      expect(closedWindow).toBeGreaterThan(180_000);
      expect(warnings.join()).toContain('TCP_RTO_MAX_MS to 60 s');
      // A shorter one changes nothing.
      setOptions(client, { retransmissionTimeoutMax: 1_000 });
      expect(getDeadPeerBounds(client)).toMatchObject({ worst: 20_000, warnings: [] });
    });
  });
});

test('null does nothing for a socket that was destroyed', async () => {
  await withPair(({ client }) => {
    setDeadPeerTimeout(client, 4_000);
    client.destroy();
    expect(setDeadPeerTimeout(client, null)).toBeNull();
  });
});

test('many calls while a socket connects add one listener, and null removes it', () => {
  const socket = net.connect(REFUSING_PORT, '127.0.0.1').on('error', () => {});
  const before = socket.listenerCount('connect');
  for (let call = 0; call < 20; call++) setDeadPeerTimeout(socket, 4_000);
  // One tunes the connection, and one notes that it is there.
  expect(socket.listenerCount('connect')).toBe(before + 2);
  setDeadPeerTimeout(socket, null);
  expect(socket.listenerCount('connect')).toBe(before);
  socket.destroy();
});

test('of two sockets that destroy each other, the second is not read after the first', async () => {
  const accepted: net.Socket[] = [];
  const server = net.createServer((socket) => accepted.push(socket.on('error', () => {})));
  const port = await listen(server);
  const sockets = [0, 1].map(() =>
    net
      .connect(port, '127.0.0.1')
      .on('error', () => {})
      .pause(),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  while (accepted.length < 2) await nextTurn();
  const [one, two] = sockets as [net.Socket, net.Socket];
  for (const [socket, other] of [
    [one, two],
    [two, one],
  ] as const) {
    const destroy = socket._destroy;
    socket._destroy = function (...args) {
      other.destroy();
      return Reflect.apply(destroy, this, args);
    };
  }
  for (const socket of sockets) setDeadPeerTimeout(socket, 4_000);
  // Node does not poll sockets that were paused from the beginning: a look finds the resets.
  for (const socket of accepted) socket.resetAndDestroy();
  await withUncaught(async (thrown) => {
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    await nextTurn();
    expect(thrown).toEqual([]);
  });
  server.close();
});

test('many calls in a silence do not end a living peer: Linux probes at once when the initial delay is set', async (context) => {
  needsNamespace(context);
  const found =
    await inNamespace<{ way: string; sent: number | null; code: string | null }[]>(
      'repeated-calls.mjs',
    );
  expect(found).toHaveLength(3);
  for (const { way, sent, code } of found) {
    expect(code, way).toBeNull();
    expect(sent, way).toBeLessThanOrEqual(3);
  }
});

describe('tuneSockets() leaves a socket alone for which the program has chosen', () => {
  /** A connection for which `choose` is called while it connects, under a tuning. */
  async function tuned(choose: (socket: net.Socket) => void): Promise<net.Socket> {
    const server = net.createServer((socket) => socket.unref());
    const port = await listen(server);
    using _tuning = tuneSockets({ client: { deadPeerTimeout: 4_000 } });
    const socket = net.connect(port, '127.0.0.1');
    choose(socket);
    await once(socket, 'connect');
    server.close();
    return socket;
  }

  test('no timeout', async () => {
    const socket = await tuned((one) => setDeadPeerTimeout(one, null));
    expect(getKeepAlive(socket).enable).toBe(false);
    socket.destroy();
  });

  test('another timeout', async () => {
    const socket = await tuned((one) => setDeadPeerTimeout(one, 60_000));
    expect(getDeadPeerBounds(socket).worst).toBe(60_000);
    socket.destroy();
  });

  test('no timeout, when open sockets are adopted', async () => {
    await withPair(({ client }) => {
      setDeadPeerTimeout(client, null);
      tuneSockets({ client: { deadPeerTimeout: 4_000 }, adopt: true }).close();
      expect(getKeepAlive(client).enable).toBe(false);
    });
  });
});

test("a plan with zeroWindow 'fail' warns that it ends living peers", () => {
  const plan = planDeadPeerTimeout(20_000, { zeroWindow: 'fail', platform: 'linux' });
  expect(plan.promise.sparesLivingPeers).toBe(false);
  expect(plan.warnings.join()).toContain('A living peer that does not read is ended');
});

test('tuneSockets() rejects connectTimeout for servers', () => {
  expect(() => tuneSockets({ server: { connectTimeout: 5_000 } })).toThrow(
    /"options\.server\.connectTimeout".* is for clients only/,
  );
});

test.each([
  { minProbes: 2 },
  { zeroWindow: 'fail' },
  { maxSilence: 30_000 },
  { supervise: false },
] as const)('tuneSockets() rejects %o without deadPeerTimeout', (options) => {
  expect(() => tuneSockets({ client: options })).toThrow('has no effect without deadPeerTimeout');
});

describe('a plan names when Linux itself gives up', () => {
  test.each([
    [30_000, { minProbes: 20 }],
    [1_800_000, {}],
  ])('%d ms with %o', (timeout, options) => {
    const plan = planDeadPeerTimeout(timeout, { ...options, platform: 'linux' });
    const longest = plan.options.retransmissionTimeoutMax as number;
    let givesUpAfter = 0;
    for (let sent = 0; sent <= 15; sent++) givesUpAfter += Math.min(200 * 2 ** sent, longest);
    expect(givesUpAfter).toBeLessThan(timeout);
    expect(plan.slowestAnswer).toBeLessThanOrEqual(givesUpAfter);
    expect(plan.warnings.join()).toContain('Linux itself ends the connection');
  });

  test('an idle connection, after the 127 probes of Linux', () => {
    const plan = planDeadPeerTimeout(180_000, { maxSilence: 2_000, platform: 'linux' });
    expect(plan.slowestAnswer).toBeLessThanOrEqual(127_000);
    expect(plan.warnings.join()).toContain('ends an idle connection after 128 s');
    // Probes that come early do not make Linux give up on data earlier.
    expect(plan.warnings.join()).not.toContain('With data in flight');
  });

  test('after fewer retransmissions, by the setting of this system', async (context) => {
    needsNamespace(context);
    const { slowestAnswer, warnings, ends, planned } = await inNamespace<{
      slowestAnswer: number;
      warnings: string[];
      ends: { code: string; after: number; bound: number }[];
      planned: number;
    }>('few-retries.mjs');
    // 200 + 400 + 800 ms.
    expect(slowestAnswer).toBe(1_400);
    expect(warnings.join()).toMatch(
      /after 1.4 s to [\d.]+ s without an answer, by net.ipv4.tcp_retries2 \(2\)/,
    );
    for (const { code, after, bound } of ends) {
      expect(code).toBe('ETIMEDOUT');
      expect(after).toBeGreaterThanOrEqual(slowestAnswer);
      expect(after).toBeLessThan(bound + 2_000);
    }
    // A retransmission timeout of 2 s: a tail-loss probe after 2 s, then pauses of 2 and 4 s.
    expect(ends[1]?.after).toBeGreaterThan(5_500);
    expect(planned).toBeGreaterThanOrEqual(8_000);
  });

  test('no usual plan has this warning', () => {
    for (const timeout of [4_000, 20_000, 60_000, 300_000, 900_000]) {
      const { warnings } = planDeadPeerTimeout(timeout, { platform: 'linux' });
      expect(warnings.join()).not.toContain('Linux itself');
    }
  });
});
