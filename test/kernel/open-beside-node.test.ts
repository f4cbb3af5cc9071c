// connect(), listen() and bind() beside Node's own calls, on every system: events, errors, values that the kernel holds, and
// what is left open.

import dgram from 'node:dgram';
import { type EventEmitter, once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  bind,
  type ConnectOptions,
  connect,
  listen,
  openSocket,
  type SocketOptions,
  setOptions,
  tuneSockets,
} from '../../dist/index.js';
import { fdOf, listenEcho, listen as listenOnLoopback, REFUSING_PORT } from '../support/net';
import { socketsOpen, untilOpen } from '../support/open-sockets';
import { recordEvents } from '../support/record-events';
import {
  AF_INET,
  AF_INET6,
  getInt,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  referenceAddon,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  withSocket,
} from '../support/reference-addon';

const isWindows = process.platform === 'win32';
/** SO_RCVBUF, IP_TTL and IPV6_V6ONLY of winsock2.h and of Linux. */
const [SO_RCVBUF, IP_TTL, IPV6_V6ONLY] = isWindows ? [0x1002, 4, 27] : [8, 2, 26];
const TCP_NODELAY = 1;

const OPTIONS = { recvBufferSize: 50_000, noDelay: true };
/** Linux reserves twice the size. */
const HELD = { recvBufferSize: isWindows ? 50_000 : 100_000, noDelay: 1 };
const MISSING_PATH = isWindows
  ? '\\\\.\\pipe\\no-such-pipe'
  : join(tmpdir(), 'no', 'such', 'socket');
/** A socket of IPv4 does not have it. */
const REFUSED = { hopLimit: 9 };

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function held(fd: number): object {
  return {
    recvBufferSize: getInt(fd, SOL_SOCKET, SO_RCVBUF),
    noDelay: getInt(fd, IPPROTO_TCP, TCP_NODELAY),
  };
}

const isIpv6Only = (fd: number): boolean => getInt(fd, IPPROTO_IPV6, IPV6_V6ONLY) !== 0;

async function failureOf(emitter: EventEmitter): Promise<object | undefined> {
  const [error] = await once(emitter, 'listening').then(
    () => [undefined],
    (reason) => [reason as NodeJS.ErrnoException],
  );
  return error && { ...error, message: error.message };
}

