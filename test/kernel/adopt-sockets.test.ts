// tuneSockets({ adopt: true }): sockets that were open before the call.

import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  getKeepAlive,
  type SocketTuning,
  setDeadPeerTimeout,
  setKeepAlive,
  tuneSockets,
} from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { fdOf, listen } from '../support/net';
import { onLinux } from '../support/platform';
import { referenceAddon } from '../support/reference-addon';
import { openSilentPort, type SilentPort } from '../support/silent-port';

const HOST = '127.0.0.1';
const TUNED = { enable: true, initialDelay: 4_000, interval: 2_000, count: 17 };
const UNTUNED = { enable: false, initialDelay: 7_200_000, interval: 75_000, count: 9 };
const client = { deadPeerTimeout: 20_000 };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
beforeEach(onLinux('the values of its plan, and descriptors'));

const adopt = (options: Parameters<typeof tuneSockets>[0]): SocketTuning => {
  const tuning = tuneSockets({ adopt: true, ...options });
  ends.push(() => tuning.close());
  return tuning;
};

async function listening<S extends net.Server>(server: S): Promise<number> {
  ends.push(() => server.close());
  return listen(server, HOST);
}

const kept = <S extends net.Socket>(socket: S): S => {
  ends.push(() => socket.destroy());
  return socket.on('error', () => {});
};

const closeOf = (socket: net.Socket) => new Promise((resolve) => socket.once('close', resolve));

/** Both ends of an open connection. */
async function pair(server: net.Server = net.createServer()): Promise<[net.Socket, net.Socket]> {
  const port = server.listening ? (server.address() as AddressInfo).port : await listening(server);
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const socket = kept(net.connect(port, HOST));
  const [[other]] = await Promise.all([accepted, once(socket, 'connect')]);
  return [socket, kept(other)];
}

describe('sockets of Node', () => {
  test('both sides of a connection, and those of TLS', async () => {
    const pem = certificate();
    const server = tls.createServer(pem);
    const port = await listening(server);
    const secured = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
    const secure = kept(tls.connect({ port, host: HOST, rejectUnauthorized: false }));
    const [acceptedSecure] = await secured;
    kept(acceptedSecure);
    const below = kept(net.connect(port, HOST));
    const over = kept(tls.connect({ socket: below, rejectUnauthorized: false }));
    await once(over, 'secureConnect');
    const [socket, accepted] = await pair();
    const tuning = adopt({ client });
    for (const one of [socket, secure, below, over]) expect(getKeepAlive(one)).toEqual(TUNED);
    for (const one of [accepted, acceptedSecure]) expect(getKeepAlive(one)).toEqual(UNTUNED);
    socket.setKeepAlive(true, 30_000);
    expect(getKeepAlive(socket)).toEqual(TUNED);
    tuning.close();
    adopt({ server: client });
    for (const one of [accepted, acceptedSecure]) expect(getKeepAlive(one)).toEqual(TUNED);
  });

  test('without adopt they are left alone', async () => {
    const [socket] = await pair();
    adopt({ client, adopt: false });
    expect(getKeepAlive(socket)).toEqual(UNTUNED);
    socket.unref().ref();
    expect(getKeepAlive(socket)).toEqual(UNTUNED);
  });

  test('that the filter wants', async () => {
    const [one] = await pair();
    const [two] = await pair();
    adopt({ client, filter: (socket) => socket === two });
    expect(getKeepAlive(one)).toEqual(UNTUNED);
    expect(getKeepAlive(two)).toEqual(TUNED);
  });

  test('are not tuned by their descriptors as well', async () => {
    const [socket] = await pair();
    const failed: unknown[] = [];
    // No kernel has a congestion control of that name.
    adopt({
      client: { congestionControl: 'nosuch' },
      onError: (_error, one) => failed.push(one),
    });
    expect(failed).toContain(socket);
    expect(failed).not.toContain(undefined);
  });

  test('a timeout that the program has set for a socket stays', async () => {
    const [socket] = await pair();
    setDeadPeerTimeout(socket, 60_000);
    adopt({ client });
    expect(getKeepAlive(socket)).toMatchObject({ initialDelay: 12_000 });
  });

  test('an unreferenced socket, when it is referenced again, once', async () => {
    const [socket] = await pair();
    socket.unref();
    const asked: net.Socket[] = [];
    adopt({ client, filter: (one) => asked.push(one) > 0 && one === socket });
    expect(asked).not.toContain(socket);
    expect(getKeepAlive(socket)).toEqual(UNTUNED);
    for (let round = 0; round < 2; round++) socket.ref();
    expect(getKeepAlive(socket)).toEqual(TUNED);
    expect(asked.filter((one) => one === socket)).toHaveLength(1);
  });

  test('an idle socket of an http.Agent, with its next request', async () => {
    const port = await listening(http.createServer((_request, response) => response.end('done')));
    const agent = new http.Agent({ keepAlive: true });
    ends.push(() => agent.destroy());
    const get = async () => {
      const [response] = (await once(http.get({ port, host: HOST, agent }), 'response')) as [
        http.IncomingMessage,
      ];
      const { socket } = response;
      await once(response.resume(), 'end');
      await new Promise(setImmediate);
      return socket;
    };
    const socket = await get();
    adopt({ client });
    const again = await get();
    expect([again === socket, getKeepAlive(again)]).toEqual([true, TUNED]);
  });

  test('sockets that a listening server accepts later', async () => {
    const server = net.createServer();
    await listening(server);
    adopt({ server: client });
    const [, accepted] = await pair(server);
    expect(getKeepAlive(accepted)).toEqual(TUNED);
  });

  describe('that are connecting', () => {
    let silent: SilentPort;
    beforeAll(async () => {
      if (process.platform === 'linux') silent = await openSilentPort();
    });
    afterAll(() => silent?.close());

    test('are bounded from the call, but not with a filter, which could not decide', async () => {
      const excluded = kept(net.connect(silent.port, HOST));
      // Node tries the address in the next tick.
      await new Promise(setImmediate);
      const filtered = adopt({ client: { connectTimeout: 200 }, filter: () => true });
      const other = kept(net.connect(silent.port, HOST));
      await closeOf(other);
      expect([excluded.connecting, other.destroyed]).toEqual([true, true]);
      filtered.close();
      const begin = performance.now();
      adopt({ client: { connectTimeout: 400 } });
      await closeOf(excluded);
      expect(excluded.errored).toMatchObject({ code: 'ETIMEDOUT', syscall: 'connect' });
      expect(performance.now() - begin).toBeGreaterThan(399);
    });
  });
});

