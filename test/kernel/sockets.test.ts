// Every kind of socket in SocketLike, and its error without a descriptor.

import { execFileSync } from 'node:child_process';
import { createSocket, type Socket as DgramSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  getKeepAlive,
  getOption,
  getOptions,
  readTcpInfos,
  type SocketLike,
  setKeepAlive,
  setOptions,
} from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { fdOf, listen, REFUSING_PORT, withPair } from '../support/net';
import {
  getInt,
  IPPROTO_IP,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from '../support/reference-addon';

const TCP_USER_TIMEOUT = 18;

const TUNED = { enable: true, initialDelay: 21_000, interval: 2_000, count: 4 };

/** Tunes and reads `socket`, and asks the kernel about the descriptor that Node tells. */
function expectTuned(socket: SocketLike, fd: number): void {
  setKeepAlive(socket, TUNED);
  expect(getKeepAlive(socket)).toEqual(TUNED);
  expect(getInt(fd, SOL_SOCKET, SO_KEEPALIVE)).toBe(1);
  expect(getInt(fd, IPPROTO_TCP, TCP_KEEPIDLE)).toBe(21);
  expect(getInt(fd, IPPROTO_TCP, TCP_KEEPINTVL)).toBe(2);
  expect(getInt(fd, IPPROTO_TCP, TCP_KEEPCNT)).toBe(4);
  if (process.platform !== 'linux') return;
  setOptions(socket, { userTimeout: 9_000 });
  expect(getInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT)).toBe(9_000);
}

let credentials: { key: string; cert: string };
beforeAll(() => {
  credentials = certificate();
});

const trusting = { rejectUnauthorized: false };

