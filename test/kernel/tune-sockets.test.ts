// Every TCP socket of the process, whichever way it is opened or accepted.

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  getKeepAlive,
  getOption,
  type SocketTuning,
  setDeadPeerTimeout,
  setKeepAlive,
  tuneSockets,
} from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { fdOf, REFUSING_PORT } from '../support/net';
import { onLinux } from '../support/platform';
import {
  AF_INET,
  getInt,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  referenceAddon,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../support/reference-addon';
import { withUncaught } from '../support/uncaught';

const SO_SNDBUF = 7;
const SO_KEEPALIVE = 9;
const IP_TTL = 2;
const IPV6_TCLASS = 67;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_USER_TIMEOUT = 18;
const idle = (socket: object) => getInt(fdOf(socket), IPPROTO_TCP, TCP_KEEPIDLE);
const userTimeout = (socket: object) => getInt(fdOf(socket), IPPROTO_TCP, TCP_USER_TIMEOUT);
const ttl = (socket: object) => getInt(fdOf(socket), IPPROTO_IP, IP_TTL);
const noDelay = (socket: object) => getInt(fdOf(socket), IPPROTO_TCP, TCP_NODELAY);
/** The switch, initial delay, interval and count. */
const keepAlive = (socket: object) => [
  getInt(fdOf(socket), SOL_SOCKET, SO_KEEPALIVE),
  ...[TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT].map((name) =>
    getInt(fdOf(socket), IPPROTO_TCP, name),
  ),
];

/** What a dead-peer timeout of 20 s sets, and what a new socket has. */
const TUNED = [1, 4, 2, 17];
const UNTUNED = [0, 7_200, 75, 9];

const ends: (() => void)[] = [];
const tune = (options: Parameters<typeof tuneSockets>[0]): SocketTuning => {
  const tuning = tuneSockets(options);
  ends.push(() => tuning.close());
  return tuning;
};
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

async function listening<S extends net.Server>(server: S, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
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

/** Connects by Multipath TCP to the port that is its argument, and stays until it is ended. */
const MPTCP_CLIENT = `
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
client.connect(('127.0.0.1', int(sys.argv[1])))
client.recv(1)`;

/** Both ends of a new connection to a server that was not listening yet. */
async function pair(server = net.createServer()): Promise<[client: net.Socket, net.Socket]> {
  const port = await listening(server);
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const client = await connected(net.connect(port, '127.0.0.1'));
  const [socket] = await accepted;
  ends.push(() => socket.destroy());
  return [client, socket.on('error', () => {})];
}

describe('tuneSockets', () => {
  beforeEach(onLinux('the values of its plan, with a user timeout'));
  let pem: { key: string; cert: string };
  beforeAll(() => {
    pem = certificate();
  });
  const client = { deadPeerTimeout: 20_000, noDelay: true };
  const insecure = { rejectUnauthorized: false };

  test('tunes sockets of net.connect, new net.Socket().connect and tls.connect before their "connect" listeners', async () => {
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
        socket.on('connect', () => resolve(keepAlive(socket)));
      });
      await connected(socket);
      expect(await seen, String(way)).toEqual(TUNED);
      expect(getOption(socket, 'noDelay')).toBe(true);
    }
  });

  test('tunes sockets of http.Agent, https, http2 and fetch', async () => {
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
    expect([seen.length, ...keepAlive(seen[0] as net.Socket)]).toEqual([1, ...TUNED]);

    const [secureResponse] = (await once(
      https.get({ port: secure, host: '127.0.0.1', ...insecure }),
      'response',
    )) as [http.IncomingMessage];
    expect(keepAlive(secureResponse.socket)).toEqual(TUNED);
    secureResponse.resume();
    const session = http2.connect(`http://127.0.0.1:${secondPort}`);
    ends.push(() => session.destroy());
    await once(session, 'connect');
    expect(getKeepAlive(session)).toMatchObject({ enable: true, initialDelay: 4_000 });
    const before = seen.length;
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(seen.length).toBe(before + 1);
    expect(keepAlive(seen.at(-1) as net.Socket)).toEqual(TUNED);
  });

  test('tunes sockets that net and TLS servers accept', async () => {
    tune({ server: { deadPeerTimeout: 20_000 } });
    const server = net.createServer();
    const port = await listening(server);
    const socket = net.connect(port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    ends.push(() => accepted.destroy());
    await connected(socket);
    expect(keepAlive(accepted)).toEqual(TUNED);
    expect(keepAlive(socket)).toEqual(UNTUNED);

    const secure = tls.createServer(pem);
    const securePort = await listening(secure);
    const peer = tls.connect({ port: securePort, host: '127.0.0.1', ...insecure });
    peer.on('error', () => {});
    ends.push(() => peer.destroy());
    const [wrapped] = (await once(secure, 'secureConnection')) as [tls.TLSSocket];
    ends.push(() => wrapped.destroy());
    expect(keepAlive(wrapped)).toEqual(TUNED);
  });

  test('keeps its values when a library calls setKeepAlive later', async () => {
    tune({ client });
    const port = await listening(net.createServer());
    const socket = await connected(net.connect(port, '127.0.0.1'));
    expect(socket.setKeepAlive(true, 30_000)).toBe(socket);
    expect(keepAlive(socket)).toEqual(TUNED);
    socket.setKeepAlive(false);
    expect(getKeepAlive(socket)).toMatchObject({ enable: true, interval: 2_000, count: 17 });
  });

  test('adds no values, listeners or methods to a socket that the filter excludes', async () => {
    tune({ client, filter: (socket, side) => side === 'client' && socket.remotePort !== port });
    const port = await listening(net.createServer());
    const socket = await connected(net.connect(port, '127.0.0.1'));
    expect(keepAlive(socket)).toEqual(UNTUNED);
    expect(socket.listenerCount('connect')).toBe(0);
    expect(Object.hasOwn(socket, 'setKeepAlive')).toBe(false);
    socket.setKeepAlive(true, 30_000);
    expect(idle(socket)).toBe(30);
  });

  test('two tunings apply together, the later one wins, and each closes separately', async () => {
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
    expect(Object.hasOwn(net.Socket.prototype, 'emit')).toBe(false);
    expect(Object.hasOwn(net.Server.prototype, 'emit')).toBe(false);
  });

  test.each([
    ['net.Socket', net.Socket.prototype, { client }],
    ['net.Server', net.Server.prototype, { server: client }],
  ])(
    '`using` closes it and keeps an emit of %s that other code has put over the replaced one',
    async (_name, prototype, options) => {
      const tuned = async () => idle((await pair())['client' in options ? 0 : 1]);
      const tuning = tuneSockets(options);
      const ours = prototype.emit;
      let calls = 0;
      prototype.emit = function (this: net.Socket, ...args: unknown[]) {
        if (args[0] === 'connect' || args[0] === 'connection') calls++;
        return Reflect.apply(ours, this, args) as boolean;
      } as never;
      ends.push(() => Reflect.deleteProperty(prototype, 'emit'));
      tuning[Symbol.dispose]();
      expect([await tuned(), calls]).toEqual([7_200, 1]);
      const theirs = prototype.emit;
      const again = tune(options);
      expect([await tuned(), calls]).toEqual([4, 2]);
      again.close();
      expect(prototype.emit).toBe(theirs);
      expect([await tuned(), calls]).toEqual([7_200, 3]);
    },
  );

  test('it tunes a client whose emit() does not call that of net.Socket, before its own listeners', async () => {
    tune({ client: { ...client, ttl: 9 } });
    const port = await listening(net.createServer());
    const socket = new net.Socket();
    ends.push(() => socket.destroy());
    socket.emit = EventEmitter.prototype.emit as never;
    const atConnect: number[] = [];
    socket.prependListener('connect', () => atConnect.push(idle(socket), ttl(socket)));
    await connected(socket.connect(port, '127.0.0.1'));
    expect(atConnect).toEqual([4, 9]);
    socket.destroy();
    await once(socket, 'close');
    await connected(socket.connect(port, '127.0.0.1'));
    expect([idle(socket), socket.listenerCount('lookup')]).toEqual([4, 1]);
  });

  test('emit below another replacement does nothing without a tuning', async () => {
    const tuning = tuneSockets({ server: client });
    const ours = net.Server.prototype.emit;
    net.Server.prototype.emit = function (this: net.Server, ...args: unknown[]) {
      return Reflect.apply(ours, this, args) as boolean;
    } as never;
    ends.push(() => Reflect.deleteProperty(net.Server.prototype, 'emit'));
    tuning.close();
    const [, accepted] = await pair();
    tune({ server: client });
    net.createServer().emit('connection', accepted);
    expect(keepAlive(accepted)).toEqual(TUNED);
  });

  test('passes errors to onError only, and what onError throws is uncaught', async () => {
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

  test('skips Unix sockets without a call of the filter', async () => {
    const errors: Error[] = [];
    const asked: string[] = [];
    const tuning = { ...client, sendBufferSize: 20_000 };
    tune({
      ...{ client: tuning, server: tuning, onError: (error) => errors.push(error) },
      filter: (_socket, side) => asked.push(side) > 0,
    });
    const path = join(tmpdir(), `tune-${process.pid}.sock`);
    const server = net.createServer((socket) => socket.end());
    ends.push(() => server.close());
    await once(server.listen(path), 'listening');
    const socket = await connected(net.connect(path));
    expect(getInt(fdOf(socket), SOL_SOCKET, SO_SNDBUF)).toBeGreaterThan(40_000);
    expect([errors, asked]).toEqual([[], []]);
  });

  test('tunes a socket that connects again after a refused or a closed connection', async () => {
    tune({ client });
    const socket = net.connect(REFUSING_PORT, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    const port = await listening(net.createServer());
    await connected(socket.connect(port, '127.0.0.1'));
    expect(keepAlive(socket)).toEqual(TUNED);
    socket.destroy();
    await once(socket, 'close');
    await connected(socket.connect(port, '127.0.0.1'));
    expect(keepAlive(socket)).toEqual(TUNED);
    socket.setKeepAlive(true, 60_000);
    expect(idle(socket)).toBe(4);
  });

  describe('before the listeners of the program, which may override it', () => {
    const server = { deadPeerTimeout: 20_000 };

    test('tunes before "connection", "secureConnection", "request" and "stream" of existing servers', async () => {
      const seen: Record<string, number[]> = {};
      const see = (event: string, socket: object) => {
        seen[event] = keepAlive(socket);
      };
      const answer = (
        request: { socket: net.Socket },
        response: { end: (text: string) => void },
      ) => {
        see('request', request.socket);
        response.end('done');
      };
      const plain = net.createServer((socket) =>
        see(
          'connection',
          socket.on('error', () => {}),
        ),
      );
      const secure = tls.createServer(pem, (socket) => see('secureConnection', socket));
      const web = https.createServer(pem, answer as never);
      const second = http2.createServer();
      second.on('stream', (stream) => {
        see('stream', stream.session?.socket as object);
        stream.respond({ ':status': 200 }, { endStream: true });
      });
      const ports = await Promise.all(
        [plain, secure, web, second].map((one) => listening(one as net.Server)),
      );
      tune({ server });
      await connected(net.connect(ports[0] as number, '127.0.0.1'));
      await connected(
        tls.connect({ port: ports[1] as number, host: '127.0.0.1', ...insecure }),
        'secureConnect',
      );
      await once(
        https.get({ port: ports[2] as number, host: '127.0.0.1', ...insecure }),
        'response',
      );
      const session = http2.connect(`http://127.0.0.1:${ports[3]}`);
      ends.push(() => session.destroy());
      await once(session.request({ ':path': '/' }).resume(), 'end');
      await expect
        .poll(() => Object.keys(seen).sort())
        .toEqual([...['connection', 'request', 'secureConnection', 'stream']]);
      for (const [event, values] of Object.entries(seen)) expect(values, event).toEqual(TUNED);
    });

    test('keeps what a listener sets, also after a setKeepAlive() of a library', async () => {
      tune({ client, server });
      const listener = (socket: net.Socket) => setDeadPeerTimeout(socket, 60_000);
      const accepting = net.createServer(listener);
      const port = await listening(accepting);
      const accepted = once(accepting, 'connection') as Promise<[net.Socket]>;
      const socket = net.connect(port, '127.0.0.1');
      socket.on('connect', () => listener(socket));
      await connected(socket);
      for (const one of [socket, (await accepted)[0]]) {
        ends.push(() => one.destroy());
        const chosen = keepAlive(one);
        expect(chosen).toEqual([1, 12, 6, 17]);
        one.setKeepAlive(true, 30_000);
        expect(keepAlive(one)).toEqual(chosen);
        setKeepAlive(one, false);
        one.setKeepAlive(true, 31_000);
        expect(keepAlive(one)[0]).toBe(0);
      }
    });

    test('tunes a socket although a listener throws or all listeners were removed', async () => {
      tune({ client, server });
      const accepting = net.createServer();
      const accepted: net.Socket[] = [];
      accepting.on('connection', (socket) => {
        accepted.push(socket.on('error', () => {}));
        ends.push(() => socket.destroy());
        throw new Error('of a listener');
      });
      const port = await listening(accepting);
      await withUncaught(async (thrown) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.removeAllListeners('connect');
        await connected(socket);
        await expect.poll(() => accepted.length).toBe(1);
        expect(thrown).toEqual([new Error('of a listener')]);
        for (const one of [socket, ...accepted]) expect(keepAlive(one)).toEqual(TUNED);
      });
      accepting.removeAllListeners();
      const served = tls.createServer(pem);
      served.removeAllListeners();
      for (const one of [accepting, served]) {
        if (one !== accepting) await listening(one);
        const { port: target } = one.address() as AddressInfo;
        const taken = once(one, 'connection') as Promise<[net.Socket]>;
        await connected(net.connect(target, '127.0.0.1'));
        const [socket] = await taken;
        ends.push(() => socket.destroy());
        expect(keepAlive(socket)).toEqual(TUNED);
      }
    });

    test('tunes by the diagnostics channel if a server has its own emit', async () => {
      tune({ server });
      const accepting = net.createServer();
      const { emit } = EventEmitter.prototype;
      accepting.emit = (...args) => Reflect.apply(emit, accepting, args) as boolean;
      const [, accepted] = await pair(accepting);
      expect(keepAlive(accepted)).toEqual(TUNED);
    });

    test('tunes a socket that was already connecting', async () => {
      const port = await listening(net.createServer());
      const socket = net.connect(port, '127.0.0.1');
      tune({ client });
      await connected(socket);
      expect(keepAlive(socket)).toEqual(TUNED);
    });
  });

  describe('once for each connection', () => {
    const asked: string[] = [];
    beforeEach(() => {
      asked.length = 0;
      tune({
        ...{ client, server: client },
        filter: (socket, side) => asked.push(`${side} ${socket.localPort}`) > 0,
      });
    });

    test('with STARTTLS on both sides, also over a connecting socket', async () => {
      const upgraded: tls.TLSSocket[] = [];
      const server = net.createServer((socket) => {
        const secure = new tls.TLSSocket(socket, { isServer: true, ...pem });
        ends.push(() => secure.destroy());
        upgraded.push(secure.on('error', () => {}));
      });
      const port = await listening(server);
      const plain = await connected(net.connect(port, '127.0.0.1'));
      await connected(tls.connect({ socket: plain, ...insecure }), 'secureConnect');
      const connecting = net.connect(port, '127.0.0.1');
      await connected(tls.connect({ socket: connecting, ...insecure }), 'secureConnect');
      expect(asked.toSorted()).toEqual(
        [
          ...[plain, connecting].map(({ localPort }) => `client ${localPort}`),
          ...[`server ${port}`, `server ${port}`],
        ].toSorted(),
      );
      expect(upgraded).toHaveLength(2);
    });

    test('with a socket that one server passes to another', async () => {
      const web = http.createServer((_request, response) => response.end('done'));
      const secure = tls.createServer(pem, (socket) => web.emit('connection', socket));
      const front = net.createServer((socket) => secure.emit('connection', socket));
      const port = await listening(front);
      const [response] = (await once(
        https.get({ port, host: '127.0.0.1', ...insecure }),
        'response',
      )) as [http.IncomingMessage];
      expect(asked).toEqual(
        [`server ${port}`, `client ${response.socket.localPort}`].toSorted().reverse(),
      );
    });

    test('ignores streams that are no TCP socket', async () => {
      const server = net.createServer();
      const events: unknown[] = [];
      server.on('connection', (socket) => events.push(socket));
      const streams = [new Duplex(), new net.Socket(), Object.create(net.Socket.prototype), null];
      for (const stream of streams) server.emit('connection', stream);
      expect(events).toEqual(streams);
      new net.Socket().emit('connect');
      expect(asked).toEqual([]);
    });
  });

  describe('keeps its keepalive values after socket.setKeepAlive()', () => {
    test('on TLS sockets of a server, sockets of https, and after STARTTLS', async () => {
      tune({ client, server: client });
      const sockets: net.Socket[] = [];
      const secure = tls.createServer(pem, (socket) => sockets.push(socket));
      const web = https.createServer(pem, (request, response) => {
        sockets.push(request.socket);
        response.end('done');
      });
      const plain = net.createServer((socket) => {
        sockets.push(new tls.TLSSocket(socket, { isServer: true, ...pem }).on('error', () => {}));
      });
      const ports = [await listening(secure), await listening(web), await listening(plain)];
      for (const port of ports) {
        const socket = tls.connect({ port, host: '127.0.0.1', ...insecure });
        sockets.push(await connected(socket, 'secureConnect'));
        if (port === ports[1]) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      }
      await expect.poll(() => sockets.length).toBe(6);
      for (const socket of sockets) {
        ends.push(() => socket.destroy());
        expect(socket.setKeepAlive(true, 30_000)).toBe(socket);
        expect(keepAlive(socket)).toEqual(TUNED);
      }
    });

    test('sets only the values of the tuning, and Node sets the others', async () => {
      tune({ client: { keepAliveInterval: 7_000, keepAliveCount: 4 } });
      const [socket] = await pair();
      socket.setKeepAlive(true, 30_000);
      expect(keepAlive(socket)).toEqual([1, 30, 7, 4]);
      setKeepAlive(socket, { interval: 9_000 });
      socket.setKeepAlive(true, 31_000);
      expect(keepAlive(socket)).toEqual([1, 31, 9, 4]);
    });

    test('keeps the values of two tunings, until each is closed', async () => {
      tune({ client: { keepAliveInterval: 7_000 } });
      const second = tune({ client: { keepAliveCount: 4 } });
      const [socket] = await pair();
      socket.setKeepAlive(true, 30_000);
      expect(keepAlive(socket)).toEqual([1, 30, 7, 4]);
      second.close();
      socket.setKeepAlive(true, 31_000);
      expect(keepAlive(socket)).toEqual([1, 31, 7, 10]);
    });

    test('until the tuning is closed', async () => {
      const tuning = tune({ client });
      const [socket] = await pair();
      tuning.close();
      socket.setKeepAlive(true, 30_000);
      expect(keepAlive(socket)).toEqual([1, 30, 1, 10]);
    });

    test('keeps nothing if the dead-peer timeout was not set', async () => {
      const errors: Error[] = [];
      tune({ client: { deadPeerTimeout: 20_000 }, onError: (error) => errors.push(error) });
      const port = await listening(net.createServer());
      const socket = net.connect(port, '127.0.0.1');
      const handle = (socket as unknown as { _handle: { fd: number } })._handle;
      // A socket without a descriptor of its own, as those of Deno are.
      Object.defineProperty(handle, 'fd', { value: -1, configurable: true });
      await connected(socket);
      Reflect.deleteProperty(handle, 'fd');
      expect(errors).toMatchObject([{ code: 'ERR_SOCKET_NO_DESCRIPTOR' }]);
      socket.setKeepAlive(true, 30_000);
      expect(keepAlive(socket)).toEqual([1, 30, 1, 10]);
    });
  });

  describe('the filter', () => {
    const rejection = async () => {
      throw new Error('of the filter');
    };
    test.each([
      ['a promise of false', async () => false, 'an instance of Promise'],
      ['a promise that rejects', rejection, 'an instance of Promise'],
      ['undefined', () => undefined, 'undefined'],
      ['1', () => 1, 'type number (1)'],
      ["'true'", () => 'true', "type string ('true')"],
      ['null', () => null, 'null'],
    ])('that returns %s is a TypeError, and nothing is set', async (_what, filter, got) => {
      const errors: Error[] = [];
      tune({ client, filter: filter as never, onError: (error) => errors.push(error) });
      const [socket] = await pair();
      expect([...keepAlive(socket), noDelay(socket)]).toEqual([...UNTUNED, 0]);
      expect(errors).toMatchObject([
        {
          name: 'TypeError',
          code: 'ERR_INVALID_RETURN_VALUE',
          message: `Expected a boolean to be returned from the "filter" function but got ${got}.`,
        },
      ]);
    });

    test('that throws: onError gets the error, and nothing is set', async () => {
      const errors: unknown[] = [];
      const thrown = { message: 'of the filter' };
      const filter = () => {
        throw thrown;
      };
      tune({ client, filter, onError: (error) => errors.push(error) });
      expect(keepAlive((await pair())[0])).toEqual(UNTUNED);
      expect(errors).toEqual([thrown]);
    });

    test('that closes the tuning: nothing is set', async () => {
      const tuning = tune({
        client,
        filter: () => {
          tuning.close();
          return true;
        },
      });
      expect(keepAlive((await pair())[0])).toEqual(UNTUNED);
    });

    test('that closes another tuning: the other one sets nothing', async () => {
      const close = () => {
        later.close();
        return true;
      };
      tune({ client: { userTimeout: 5_000 }, filter: close });
      const later = tune({ client: { noDelay: true } });
      const [socket] = await pair();
      expect([userTimeout(socket), noDelay(socket)]).toEqual([5_000, 0]);
    });

    test('that destroys the socket and throws: onError gets the error', async () => {
      const errors: unknown[] = [];
      const thrown = new Error('of the filter');
      const filter = (socket: net.Socket) => {
        socket.destroy();
        throw thrown;
      };
      tune({ client, filter, onError: (error) => errors.push(error) });
      const port = await listening(net.createServer());
      await once(net.connect(port, '127.0.0.1'), 'close');
      expect(errors).toEqual([thrown]);
    });

    test('that throws a new code each time causes one warning', async () => {
      const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
      let calls = 0;
      tune({
        client,
        filter: () => {
          throw Object.assign(new Error('of the filter'), { code: `CODE_${++calls}` });
        },
      });
      for (let index = 0; index < 3; index++) await pair();
      expect(calls).toBe(3);
      expect(warned.mock.calls.length).toBe(1);
      warned.mockRestore();
    });

    test('that destroys the socket causes no error', async () => {
      const errors: unknown[] = [];
      const filter = (socket: net.Socket) => socket.destroy().destroyed;
      tune({ client, filter, onError: (error) => errors.push(error) });
      const port = await listening(net.createServer());
      await once(net.connect(port, '127.0.0.1'), 'close');
      expect(errors).toEqual([]);
    });
  });

  describe('sets the options that a socket has', () => {
    test.each([
      ['IPv4', '127.0.0.1', { trafficClass: 0x88, hopLimit: 30 }],
      ['IPv6', '::1', {}],
    ])(
      '%s: skips options of the other family, and sets all others',
      async (_family, host, left) => {
        const errors: Error[] = [];
        const tuning = { ...left, trafficClass: 0x88, typeOfService: 0x20, ttl: 40, noDelay: true };
        tune({ client: tuning, server: tuning, onError: (error) => errors.push(error) });
        const server = net.createServer();
        const port = await listening(server, host);
        const accepted = once(server, 'connection') as Promise<[net.Socket]>;
        const socket = await connected(net.connect(port, host));
        for (const one of [socket, (await accepted)[0]]) {
          ends.push(() => one.destroy());
          expect([ttl(one), noDelay(one)]).toEqual([40, 1]);
          if (host === '::1') {
            expect(getInt(fdOf(one), IPPROTO_IPV6, IPV6_TCLASS)).toBe(0x88);
          }
        }
        expect(errors).toEqual([]);
      },
    );

    test('skips an option that Multipath TCP lacks', async ({ skip }) => {
      const IPPROTO_MPTCP = 262;
      const listener = referenceAddon.socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
      skip(listener < 0, `this kernel makes no sockets of Multipath TCP: errno ${-listener}`);
      const errors: Error[] = [];
      tune({
        ...{ server: { userTimeout: 5_000, noDelay: true, ttl: 40 } },
        onError: (error) => errors.push(error),
      });
      referenceAddon.listen(listener);
      const server = net.createServer().listen({ fd: listener });
      ends.push(() => server.close());
      await once(server, 'listening');
      const accepted = once(server, 'connection') as Promise<[net.Socket]>;
      const { port } = server.address() as AddressInfo;
      const peer = spawn('python3', ['-c', MPTCP_CLIENT, String(port)]);
      ends.push(() => peer.kill());
      const [socket] = await accepted;
      ends.push(() => socket.destroy());
      socket.on('error', () => {});
      expect(getInt(fdOf(socket), SOL_SOCKET, 38)).toBe(IPPROTO_MPTCP);
      const hasUserTimeout =
        referenceAddon.get(fdOf(socket), IPPROTO_TCP, TCP_USER_TIMEOUT, Buffer.alloc(4)) >= 0;
      if (hasUserTimeout) expect(userTimeout(socket)).toBe(5_000);
      expect(noDelay(socket)).toBe(1);
      expect(errors).toEqual([]);
    });

    test('reports each refused option separately, and sets all others', async () => {
      const errors: Error[] = [];
      const onError = (error: Error) => errors.push(error);
      // No kernel has a congestion control, and no machine a device, of that name.
      const refused = { congestionControl: 'nosuch', bindToDevice: 'nosuch' };
      tune({ client: { deadPeerTimeout: 20_000, noDelay: true, ttl: 40, ...refused }, onError });
      const [socket] = await pair();
      expect([...keepAlive(socket), noDelay(socket), ttl(socket)]).toEqual([...TUNED, 1, 40]);
      expect(errors).toMatchObject([
        // Before connecting.
        { option: 'SO_BINDTODEVICE', applied: [] },
        { code: 'ENOENT', option: 'TCP_CONGESTION', applied: ['noDelay'] },
      ]);
    });
  });

  describe('without onError', () => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    beforeEach(() => {
      warnings.length = 0;
      process.on('warning', listener);
      return () => process.off('warning', listener);
    });

    test('warns once for each kind of failure', async () => {
      const refused = { congestionControl: 'nosuch', noDelay: true };
      tune({ client: { ...refused, bindToDevice: 'nosuch' }, server: refused });
      const [socket, accepted] = await pair();
      await pair();
      await new Promise(setImmediate);
      expect(warnings).toHaveLength(3);
      for (const warning of warnings) {
        expect(warning).toMatchObject({
          name: 'SocketOptionsWarning',
          code: 'SOCKET_OPTIONS_TUNING_FAILED',
          message: expect.stringMatching(/127\.0\.0\.1 port \d+.*setsockopt.*onError/s),
        });
      }
      const [first] = warnings.filter(({ message }) => message.includes('a server socket'));
      const ports = `port ${accepted.localPort}, peer 127.0.0.1 port ${socket.localPort}`;
      expect(first?.message).toContain(ports);
      expect(first?.message).toContain(
        'ENOENT: no such file or directory, setsockopt TCP_CONGESTION',
      );
      expect([noDelay(socket), noDelay(accepted)]).toEqual([1, 1]);
    });

    test('warns once of a filter that returns no boolean', async () => {
      tune({ client, filter: (() => undefined) as never });
      await pair();
      await pair();
      await new Promise(setImmediate);
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringContaining('Expected a boolean to be returned from the "filter" function'),
      ]);
    });
  });

  test.each([
    ['a symbol', () => Symbol('x')],
    ['an object without a prototype', () => Object.create(null)],
    ['an error with an odd code', () => Object.assign(new Error('x'), { code: Symbol('x') })],
  ])('a filter that throws %s causes one warning and no uncaught exception', async (_, make) => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on('warning', onWarning);
    try {
      tune({
        client: { noDelay: true },
        filter() {
          throw make();
        },
      });
      const server = net.createServer((socket) => socket.on('error', () => {}).resume());
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
      await once(client, 'connect');
      await new Promise(setImmediate);
      expect(warnings.map(({ name }) => name)).toEqual(['SocketOptionsWarning']);
      client.destroy();
      server.close();
    } finally {
      process.off('warning', onWarning);
    }
  });

  test('a rejected promise of onError is uncaught', async () => {
    const onError = async () => {
      throw new Error('of onError');
    };
    tune({ client: { congestionControl: 'nosuch' }, onError: onError as never });
    await withUncaught(async (thrown) => {
      await pair();
      await expect.poll(() => thrown).toEqual([new Error('of onError')]);
    });
  });

  test('copies its options at the call', async () => {
    // A Proxy is accepted as an object.
    const linger = new Proxy({ enable: true, timeout: 3_000 }, {});
    const options = { client: { linger, noDelay: true } };
    tune(options);
    linger.timeout = -1;
    options.client.noDelay = false;
    const [socket] = await pair();
    expect(getOption(socket, 'linger')).toEqual({ enable: true, timeout: 3_000 });
    expect(noDelay(socket)).toBe(1);
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
  ])('rejects %j', (options, type, message) => {
    const call = () => tuneSockets(options as never);
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});
