// Connecting is bounded, whichever way a socket is opened, by tuneSockets() and by setDeadPeerTimeout().

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo, type LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import tls from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type SocketTuning, setDeadPeerTimeout, tuneSockets } from '../../dist/index.js';
import { REFUSING_PORT } from '../support/net';
import { onLinux } from '../support/platform';
import { openSilentPort, type SilentPort } from '../support/silent-port';
import { withUncaught } from '../support/uncaught';

/** In milliseconds. Short, because a test waits for it. */
const TIMEOUT = 400;
const HOST = '127.0.0.1';
const timedOut = (port: number, address = HOST) => ({
  name: 'Error',
  message: `connect ETIMEDOUT ${address}:${port}`,
  ...{ code: 'ETIMEDOUT', errno: -110, syscall: 'connect', address, port },
});

const ends: (() => void)[] = [];
const tune = (options: Parameters<typeof tuneSockets>[0]): SocketTuning => {
  const tuning = tuneSockets(options);
  ends.push(() => tuning.close());
  return tuning;
};
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** Waits for the error of a socket that is closed after the test. */
async function errorOf(socket: net.Socket): Promise<unknown> {
  ends.push(() => socket.destroy());
  const [error] = (await once(socket, 'error').catch((thrown: unknown) => [thrown])) as [unknown];
  return error;
}

/** Gives these addresses, after a delay in milliseconds or at once. */
const lookUp =
  (addresses: readonly string[], delay?: number): LookupFunction =>
  (_host, options, callback) => {
    const found = addresses.map((address) => ({ address, family: net.isIP(address) }));
    const answer = () =>
      options.all ? callback(null, found) : callback(null, addresses[0] as string, 4);
    if (delay === undefined) answer();
    else setTimeout(answer, delay);
  };