describe('get and set options of', () => {
  test.each(['127.0.0.1', '::1'])('net.Socket on both ends, %s', async (host) => {
    await withPair(({ client, accepted }) => {
      expectTuned(client, fdOf(client));
      expectTuned(accepted, fdOf(accepted));
    }, host);
  });

  test('{ fd } and a plain descriptor', async () => {
    await withPair(({ client, accepted }) => {
      expectTuned({ fd: fdOf(client) }, fdOf(client));
      expectTuned(fdOf(accepted), fdOf(accepted));
    });
  });

  test('a socket with an own property `type`', async () => {
    await withPair(({ client }) => {
      expectTuned(Object.assign(client, { type: 'upstream' }), fdOf(client));
    });
  });

  test('a half-closed and a paused socket', async () => {
    await withPair(({ client, accepted }) => {
      client.end();
      accepted.pause();
      expectTuned(client, fdOf(client));
      expectTuned(accepted, fdOf(accepted));
    });
  });

  test('tls.TLSSocket of client and server, and over a net.Socket', async () => {
    const server = tls.createServer(credentials);
    const port = await listen(server);
    const client = tls.connect({ port, host: '127.0.0.1', ...trusting });
    const [accepted] = (await once(server, 'secureConnection')) as [tls.TLSSocket];
    expectTuned(server, fdOf(server));
    expectTuned(client, fdOf(client));
    expectTuned(accepted, fdOf(accepted));

    const raw = net.connect(port, '127.0.0.1');
    await once(raw, 'connect');
    const over = tls.connect({ socket: raw, ...trusting });
    await once(over, 'secureConnect');
    expectTuned(over, fdOf(raw));
    for (const socket of [client, accepted, over, raw]) socket.on('error', () => {}).destroy();
    server.close();
  });

  test('net.Server, whose accepted sockets inherit options set before', async () => {
    const server = net.createServer();
    const port = await listen(server);
    expectTuned(server, fdOf(server));
    setOptions(server, { noDelay: true, congestionControl: 'reno', recvBufferSize: 20_000 });
    const client = net.connect(port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    const fd = fdOf(accepted);
    expect(getKeepAlive(accepted)).toEqual(TUNED);
    expect(getInt(fd, SOL_SOCKET, SO_KEEPALIVE)).toBe(1);
    expect(getInt(fd, IPPROTO_TCP, TCP_KEEPIDLE)).toBe(21);
    expect(getInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT)).toBe(9_000);
    expect(getInt(fd, SOL_SOCKET, 8)).toBe(40_000);
    expect(getOptions(accepted, ['congestionControl', 'userTimeout'])).toEqual({
      congestionControl: 'reno',
      userTimeout: 9_000,
    });
    client.destroy();
    accepted.destroy();
    server.close();
  });

  test.each([
    ['http', http],
    ['https', https as unknown as typeof http],
  ] as const)('%s agent sockets, also idle ones, and server sockets', async (name, protocol) => {
    const served: net.Socket[] = [];
    const server = protocol.createServer(credentials as http.ServerOptions, (request, response) => {
      served.push(request.socket);
      expectTuned(request.socket, fdOf(request.socket));
      response.end('ok');
    });
    const port = await listen(server);
    const agent = new protocol.Agent({ keepAlive: true, ...(trusting as http.AgentOptions) });
    const get = () =>
      new Promise<net.Socket>((resolve, reject) => {
        const request = protocol.get({ port, host: '127.0.0.1', agent }, (response) => {
          response.resume().on('end', () => resolve(request.socket as net.Socket));
        });
        request.on('error', reject);
      });
    const socket = await get();
    expectTuned(socket, fdOf(socket));
    await new Promise(setImmediate);
    const [idle] = Object.values(agent.freeSockets)[0] as net.Socket[];
    expect(idle, `${name} keeps the socket`).toBe(socket);
    expectTuned(idle as net.Socket, fdOf(socket));
    agent.destroy();
    server.close();
    expect(served).toHaveLength(1);
  });

  test('http2 sessions, whose sockets reject setKeepAlive of Node', async () => {
    const server = http2.createServer();
    const port = await listen(server);
    const accepted = once(server, 'session') as Promise<[http2.ServerHttp2Session]>;
    const session = http2.connect(`http://127.0.0.1:${port}`);
    await once(session, 'connect');
    const [other] = await accepted;
    expect(() => session.socket.setKeepAlive(true)).toThrow(
      expect.objectContaining({ code: 'ERR_HTTP2_NO_SOCKET_MANIPULATION' }),
    );
    for (const one of [session, other]) {
      expectTuned(one, fdOf(one.socket));
      expectTuned(one.socket, fdOf(one.socket));
    }
    session.destroy();
    const closed = expect.objectContaining({
      code: 'ERR_SOCKET_CLOSED',
      message: expect.stringMatching(/http2/),
    });
    expect(() => getKeepAlive(session)).toThrow(closed);
    await once(session, 'close');
    expect(() => getKeepAlive(session)).toThrow(closed);
    server.close();
  });

  test('dgram sockets, without a deprecation warning', async () => {
    const warnings: Error[] = [];
    const record = (warning: Error) => warnings.push(warning);
    process.on('warning', record);
    const socket = createSocket('udp4');
    await bound(socket);
    setOptions(socket, { typeOfService: 0x20, ttl: 9, recvBufferSize: 30_000, priority: 3 });
    expect(getOptions(socket, ['type', 'protocol', 'domain', 'ttl'])).toEqual({
      type: 'dgram',
      protocol: 'udp',
      domain: 'ipv4',
      ttl: 9,
    });
    expect(socket.getRecvBufferSize()).toBe(60_000);
    expect(getOptions(socket)).not.toHaveProperty('userTimeout');
    expect(() => getOptions(socket, ['ttl', 'noDelay'])).toThrow(/getsockopt TCP_NODELAY/);
    expect(() => getOption(socket, 'noDelay')).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^(ENOPROTOOPT|ENOTSUP)$/),
        option: 'TCP_NODELAY',
      }),
    );
    socket.close();
    await new Promise(setImmediate);
    process.off('warning', record);
    expect(warnings).toEqual([]);
  });

  test('an IPv6 socket, with the options of IPv4 and IPv6', async () => {
    await withPair(({ accepted }) => {
      setOptions(accepted, { ttl: 30, typeOfService: 0x10, hopLimit: 40, trafficClass: 0x20 });
      expect(getInt(fdOf(accepted), IPPROTO_IP, 2)).toBe(30);
      expect(getOptions(accepted, ['ttl', 'hopLimit'])).toEqual({ ttl: 30, hopLimit: 40 });
    }, '::1');
  });
});