describe('connect()', () => {
  const twoAddresses = ((_host: string, options: unknown, done: (...args: unknown[]) => void) =>
    (options as { all?: boolean }).all
      ? done(null, [
          { address: '127.0.0.2', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ])
      : done(null, '127.0.0.1', 4)) as unknown as net.LookupFunction;

  const cases: Record<string, (port: number) => Partial<ConnectOptions>> = {
    'an address': (port) => ({ port, host: '127.0.0.1' }),
    'a name': (port) => ({ port, host: 'localhost' }),
    'a refused port': () => ({ port: REFUSING_PORT, host: '127.0.0.1' }),
    'two addresses': (port) => ({ port, host: 'two', lookup: twoAddresses }),
    'a name that does not exist': (port) => ({
      port,
      host: 'name.invalid',
      lookup: ((_host: string, _options: unknown, done: (error: Error) => void) =>
        done(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }))) as never,
    }),
    'a local address': (port) => ({ port, host: '127.0.0.1', localAddress: '127.0.0.3' }),
    'a local address that this machine does not have': (port) => ({
      ...{ port, host: '127.0.0.1', localAddress: '192.0.2.1' },
    }),
    'an aborted signal': (port) => ({ port, host: '127.0.0.1', signal: AbortSignal.abort() }),
    'a path that does not exist': () => ({ path: MISSING_PATH }),
  };

  for (const [name, optionsFor] of Object.entries(cases)) {
    test(`emits what net.connect() emits: ${name}`, async () => {
      const port = await listenEcho(closers);
      const seen = await Promise.all(
        [net.connect, connect].map(async (make) => {
          const socketOptions = 'path' in optionsFor(port) ? {} : OPTIONS;
          const more = make === connect ? { socketOptions } : {};
          const socket = make({ ...optionsFor(port), ...more } as never);
          const events = recordEvents(socket);
          socket.on('error', () => {});
          socket.on('connect', () => socket.end('x'));
          socket.resume();
          await new Promise((resolve) => socket.once('close', resolve));
          return events;
        }),
      );
      expect(seen[1]).toEqual(seen[0]);
      expect(seen[1]?.filter((event) => event === 'close')).toHaveLength(1);
    });
  }

  test('fails as net.connect() does, with the address and the port', async () => {
    const options = { port: REFUSING_PORT, host: '127.0.0.1' };
    const errors = [connect({ ...options, socketOptions: OPTIONS }), net.connect(options)].map(
      (socket) =>
        new Promise((resolve) =>
          socket.once('error', (error) => resolve({ ...error, message: error.message })),
        ),
    );
    expect(await errors[0]).toEqual(await errors[1]);
    expect(await errors[0]).toMatchObject({ code: 'ECONNREFUSED', port: REFUSING_PORT });
  });

  const targets: Record<string, Partial<net.TcpSocketConnectOpts>> = {
    'an address': { host: '127.0.0.1' },
    'the second of two addresses': { host: 'two', lookup: twoAddresses },
    'a local address': { host: '127.0.0.1', localAddress: '127.0.0.3' },
  };

  for (const [name, target] of Object.entries(targets)) {
    test(`sets the options, and exchanges data: ${name}`, async () => {
      const port = await listenEcho(closers);
      const socket = connect({ port, ...target, socketOptions: { ...OPTIONS, ttl: 9 } });
      await once(socket, 'connect');
      const fd = fdOf(socket);
      expect(held(fd)).toEqual(HELD);
      expect(getInt(fd, IPPROTO_IP, IP_TTL)).toBe(9);
      // The package finds it, too.
      setOptions(socket, { ttl: 10 });
      expect(getInt(fd, IPPROTO_IP, IP_TTL)).toBe(10);
      socket.end('hello');
      expect(String(await once(socket, 'data'))).toBe('hello');
      await once(socket, 'close');
    });
  }

  test('refuses options of a pipe on Windows, for connect() and listen()', ({ skip }) => {
    skip(!isWindows, 'of Windows: a path names a pipe');
    const options = { path: MISSING_PATH, socketOptions: OPTIONS };
    for (const call of [() => connect(options), () => listen(net.createServer(), options)]) {
      expect(call).toThrow(
        expect.objectContaining({ code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' }),
      );
    }
  });

  test('fails with the reason of a refused option, once, and leaves nothing open', async () => {
    const port = await listenEcho(closers);
    const before = socketsOpen();
    for (const more of [{}, { localAddress: '127.0.0.1' }, { host: 'two', lookup: twoAddresses }]) {
      const socket = connect({
        ...{ port, host: '127.0.0.1', ...more },
        socketOptions: REFUSED,
      });
      const events = recordEvents(socket);
      const failed = new Promise((resolve) => socket.once('error', resolve));
      await new Promise((resolve) => socket.once('close', resolve));
      expect(await failed).toMatchObject({ option: 'IPV6_UNICAST_HOPS', syscall: 'setsockopt' });
      expect(events.filter((event) => /^(error|close|connect$)/.test(event))).toEqual([
        expect.stringMatching(/^error E/),
        'close',
      ]);
    }
    await untilOpen(before);
  });
});

describe('listen()', () => {
  const withOptions = (server: net.Server, options: net.ListenOptions) =>
    listen(server, { ...options, socketOptions: OPTIONS });
  const withoutOptions = (server: net.Server, options: net.ListenOptions) => server.listen(options);

  test('fails as server.listen() does, with the address and the port', async () => {
    const port = await listenEcho(closers);
    const before = socketsOpen();
    const errors = await Promise.all(
      [withOptions, withoutOptions].map((start) =>
        failureOf(start(net.createServer(), { port, host: '127.0.0.1' })),
      ),
    );
    expect(errors[0]).toEqual(errors[1]);
    expect(errors[0]).toMatchObject({ code: 'EADDRINUSE', port, address: '127.0.0.1' });
    await untilOpen(before);
  });

  test('sets the options before', async () => {
    const server = net.createServer();
    listen(server, { port: 0, host: '127.0.0.1', socketOptions: OPTIONS });
    await once(server, 'listening');
    expect(held(fdOf(server))).toEqual(HELD);
    server.close();
  });

  test('has accepted sockets inherit the receive buffer', async () => {
    const server = net.createServer();
    closers.push(() => server.close());
    listen(server, { port: 0, host: '127.0.0.1', socketOptions: OPTIONS });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = net.connect(port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    expect(getInt(fdOf(accepted), SOL_SOCKET, SO_RCVBUF)).toBe(HELD.recvBufferSize);
    client.destroy();
    accepted.destroy();
  });

  test('accepts IPv4 and IPv6 unless ipv6Only is set, as server.listen() does', async () => {
    for (const isOnly of [false, true]) {
      const server = net.createServer((socket) => socket.end());
      const socketOptions: SocketOptions = isOnly ? { ipv6Only: true } : OPTIONS;
      listen(server, { port: 0, host: '::', socketOptions });
      await once(server, 'listening');
      expect(isIpv6Only(fdOf(server))).toBe(isOnly);
      const { port } = server.address() as AddressInfo;
      const client = net.connect(port, '127.0.0.1');
      const event = await Promise.race([
        once(client, 'connect').then(() => 'connect'),
        new Promise((resolve) => client.once('error', () => resolve('error'))),
      ]);
      expect(event).toBe(isOnly ? 'error' : 'connect');
      client.destroy();
      server.close();
      await once(server, 'close');
    }
  });

  test('emits the reason of a refused option, leaves nothing open, and listens again', async () => {
    const before = socketsOpen();
    const server = net.createServer();
    const events = recordEvents(server);
    listen(server, { port: 0, host: '127.0.0.1', socketOptions: REFUSED });
    await expect(once(server, 'listening')).rejects.toMatchObject({ option: 'IPV6_UNICAST_HOPS' });
    await untilOpen(before);
    listen(server, { port: 0, host: '127.0.0.1', socketOptions: OPTIONS });
    await once(server, 'listening');
    expect(held(fdOf(server))).toEqual(HELD);
    server.close();
    await once(server, 'close');
    expect(events).toEqual([expect.stringMatching(/^error E/), 'listening', 'close']);
    await untilOpen(before);
  });
});

describe('bind()', () => {
  const portOf = (socket: dgram.Socket): number => socket.address().port;
  /** On Windows Node has no descriptor: the one socket with this port. */
  const dgramFd = (socket: dgram.Socket): number =>
    isWindows ? referenceAddon.find(portOf(socket), 0) : handleOf(socket).fd;

  function handleOf(socket: dgram.Socket): { fd: number } {
    const symbols = Object.getOwnPropertySymbols(socket);
    const state = symbols.find(({ description }) => description === 'state symbol');
    return (socket as never as Record<symbol, { handle: { fd: number } }>)[state as symbol]
      ?.handle as { fd: number };
  }

  test.each([null, -1, 0])('takes fd: %s for none, as dgramSocket.bind() does', async (fd) => {
    const socket = dgram.createSocket('udp4');
    const place = { port: 0, address: '127.0.0.1', fd };
    bind(socket, { ...place, socketOptions: { ttl: 9 } } as dgram.BindOptions);
    await once(socket, 'listening');
    expect(getInt(dgramFd(socket), IPPROTO_IP, IP_TTL)).toBe(9);
    socket.close();
  });

  test('sets the options, and exchanges datagrams', async () => {
    const sockets = ['udp4', 'udp4'].map((type) => dgram.createSocket(type as 'udp4'));
    const [one, other] = sockets as [dgram.Socket, dgram.Socket];
    for (const socket of sockets) {
      const socketOptions = { recvBufferSize: 50_000, ttl: 9 };
      bind(socket, { port: 0, address: '127.0.0.1', socketOptions });
      await once(socket, 'listening');
      const fd = dgramFd(socket);
      expect(getInt(fd, SOL_SOCKET, SO_RCVBUF)).toBe(HELD.recvBufferSize);
      expect(getInt(fd, IPPROTO_IP, IP_TTL)).toBe(9);
    }
    const received = once(other, 'message');
    one.send('hello', portOf(other), '127.0.0.1');
    expect(String((await received)[0])).toBe('hello');
    for (const socket of sockets) socket.close();
  });

  test('accepts IPv4 and IPv6 unless ipv6Only is set', async () => {
    for (const socketOptions of [{ recvBufferSize: 50_000 }, { ipv6Only: true }]) {
      const socket = dgram.createSocket('udp6');
      bind(socket, { port: 0, address: '::', socketOptions });
      await once(socket, 'listening');
      expect(isIpv6Only(dgramFd(socket))).toBe('ipv6Only' in socketOptions);
      socket.close();
    }
  });

  test('fails as dgramSocket.bind() does, and is bound by the next attempt', async () => {
    const first = dgram.createSocket('udp4');
    bind(first, { port: 0, address: '127.0.0.1', socketOptions: { ttl: 9 } });
    await once(first, 'listening');
    const address = { port: portOf(first), address: '127.0.0.1' };
    const second = dgram.createSocket('udp4');
    const errors = [
      await failureOf(bind(second, { ...address, socketOptions: { ttl: 10 } })),
      await failureOf(dgram.createSocket('udp4').bind(address)),
    ];
    expect(errors[0]).toEqual(errors[1]);
    expect(errors[0]).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind', ...address });
    bind(second, { port: 0, address: '127.0.0.1', socketOptions: { ttl: 11 } });
    await once(second, 'listening');
    expect(getInt(dgramFd(second), IPPROTO_IP, IP_TTL)).toBe(11);
    for (const socket of [first, second]) socket.close();
  });

  test('throws for a refused option, and leaves nothing open', () => {
    const before = socketsOpen();
    const socket = dgram.createSocket('udp4');
    expect(() => bind(socket, { port: 0, socketOptions: REFUSED })).toThrow(
      expect.objectContaining({ option: 'IPV6_UNICAST_HOPS' }),
    );
    expect(socketsOpen()).toBe(before);
    socket.close();
  });
});

describe('openSocket()', () => {
  const types = { tcp4: AF_INET, tcp6: AF_INET6, udp4: AF_INET, udp6: AF_INET6 };

  test('opens each type, which differs from a plain socket in its options only', () => {
    for (const [type, domain] of Object.entries(types) as [keyof typeof types, number][]) {
      const fd = openSocket({ type, socketOptions: { recvBufferSize: 50_000 } });
      try {
        expect(getInt(fd, SOL_SOCKET, SO_RCVBUF)).toBe(HELD.recvBufferSize);
        const SO_TYPE = isWindows ? 0x1008 : 3;
        const plain = type.startsWith('udp') ? SOCK_DGRAM : SOCK_STREAM;
        withSocket(domain, plain, (other) =>
          expect(getInt(fd, SOL_SOCKET, SO_TYPE)).toBe(getInt(other, SOL_SOCKET, SO_TYPE)),
        );
        if (domain === AF_INET6) expect(isIpv6Only(fd)).toBe(false);
      } finally {
        referenceAddon.close(fd);
      }
    }
    const fd = openSocket({ type: 'tcp6', socketOptions: { ipv6Only: true } });
    expect(isIpv6Only(fd)).toBe(true);
    referenceAddon.close(fd);
  });

  test('opens on Windows what Node does not take', ({ skip }) => {
    skip(!isWindows, 'of Windows: Node takes no SOCKET there');
    const fd = openSocket({ type: 'tcp4' });
    expect(() => new net.Socket({ fd })).toThrow(/ERR_INVALID_FD_TYPE|Unsupported fd type/);
    referenceAddon.close(fd);
  });

  test('leaves nothing open when an option is refused', () => {
    const before = socketsOpen();
    for (let i = 0; i < 100; i++) {
      expect(() => openSocket({ type: 'tcp4', socketOptions: REFUSED })).toThrow(
        /IPV6_UNICAST_HOPS/,
      );
    }
    expect(socketsOpen()).toBe(before);
  });
});

test('tuneSockets() sets early options of clients and servers', async () => {
  const failures: Error[] = [];
  const early = { recvBufferSize: 50_000 };
  const tuning = tuneSockets({
    ...{ client: early, server: { ...early, ipv6Only: true } },
    onError: (error) => failures.push(error),
  });
  closers.push(() => tuning.close());
  const server = net.createServer((socket) => socket.on('error', () => {}).resume());
  closers.push(() => server.close());
  const port = await listenOnLoopback(server, '::');
  expect(getInt(fdOf(server), SOL_SOCKET, SO_RCVBUF)).toBe(HELD.recvBufferSize);
  expect(isIpv6Only(fdOf(server))).toBe(true);
  const socket = net.connect({ port, host: '::1' });
  await once(socket, 'connect');
  expect(getInt(fdOf(socket), SOL_SOCKET, SO_RCVBUF)).toBe(HELD.recvBufferSize);
  socket.destroy();
  expect(failures).toEqual([]);
});