/** Collects garbage, although no flag was given to this process. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

let silent: SilentPort;
let port: number;
beforeEach(onLinux('a full accept queue answers no SYN'));
beforeAll(async () => {
  if (process.platform !== 'linux') return;
  silent = await openSilentPort();
  port = silent.port;
});
afterAll(() => silent?.close());

describe('connectTimeout of tuneSockets()', () => {
  const client = { connectTimeout: TIMEOUT };

  const ways: [string, () => net.Socket][] = [
    ['net.connect()', () => net.connect(port, HOST)],
    ['new net.Socket().connect()', () => new net.Socket().connect({ port, host: HOST })],
    ['a port that is a string', () => net.connect({ port: `${port}` as never, host: HOST })],
    ['a name', () => net.connect({ port, host: 'x', lookup: lookUp([HOST], 20) })],
    [
      'a name that is found at once',
      () => net.connect({ port, host: 'x', lookup: lookUp([HOST]) }),
    ],
    ['tls.connect()', () => tls.connect({ port, host: HOST })],
    ['TLS over a socket', () => tls.connect({ socket: net.connect(port, HOST) })],
    [
      'the onread option',
      () => {
        const onread = { buffer: Buffer.alloc(9), callback: () => true };
        return net.connect({ port, host: HOST, onread });
      },
    ],
    ['http', () => http.get({ port, host: HOST }) as never],
    ['https', () => https.get({ port, host: HOST }) as never],
    ['http2', () => http2.connect(`http://${HOST}:${port}`) as never],
  ];
  test.each(ways)('%s: fails with the error of Node', async (_name, connect) => {
    tune({ client });
    expect(await errorOf(connect())).toMatchObject(timedOut(port));
  });

  test('fetch: fails with the error of Node as its cause', async () => {
    tune({ client });
    const error = await fetch(`http://${HOST}:${port}`).catch((thrown: unknown) => thrown);
    expect((error as Error).cause).toMatchObject(timedOut(port));
  });

  test('deadPeerTimeout is its default', async () => {
    tune({ client: { deadPeerTimeout: 4_000 } });
    const begin = performance.now();
    expect(await errorOf(net.connect(port, HOST))).toMatchObject(timedOut(port));
    expect(performance.now() - begin).toBeGreaterThanOrEqual(4_000);
  });

  test('several addresses: bounds all together, with an AggregateError of each', async () => {
    tune({ client });
    const addresses = ['::1', HOST, '127.0.0.2'];
    const lookup = lookUp(addresses);
    const autoSelectFamilyAttemptTimeout = 50;
    const options = { lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout };
    const socket = net.connect({ port, host: 'x', ...options });
    const error = await errorOf(socket);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      code: 'ETIMEDOUT',
      errors: [
        { code: 'ECONNREFUSED', syscall: 'connect', address: '::1', port },
        timedOut(port),
        timedOut(port, '127.0.0.2'),
      ],
    });
  });

  test('does not count the name look-up', async () => {
    tune({ client });
    const begin = performance.now();
    let found = 0;
    const socket = net.connect({ port, host: 'x', lookup: lookUp([HOST], 3 * TIMEOUT) });
    socket.once('lookup', () => {
      found = performance.now();
    });
    expect(await errorOf(socket)).toMatchObject(timedOut(port));
    expect(found - begin).toBeGreaterThanOrEqual(3 * TIMEOUT - 1);
    expect(performance.now() - found).toBeGreaterThanOrEqual(TIMEOUT - 1);
  });

  test('a look-up that fails has its own error', async () => {
    tune({ client });
    const lookup: LookupFunction = (_host, _options, callback) =>
      setTimeout(() => callback(Object.assign(new Error('none'), { code: 'ENONE' }), ''), 20);
    expect(await errorOf(net.connect({ port, host: 'x', lookup }))).toMatchObject({
      code: 'ENONE',
    });
  });

  test('begins again with each connect() of one socket', async () => {
    tune({ client });
    const socket = new net.Socket();
    for (let round = 0; round < 2; round++) {
      const begin = performance.now();
      socket.connect(port, HOST);
      // Node still passes the end of the first attempt on before 'close'.
      const closed = new Promise((resolve) => socket.once('close', resolve));
      expect(await errorOf(socket)).toMatchObject(timedOut(port));
      expect(performance.now() - begin).toBeGreaterThanOrEqual(TIMEOUT - 1);
      await closed;
    }
    const refused = new Promise((resolve) => socket.once('close', resolve));
    expect(await errorOf(socket.connect(REFUSING_PORT, HOST))).toMatchObject({
      code: 'ECONNREFUSED',
    });
    await refused;
    expect(await errorOf(socket.connect(port, HOST))).toMatchObject(timedOut(port));
  });

  test('leaves a socket alone that is connected, destroyed or aborted in time', async () => {
    tune({ client });
    const server = net.createServer((socket) => socket.on('error', () => {})).listen(0, HOST);
    ends.push(() => server.close());
    await once(server, 'listening');
    const connected = net.connect((server.address() as AddressInfo).port, HOST);
    ends.push(() => connected.destroy());
    const destroyed = net.connect(port, HOST).destroy();
    const abort = new AbortController();
    const aborted = net.connect({ port, host: HOST, signal: abort.signal });
    abort.abort();
    const errors: unknown[] = [];
    for (const socket of [connected, destroyed]) socket.on('error', (error) => errors.push(error));
    expect(await errorOf(aborted)).toMatchObject({ name: 'AbortError' });
    // A socket that was opened later fails later.
    expect(await errorOf(net.connect(port, HOST))).toMatchObject(timedOut(port));
    expect(errors).toEqual([]);
    expect([connected.destroyed, connected.listenerCount('connectionAttempt')]).toEqual([false, 0]);
  });

  test('does not end a socket that was connected while the event loop was blocked', async () => {
    tune({ client });
    const server = net.createServer((socket) => socket.on('error', () => {})).listen(0, HOST);
    ends.push(() => server.close());
    await once(server, 'listening');
    const socket = net.connect((server.address() as AddressInfo).port, HOST);
    ends.push(() => socket.destroy());
    const blocked = new Promise<void>((resolve) => {
      process.nextTick(() => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * TIMEOUT);
        resolve();
      });
    });
    await Promise.all([once(socket, 'connect'), blocked]);
  });

  test('bounds sockets that are connecting also after close(), and never a pipe', async () => {
    const tuning = tune({ client });
    const closed = net.connect(port, HOST).on('error', () => {});
    ends.push(() => closed.destroy());
    tuning.close();
    const pipe = net.createServer().listen(join(tmpdir(), `connecting-${process.pid}.sock`));
    ends.push(() => pipe.close());
    await once(pipe, 'listening');
    const second = tune({ client });
    const path = pipe.address() as string;
    for (const connect of [() => net.connect(path), () => net.connect({ path })]) {
      const socket = connect();
      ends.push(() => socket.destroy());
      expect(socket.listenerCount('connectionAttempt')).toBe(0);
      await once(socket, 'connect');
    }
    expect(await errorOf(net.connect(port, HOST))).toMatchObject(timedOut(port));
    second.close();
    expect(closed.destroyed).toBe(true);
  });

  test('of two tunings, the later one decides', async () => {
    tune({ client });
    tune({ client: { connectTimeout: 3 * TIMEOUT } });
    const begin = performance.now();
    expect(await errorOf(net.connect(port, HOST))).toMatchObject(timedOut(port));
    expect(performance.now() - begin).toBeGreaterThanOrEqual(3 * TIMEOUT - 1);
  });

  test('asks the filter when the time is over, with the address that is tried', async () => {
    const asked: unknown[] = [];
    tune({
      client,
      filter: ({ connecting, remoteAddress, remoteFamily, remotePort }, side) => {
        asked.push([side, connecting, remoteAddress, remoteFamily, remotePort]);
        return remoteAddress !== '127.0.0.2';
      },
    });
    const excluded = net.connect(port, '127.0.0.2').on('error', () => {});
    ends.push(() => excluded.destroy());
    expect(asked).toEqual([]);
    expect(await errorOf(net.connect(port, HOST))).toMatchObject(timedOut(port));
    expect(asked).toEqual([
      ['client', true, '127.0.0.2', 'IPv4', port],
      ['client', true, HOST, 'IPv4', port],
    ]);
    expect([excluded.connecting, excluded.remotePort]).toEqual([true, undefined]);
  });

  test('a filter that fails ends nothing, and onError gets the error', async () => {
    const errors: unknown[] = [];
    tune({ client, filter: (async () => true) as never, onError: (error) => errors.push(error) });
    const socket = net.connect(port, HOST);
    ends.push(() => socket.destroy());
    await expect.poll(() => errors).toMatchObject([{ code: 'ERR_INVALID_RETURN_VALUE' }]);
    expect(socket.connecting).toBe(true);
  });

  test('a listener that throws is an uncaught exception, and other sockets still fail', async () => {
    tune({ client });
    await withUncaught(async (thrown) => {
      net.connect(port, HOST).on('error', () => {
        throw new Error('of a listener');
      });
      expect(await errorOf(net.connect(port, HOST))).toMatchObject(timedOut(port));
      expect(thrown).toEqual([new Error('of a listener')]);
    });
  });

  test.each([
    [0, RangeError, '>= 1'],
    ['1s', TypeError, 'number of milliseconds'],
  ])('rejects %j', (connectTimeout, type, message) => {
    const call = () => tuneSockets({ client: { connectTimeout: connectTimeout as never } });
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});

describe('setDeadPeerTimeout() of a connecting socket', () => {
  const T = 4_000;

  test('bounds connecting from the call, also below TLS, and twice on one socket', async () => {
    const early = net.connect(port, HOST);
    const late = net.connect(port, HOST);
    const over = tls.connect({ socket: net.connect(port, HOST) });
    const begin = performance.now();
    for (const socket of [early, over]) setDeadPeerTimeout(socket, T);
    setTimeout(() => setDeadPeerTimeout(late, 60_000), 100);
    setTimeout(() => setDeadPeerTimeout(late, T), 500);
    const times = await Promise.all(
      [early, over, late].map(async (socket) => {
        // Node does not report an address that was tried before the call.
        const { code, syscall } = timedOut(port);
        const expected = socket === late ? { code, syscall } : timedOut(port);
        expect(await errorOf(socket)).toMatchObject(expected);
        return performance.now() - begin;
      }),
    );
    for (const time of times) expect(time).toBeGreaterThanOrEqual(T - 1);
    expect(times[2]).toBeGreaterThanOrEqual(T + 499);
  }, 20_000);

  test('counts from the first address if the look-up is still running', async () => {
    const socket = net.connect({ port, host: 'x', lookup: lookUp([HOST], 1_000) });
    setDeadPeerTimeout(socket, T);
    const begin = performance.now();
    expect(await errorOf(socket)).toMatchObject(timedOut(port));
    expect(performance.now() - begin).toBeGreaterThanOrEqual(T + 999);
  }, 20_000);

  test('replaces the bound of a tuning, and null removes it', async () => {
    tune({ client: { connectTimeout: TIMEOUT } });
    const chosen = net.connect(port, HOST).on('error', () => {});
    const unbounded = net.connect(port, HOST).on('error', () => {});
    ends.push(
      () => chosen.destroy(),
      () => unbounded.destroy(),
    );
    setDeadPeerTimeout(chosen, 60_000);
    setDeadPeerTimeout(unbounded, T);
    setDeadPeerTimeout(unbounded, null);
    expect(await errorOf(net.connect(port, HOST))).toMatchObject(timedOut(port));
    expect([chosen.connecting, unbounded.connecting]).toEqual([true, true]);
  });

  test('rejects a pipe, and leaves nothing on it', async () => {
    const pipe = net.createServer().listen(join(tmpdir(), `rejected-${process.pid}.sock`));
    ends.push(() => pipe.close());
    await once(pipe, 'listening');
    const socket = net.connect(pipe.address() as string);
    ends.push(() => socket.destroy());
    const listened = socket.eventNames();
    expect(() => setDeadPeerTimeout(socket, T)).toThrow(
      expect.objectContaining({ syscall: expect.any(String) }),
    );
    expect(socket.eventNames()).toEqual(listened);
    await once(socket, 'connect');
  });
});

describe('a socket that is destroyed while it connects is not kept until its time is over', () => {
  test.each(['setDeadPeerTimeout', 'tuneSockets'])('%s', async (way) => {
    const isTuned = way === 'tuneSockets';
    if (isTuned) tune({ client: { connectTimeout: 1_000_000 } });
    const open = async (): Promise<WeakRef<net.Socket>> => {
      const socket = net.connect(port, HOST);
      if (!isTuned) setDeadPeerTimeout(socket, 1_000_000);
      await once(socket, 'connectionAttempt').catch(() => {});
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
      return new WeakRef(socket);
    };
    const references = await Promise.all(Array.from({ length: 20 }, open));
    // A loop and not a time: a collection may need several turns of the event loop.
    while (references.some((one) => one.deref() !== undefined)) {
      await nextTurn();
      collectGarbage();
    }
  });
});