describe('net.BoundSocket', () => {
  interface BoundSocket {
    fd(): number;
    close(): void;
  }
  const { BoundSocket } = net as { BoundSocket?: new (options: { host: string }) => BoundSocket };
  beforeEach(({ skip }) =>
    skip(BoundSocket === undefined, `Node ${process.version} has no net.BoundSocket`),
  );
  const bind = () => new (BoundSocket as NonNullable<typeof BoundSocket>)({ host: '127.0.0.1' });

  test('takes options before it connects', ({ skip }) => {
    skip(process.platform === 'win32', 'Node reports no descriptor of it on Windows');
    const socket = bind();
    expectTuned(socket, socket.fd());
    socket.close();
  });

  test('is named by the error after close()', () => {
    const socket = bind();
    socket.close();
    expect(() => getKeepAlive(socket)).toThrow(
      expect.objectContaining({
        name: 'SocketOptionError',
        message: expect.stringContaining('net.BoundSocket'),
      }),
    );
    expect(readTcpInfos([socket], ['rtt'])).toMatchObject({
      rtt: new Float64Array([Number.NaN]),
    });
  });
});

test('{ fd() } is checked for its return value, and its error is thrown', () => {
  const socket = (fd: () => unknown) => ({ fd }) as SocketLike;
  const thrown = new Error('of fd()');
  const throwing = socket(() => {
    throw thrown;
  });
  expect(() => getKeepAlive(throwing)).toThrow(thrown);
  expect(() => getKeepAlive(socket(() => '3'))).toThrow(
    'The "socket.fd()" argument must be a descriptor',
  );
  expect(() => getKeepAlive(socket(() => 2 ** 32))).toThrow('"socket.fd()" is out of range');
});

async function bound(socket: DgramSocket): Promise<void> {
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
}

