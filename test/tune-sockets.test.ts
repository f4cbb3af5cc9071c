// Every TCP socket of the process, whichever way it is opened or accepted.

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { getKeepAlive, getOption, type SocketTuning, tuneSockets } from '../dist/index.js';
import { certificate } from './support/certificate';
import { fdOf, REFUSING_PORT } from './support/net';
import { onLinux } from './support/platform';
import { withUncaught } from './support/uncaught';
import { getInt } from './support/witness';

const TCP_KEEPIDLE = 4;
const TCP_USER_TIMEOUT = 18;
const idle = (socket: object) => getInt(fdOf(socket), 6, TCP_KEEPIDLE);
const userTimeout = (socket: object) => getInt(fdOf(socket), 6, TCP_USER_TIMEOUT);

const ends: (() => void)[] = [];
const tune = (options: Parameters<typeof tuneSockets>[0]): SocketTuning => {
  const tuning = tuneSockets(options);
  ends.push(() => tuning.close());
  return tuning;
};
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

async function listening<S extends net.Server>(server: S): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function connected(socket: net.Socket, event = 'connect'): Promise<net.Socket> {
  ends.push(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, event);
  return socket;
}

describe('tuneSockets', () => {
  beforeEach(onLinux('the values of its plan, with a user timeout'));
  let pem: { key: string; cert: string };
  beforeAll(() => {
    pem = certificate();
  });
  const client = { deadPeerTimeout: 20_000, noDelay: true };
  const insecure = { rejectUnauthorized: false };

  test('net.connect, new net.Socket().connect, tls.connect: when "connect" is told, it is done', async () => {
    tune({ client });
    const port = await listening(net.createServer((socket) => socket.on('error', () => {})));
    const secure = await listening(tls.createServer(pem));
    const ways: (() => net.Socket)[] = [
      () => net.connect(port, '127.0.0.1'),
      () => new net.Socket().connect({ port, host: '127.0.0.1' }),
      () => net.connect({ port, host: 'localhost', autoSelectFamily: true }),
      () => tls.connect({ port: secure, host: '127.0.0.1', ...insecure }),
    ];
    for (const way of ways) {
      const socket = way();
      const seen = new Promise((resolve) => {
        socket.on('connect', () => resolve([idle(socket), userTimeout(socket)]));
      });
      await connected(socket);
      expect(await seen, String(way)).toEqual([4, 8_720]);
      expect(getOption(socket, 'noDelay')).toBe(true);
    }
  });

  test('http.Agent, https, http2, fetch', async () => {
    const seen: net.Socket[] = [];
    tune({
      client,
      filter: (socket) => {
        seen.push(socket);
        return true;
      },
    });
    const answer = (_: unknown, response: { end: (text: string) => void }) => response.end('done');
    const port = await listening(http.createServer(answer));
    const secure = await listening(https.createServer(pem, answer));
    const secondPort = await listening(http2.createServer(answer as never) as never);

    const agent = new http.Agent({ keepAlive: true });
    ends.push(() => agent.destroy());
    const [response] = (await once(http.get({ port, host: '127.0.0.1', agent }), 'response')) as [
      http.IncomingMessage,
    ];
    await once(response.resume(), 'end');
    await new Promise(setImmediate);
    // The agent's pool has called setKeepAlive(true, 1000) by now.
    expect([seen.length, idle(seen[0] as net.Socket), userTimeout(seen[0] as net.Socket)]).toEqual([
      1, 4, 8_720,
    ]);

    const [secureResponse] = (await once(
      https.get({ port: secure, host: '127.0.0.1', ...insecure }),
      'response',
    )) as [http.IncomingMessage];
    expect(userTimeout(secureResponse.socket)).toBe(8_720);
    secureResponse.resume();
    const session = http2.connect(`http://127.0.0.1:${secondPort}`);
    ends.push(() => session.destroy());
    await once(session, 'connect');
    expect(getKeepAlive(session)).toMatchObject({ enable: true, initialDelay: 4_000 });
    const before = seen.length;
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(seen.length).toBe(before + 1);
    expect(userTimeout(seen.at(-1) as net.Socket)).toBe(8_720);
  });

  test('what servers accept, plain and TLS', async () => {
    tune({ server: { deadPeerTimeout: 20_000 } });
    const server = net.createServer();
    const port = await listening(server);
    const socket = net.connect(port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    ends.push(() => accepted.destroy());
    await connected(socket);
    expect([idle(accepted), userTimeout(accepted)]).toEqual([4, 8_720]);
    expect(userTimeout(socket)).toBe(0);

    const secure = tls.createServer(pem);
    const securePort = await listening(secure);
    const peer = tls.connect({ port: securePort, host: '127.0.0.1', ...insecure });
    peer.on('error', () => {});
    ends.push(() => peer.destroy());
    const [wrapped] = (await once(secure, 'secureConnection')) as [tls.TLSSocket];
    ends.push(() => wrapped.destroy());
    expect([idle(wrapped), userTimeout(wrapped)]).toEqual([4, 8_720]);
  });

  test('a library that calls setKeepAlive later does not undo it', async () => {
    tune({ client });
    const port = await listening(net.createServer());
    const socket = await connected(net.connect(port, '127.0.0.1'));
    expect(socket.setKeepAlive(true, 30_000)).toBe(socket);
    expect([idle(socket), userTimeout(socket)]).toEqual([4, 8_720]);
    socket.setKeepAlive(false);
    expect(getKeepAlive(socket)).toMatchObject({ enable: true, interval: 1_000, count: 5 });
  });

  test('the filter leaves a socket alone, listeners and methods too', async () => {
    tune({ client, filter: (socket, side) => side === 'client' && socket.remotePort !== port });
    const port = await listening(net.createServer());
    const socket = await connected(net.connect(port, '127.0.0.1'));
    expect([idle(socket), userTimeout(socket)]).toEqual([7_200, 0]);
    expect(socket.listenerCount('connect')).toBe(0);
    expect(Object.hasOwn(socket, 'setKeepAlive')).toBe(false);
  });

  test('two callers: both hold, the later one wins, and each ends for itself', async () => {
    const original = net.Socket.prototype.connect;
    const port = await listening(net.createServer());
    const first = tune({ client: { userTimeout: 5_000, noDelay: true } });
    const second = tune({ client: { userTimeout: 7_000 } });
    const both = await connected(net.connect(port, '127.0.0.1'));
    expect([userTimeout(both), getOption(both, 'noDelay')]).toEqual([7_000, true]);
    second.close();
    const one = await connected(net.connect(port, '127.0.0.1'));
    expect(userTimeout(one)).toBe(5_000);
    first.close();
    first.close();
    const none = await connected(net.connect(port, '127.0.0.1'));
    expect([userTimeout(none), getOption(none, 'noDelay')]).toEqual([0, false]);
    expect(net.Socket.prototype.connect).toBe(original);
  });

  test('`using` ends it; a patch of somebody else’s above ours is left alone', async () => {
    const original = net.Socket.prototype.connect;
    const port = await listening(net.createServer());
    const tuning = tuneSockets({ client });
    const ours = net.Socket.prototype.connect;
    let calls = 0;
    net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
      calls++;
      return Reflect.apply(ours, this, args) as net.Socket;
    } as never;
    tuning[Symbol.dispose]();
    const socket = await connected(net.connect(port, '127.0.0.1'));
    expect([calls, userTimeout(socket)]).toEqual([1, 0]);
    const again = tune({ client });
    const tuned = await connected(net.connect(port, '127.0.0.1'));
    expect([calls, userTimeout(tuned)]).toEqual([2, 8_720]);
    again.close();
    net.Socket.prototype.connect = ours;
    tuneSockets({}).close();
    expect(net.Socket.prototype.connect).toBe(original);
  });

  test('errors go to onError, and never to the library; what it throws is uncaught', async () => {
    const errors: string[] = [];
    // No kernel has a congestion control of that name.
    tune({
      client: { congestionControl: 'nosuch' },
      onError: (error, socket) => {
        errors.push(`${(error as NodeJS.ErrnoException).code} ${socket instanceof net.Socket}`);
        throw new Error('of onError');
      },
    });
    const port = await listening(net.createServer());
    await withUncaught(async (thrown) => {
      await connected(net.connect(port, '127.0.0.1'));
      await new Promise(setImmediate);
      expect(errors).toEqual(['ENOENT true']);
      expect(thrown).toEqual([new Error('of onError')]);
    });
  });

  test('sockets of the file system are none of it', async () => {
    const errors: Error[] = [];
    tune({ client, server: client, onError: (error) => errors.push(error) });
    const path = join(tmpdir(), `tune-${process.pid}.sock`);
    const server = net.createServer((socket) => socket.end());
    ends.push(() => server.close());
    await once(server.listen(path), 'listening');
    await connected(net.connect(path));
    expect(errors).toEqual([]);
  });

  test('a connection that is refused, and one that is connected again', async () => {
    tune({ client });
    const socket = net.connect(REFUSING_PORT, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    const port = await listening(net.createServer());
    await connected(socket.connect(port, '127.0.0.1'));
    expect(userTimeout(socket)).toBe(8_720);
    const method = socket.setKeepAlive;
    socket.destroy();
    await once(socket, 'close');
    await connected(socket.connect(port, '127.0.0.1'));
    // Replaced once, however often it connects.
    expect(socket.setKeepAlive).toBe(method);
    socket.setKeepAlive(true, 60_000);
    expect(idle(socket)).toBe(4);
  });

  test.each([
    [undefined, TypeError, 'an object'],
    [{ clients: {} }, TypeError, 'unknown option "clients" (did you mean "client"?)'],
    [{ client: 5 }, TypeError, 'options.client'],
    [{ client: { deadPeerTimeout: 3_000 } }, RangeError, '3 unanswered probes'],
    [{ client: { deadPeerTimeout: '20s' } }, TypeError, 'number of milliseconds'],
    [{ client: { minProbes: 0 } }, RangeError, '>= 1'],
    [{ client: { noDelai: true } }, TypeError, 'noDelai'],
    [{ server: { userTimeout: -1 } }, RangeError, 'userTimeout'],
    [{ filter: 'all' }, TypeError, 'options.filter'],
    [{ onError: 1 }, TypeError, 'options.onError'],
  ])('refuses %j', (options, type, message) => {
    const call = () => tuneSockets(options as never);
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});