describe('descriptors that no socket of this thread has', () => {
  /** As a socket of native code: a descriptor. Node's own socket is closed. */
  async function nativePair(): Promise<[number, number]> {
    const sockets = await pair();
    const descriptors = sockets.map((socket) => referenceAddon.dup(fdOf(socket)));
    for (const socket of sockets) socket.destroy();
    await new Promise(setImmediate);
    ends.push(() => descriptors.map((fd) => referenceAddon.close(fd)));
    return descriptors as [number, number];
  }

  test('get the options of their side', async () => {
    const [native, accepted] = await nativePair();
    adopt({ client: { deadPeerTimeout: 20_000, supervise: true } });
    const { interval } = getKeepAlive(native);
    expect(interval).toBeLessThan(20_000);
    expect(getKeepAlive(accepted)).toEqual(UNTUNED);
  });

  test('are left alone with a filter, and if their keepalive times were chosen', async () => {
    const [native] = await nativePair();
    adopt({ client, filter: () => true });
    expect(getKeepAlive(native)).toEqual(UNTUNED);
    setKeepAlive(native, { enable: true, initialDelay: 33_000 });
    adopt({ client });
    expect(getKeepAlive(native)).toMatchObject({ initialDelay: 33_000 });
  });

  test('may belong to another thread', async () => {
    const port = await listening(net.createServer((socket) => kept(socket)));
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const socket = require('node:net').connect(${port}, '${HOST}', () => {
         parentPort.postMessage(socket._handle.fd);
       });
       socket.on('error', () => {});`,
      { eval: true },
    );
    ends.push(() => worker.terminate());
    const [fd] = (await once(worker, 'message')) as [number];
    adopt({ client });
    expect(getKeepAlive(fd).enable).toBe(true);
  });
});

test.each([['yes', TypeError, 'options.adopt']])('rejects %j', (value, type, message) => {
  const call = () => tuneSockets({ client, adopt: value as never });
  expect(call).toThrow(type);
  expect(call).toThrow(message);
});