describe('errors of sockets without a descriptor', () => {
  const code = (name: string, message: RegExp) =>
    expect.objectContaining({
      name: 'SocketOptionError',
      code: name,
      message: expect.stringMatching(message),
    });
  const notOpen = (message: RegExp) => code('ERR_SOCKET_NOT_OPEN', message);
  const closed = code('ERR_SOCKET_CLOSED', /closed/);

  const calls: readonly (readonly [string, (socket: SocketLike) => unknown])[] = [
    ['getOption', (socket) => getOption(socket, 'noDelay')],
    ['getOptions', (socket) => getOptions(socket)],
    ['setOptions', (socket) => setOptions(socket, { noDelay: true })],
    ['setOptions with nothing to set', (socket) => setOptions(socket, {})],
    ['getKeepAlive', getKeepAlive],
    ['setKeepAlive', (socket) => setKeepAlive(socket, TUNED)],
  ];

  test.each(calls)('%s: ERR_SOCKET_NOT_OPEN before connect()', (_, call) => {
    expect(() => call(new net.Socket())).toThrow(notOpen(/after 'connect'/));
  });

  test.each(calls)(
    '%s: ERR_SOCKET_NOT_OPEN while connecting, ERR_SOCKET_CLOSED after destroy()',
    async (_, call) => {
      const server = net.createServer();
      const socket = net.connect(await listen(server), '127.0.0.1');
      expect(() => call(socket)).toThrow(notOpen(/after 'connect'/));
      await once(socket, 'connect');
      expect(() => call(socket)).not.toThrow();
      socket.destroy();
      expect(() => call(socket)).toThrow(closed);
      await once(socket, 'close');
      expect(() => call(socket)).toThrow(closed);
      server.close();
    },
  );

  test.each(calls)('%s: ERR_SOCKET_CLOSED after a refused connection', async (_, call) => {
    const socket = net.connect(REFUSING_PORT, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    expect(() => call(socket)).toThrow(closed);
  });

  test.each(calls)(
    '%s: ERR_SOCKET_NOT_OPEN for a server before listen() and after close()',
    async (_, call) => {
      const server = net.createServer();
      expect(() => call(server)).toThrow(notOpen(/after 'listening'/));
      await listen(server);
      expect(() => call(server)).not.toThrow();
      server.close();
      expect(() => call(server)).toThrow(notOpen(/before close\(\)/));
    },
  );

  test('dgram: ERR_SOCKET_NOT_OPEN before bind(), ERR_SOCKET_CLOSED after close()', async () => {
    const socket = createSocket('udp4');
    const call = () => getOption(socket, 'ttl');
    expect(call).toThrow(notOpen(/bind\(\)/));
    await bound(socket);
    expect(call).not.toThrow();
    socket.close();
    expect(call).toThrow(closed);
  });

  test.each(calls)(
    '%s: ERR_SOCKET_NO_DESCRIPTOR for TLS over a stream that is no socket',
    (_, call) => {
      const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
      const socket = tls.connect({ socket: stream, ...trusting });
      socket.on('error', () => {});
      expect(() => call(socket)).toThrow(code('ERR_SOCKET_NO_DESCRIPTOR', /socket below it/));
      socket.destroy();
    },
  );

  test('the server of a cluster worker is ERR_SOCKET_NO_DESCRIPTOR', () => {
    const output = execFileSync(process.execPath, [join(__dirname, '../fixtures/cluster.mjs')], {
      encoding: 'utf8',
    });
    expect(JSON.parse(output)).toEqual({
      server: 'ERR_SOCKET_NO_DESCRIPTOR',
      message: expect.stringMatching(/cluster worker/),
      accepted: { enable: true, initialDelay: 21_000, interval: 2_000, count: 4 },
    });
  });

  test.each([
    undefined,
    null,
    'socket',
    true,
    1n,
    Symbol('socket'),
    {},
    [],
    () => {},
    new Duplex(),
    { fd: '3' },
    { fd: null },
    { socket: {} },
    Object.create(null),
  ])('rejects %o as a socket', (value) => {
    for (const [, call] of calls) {
      expect(() => call(value as never)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
  });

  test('the error for an http request refers to its `socket`', async () => {
    const server = http.createServer((request, response) => {
      response.end();
      expect(() => setKeepAlive(request as never, true)).toThrow(
        /Received an instance of IncomingMessage$/,
      );
      expect(() => setKeepAlive(request as never, true)).toThrow(/\(pass its `socket`\)/);
      expect(() => setKeepAlive(request.socket, true)).not.toThrow();
    });
    const request = http.get({ port: await listen(server), host: '127.0.0.1', agent: false });
    expect(() => setKeepAlive(request as never, true)).toThrow(
      /\(pass its `socket`, after its 'socket' event\)/,
    );
    await once(request, 'response');
    server.close();
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53])(
    'rejects %d as a descriptor',
    (value) => {
      for (const [, call] of calls) {
        for (const socket of [value, { fd: value }]) {
          expect(() => call(socket)).toThrow(
            expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }),
          );
        }
      }
    },
  );

  test.each([1.5, 2 ** 31, 2 ** 32, 1e300, Number.NaN, Number.POSITIVE_INFINITY, '3', {}])(
    'rejects a handle with the descriptor %j instead of truncating it',
    (fd) => {
      const fakes = [{ _handle: { fd } }, { goaway() {}, socket: { _handle: { fd } } }];
      for (const [name, call] of calls) {
        for (const fake of fakes) {
          expect(() => call(fake as never), name).toThrow(code('ERR_SOCKET_NO_DESCRIPTOR', /./));
        }
      }
    },
  );

  test('rejects a session that is its own socket without an endless loop', () => {
    const session = {
      goaway() {},
      get socket() {
        return session;
      },
    };
    expect(() => getKeepAlive(session as never)).toThrow(closed);
  });

  test.each([
    // Windows reports a handle that is not open as no socket.
    [
      'a descriptor that is not open',
      1_000_000_000,
      process.platform === 'win32' ? 'ENOTSOCK' : 'EBADF',
    ],
    ['a file', 'file', 'ENOTSOCK'],
  ])('the kernel rejects %s', (_, what, expected) => {
    const file = fsOpen();
    const fd = what === 'file' ? file.fd : (what as number);
    for (const [name, call] of calls) {
      if (name === 'setOptions with nothing to set') continue;
      expect(() => call(fd), name).toThrow(expect.objectContaining({ code: expected }));
    }
    file.close();
  });
});

function fsOpen(): { fd: number; close(): void } {
  const fd = openSync(__filename, 'r');
  return { fd, close: () => closeSync(fd) };
}
