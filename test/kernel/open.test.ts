// connect(), listen(), bind() and openSocket() with options of Linux: what Node takes beside them, errors, and what is left
// open. open-beside-node.test.ts has what every system has.

import { execFile } from 'node:child_process';
import dgram from 'node:dgram';
import type dns from 'node:dns';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  bind,
  type ConnectOptions,
  connect,
  getOption,
  getOptions,
  listen,
  openSocket,
  type SocketOptions,
  tuneSockets,
} from '../../dist/index.js';
import { listenEcho, listen as listenOnLoopback } from '../support/net';
import { socketsOpen, untilOpen } from '../support/open-sockets';
import { onLinux } from '../support/platform';
import { recordEvents } from '../support/record-events';
import { getInt, IPPROTO_TCP, referenceAddon } from '../support/reference-addon';

beforeEach(onLinux('descriptors in /proc, and the options of the examples'));

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const OPTIONS = { synRetries: 5, recvBufferSize: 50_000 };

describe('connect()', () => {
  const twoAddresses = ((_host: string, options: unknown, done: (...args: unknown[]) => void) =>
    (options as { all?: boolean }).all
      ? done(null, [
          { address: '127.0.0.2', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ])
      : done(null, '127.0.0.1', 4)) as unknown as net.LookupFunction;

  test('sets the options on the socket, and takes what net.connect() takes', async () => {
    const port = await listenEcho(closers);
    const chunks: Buffer[] = [];
    const socket = connect(
      {
        ...{ port, host: '127.0.0.1', noDelay: true, keepAlive: true, allowHalfOpen: true },
        ...{ keepAliveInitialDelay: 7_000, localPort: 0, family: 4, timeout: 60_000 },
        onread: {
          buffer: Buffer.alloc(64),
          callback(size, buffer) {
            chunks.push(Buffer.from(buffer.subarray(0, size)));
            return true;
          },
        },
        socketOptions: { ...OPTIONS, userTimeout: 30_000 },
      },
      () => socket.end('hello'),
    );
    await once(socket, 'connect');
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    // TCP_SYNCNT, TCP_USER_TIMEOUT, TCP_NODELAY, TCP_KEEPIDLE.
    expect([7, 18, 1, 4].map((option) => getInt(fd, IPPROTO_TCP, option))).toEqual([
      5, 30_000, 1, 7,
    ]);
    expect(socket.timeout).toBe(60_000);
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toBe('hello');
  });

  test('connects to a path, with options of Unix sockets and without those of TCP', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'open-'));
    closers.push(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'socket');
    const server = net.createServer();
    listen(server, { path, socketOptions: { sendBufferSize: 40_000 } });
    closers.push(() => server.close());
    await once(server, 'listening');
    expect(getOption(server, 'sendBufferSize')).toBe(80_000);
    const socket = connect({ path, socketOptions: { sendBufferSize: 50_000 } });
    await once(socket, 'connect');
    expect(getOption(socket, 'sendBufferSize')).toBe(100_000);
    socket.destroy();
    const failing = net.createServer();
    const events = recordEvents(failing);
    listen(failing, { path: `${path}2`, socketOptions: { ttl: 2 } });
    await expect(once(failing, 'listening')).rejects.toMatchObject({ option: 'IP_TTL' });
    await nextTurn();
    expect([events.length, failing.listening]).toEqual([1, false]);
    const refused = connect({ path, socketOptions: { ttl: 2 } });
    await expect(once(refused, 'connect')).rejects.toMatchObject({ option: 'IP_TTL' });
    for (const socketOptions of [{ synRetries: 2 }, { mptcp: true }]) {
      expect(() => connect({ path, socketOptions })).toThrow(/is for TCP/);
      expect(() => listen(failing, { path, socketOptions })).toThrow(/is for TCP/);
    }
    expect(() => connect({ path, deadPeerTimeout: 20_000 })).toThrow(/is for TCP/);
  });

  test('fails with the reason of a refused option, once, and leaves nothing open', async () => {
    const port = await listenEcho(closers);
    const before = socketsOpen();
    for (const more of [{}, { localAddress: '127.0.0.1' }, { host: 'localhost' }]) {
      for (let i = 0; i < 20; i++) {
        const socket = connect({
          ...{ port, host: '127.0.0.1', ...more },
          socketOptions: { bindToDevice: 'no-such-device' },
        });
        const events = recordEvents(socket);
        socket.on('error', () => {});
        await new Promise((resolve) => socket.once('close', resolve));
        expect(events.filter((event) => /^(error|close|connect$)/.test(event))).toEqual([
          'error ENODEV',
          'close',
        ]);
      }
    }
    await untilOpen(before);
  });

  const STEPS = ['now', 'lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connect'];
  for (const step of STEPS) {
    test(`is destroyed or aborted at '${step}': closed once, nothing open`, async () => {
      const port = await listenEcho(closers);
      const before = socketsOpen();
      for (const way of ['destroy', 'abort', 'timeout']) {
        const abort = new AbortController();
        // Node itself fails if a listener of 'connectionAttempt' destroys a socket that has several addresses.
        const isOne = step === 'connectionAttempt';
        const socket = connect({
          ...{ port, host: 'two', lookup: twoAddresses, signal: abort.signal },
          ...{ autoSelectFamily: !isOne, family: isOne ? 4 : 0 },
          socketOptions: OPTIONS,
        });
        const end = () => {
          if (way === 'destroy') socket.destroy();
          else if (way === 'abort') abort.abort();
          else socket.destroy(new Error('timeout'));
        };
        const events = recordEvents(socket);
        socket.on('error', () => {});
        const closed = new Promise((resolve) => socket.once('close', resolve));
        if (step === 'now') end();
        else socket.once(step, end);
        // The first address is answered here: Linux has all of 127.0.0.0/8.
        socket.on('connect', end);
        await closed;
        expect(events.filter((event) => event === 'close')).toHaveLength(1);
        expect(events.filter((event) => event.startsWith('error')).length).toBeLessThan(2);
      }
      await untilOpen(before);
    });
  }

  test('refuses wrong arguments before anything is opened', () => {
    const before = socketsOpen();
    const wrong: [unknown, RegExp][] = [
      [undefined, /"options" argument must be an object/],
      [{ port: 1, socketOptions: { synRetris: 1 } }, /did you mean "synRetries"/],
      [{ port: 1, socketOptions: { synRetries: '1' } }, /options\.socketOptions\.synRetries/],
      [{ port: 1, socketOptions: 7 }, /options\.socketOptions/],
      [{ port: 1, deadPeerTimeout: 50 }, /options\.deadPeerTimeout/],
      [{ port: 1, connectTimeout: Number.NaN }, /options\.connectTimeout/],
    ];
    for (const [options, message] of wrong) {
      expect(() => connect(options as ConnectOptions)).toThrow(message);
    }
    expect(() => connect({ port: 1, socketOptions: OPTIONS }, 7 as never)).toThrow(/listener/);
    expect(socketsOpen()).toBe(before);
  });
});

describe('listen()', () => {
  test('emits what server.listen() emits, and listens again after a failure', async () => {
    const before = socketsOpen();
    const server = net.createServer();
    const events = recordEvents(server);
    listen(server, { port: 0, host: '127.0.0.1', socketOptions: { bindToDevice: 'nowhere' } });
    await expect(once(server, 'listening')).rejects.toMatchObject({ option: 'SO_BINDTODEVICE' });
    expect(socketsOpen()).toBe(before);
    listen(server, { port: 0, socketOptions: { reusePort: true } });
    await once(server, 'listening');
    expect(getOptions(server, ['reusePort', 'reuseAddress'])).toEqual({
      ...{ reusePort: true, reuseAddress: true },
    });
    expect((server.address() as AddressInfo).family).toBe('IPv6');
    server.close();
    await once(server, 'close');
    expect(events).toEqual(['error ENODEV', 'listening', 'close']);
  });

  test('keeps no option for a later server.listen()', async () => {
    const server = net.createServer();
    listen(server, { port: 0, host: 'name.invalid', socketOptions: { reusePort: true } });
    await expect(once(server, 'listening')).rejects.toMatchObject({ syscall: 'getaddrinfo' });
    await listenOnLoopback(server);
    expect(getOption(server, 'reusePort')).toBe(false);
    expect(() => listen(server, { port: 0, socketOptions: { reusePort: true } })).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' }),
    );
    server.close();
    await once(server, 'close');
    listen(server, { port: 0, host: 'localhost', socketOptions: { reusePort: true } });
    server.close();
    await once(server, 'close');
    await listenOnLoopback(server);
    expect(getOption(server, 'reusePort')).toBe(false);
    server.close();
  });

  test('binds to IPv6 alone with ipv6Only, and sets a dead-peer timeout', async () => {
    const server = net.createServer();
    closers.push(() => server.close());
    listen(server, { port: 0, socketOptions: { ipv6Only: true }, deadPeerTimeout: 20_000 });
    await once(server, 'listening');
    expect(getOptions(server, ['ipv6Only', 'keepAlive'])).toEqual({
      ...{ ipv6Only: true, keepAlive: true },
    });
  });

  test('takes a descriptor that is bound, and refuses what is too late for it', async () => {
    const fd = openSocket({ type: 'tcp4', socketOptions: { reusePort: true } });
    const server = net.createServer();
    closers.push(() => server.close());
    expect(referenceAddon.listen(fd)).toBe(0);
    const late = { fd, socketOptions: { freeBind: true } };
    await expect(once(listen(server, late), 'listening')).rejects.toMatchObject({
      code: 'ERR_SOCKET_TOO_LATE',
    });
    listen(server, { fd, socketOptions: { deferAccept: 3_000 } });
    await once(server, 'listening');
    expect(getInt(fd, IPPROTO_TCP, 9)).toBe(3);
  });

  test('is refused in a worker of a cluster, unless the socket is exclusive or has a timeout only', async () => {
    const program = `
      const cluster = require('node:cluster');
      const net = require('node:net');
      const { listen, getOption, tuneSockets } = require(${JSON.stringify(join(__dirname, '../../dist/index.js'))});
      if (cluster.isPrimary) cluster.fork().on('message', (seen) => console.log(JSON.stringify(seen)));
      else {
        const server = net.createServer();
        const options = { port: 0, host: '127.0.0.1', socketOptions: { reusePort: true } };
        let refused;
        try { listen(server, options); } catch (error) { refused = error.code; }
        listen(server, { ...options, exclusive: true }, () => {
          const isSet = getOption(server, 'reusePort');
          server.close();
          const told = [];
          const onError = (error) => told.push(error.code);
          const tuning = tuneSockets({ server: { reusePort: true }, onError });
          const shared = net.createServer();
          listen(shared, { port: 0, host: '127.0.0.1', deadPeerTimeout: 20_000 }, () => {
            tuning.close();
            shared.close();
            process.send([refused, isSet, told], () => process.disconnect());
          });
        });
      }`;
    const directory = mkdtempSync(join(tmpdir(), 'open-'));
    closers.push(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'cluster.cjs');
    writeFileSync(path, program);
    const { stdout } = await promisify(execFile)(process.execPath, [path]);
    const code = 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';
    expect(JSON.parse(stdout)).toEqual([code, true, [code]]);
  });
});

describe('bind()', () => {
  test('emits the errors of Node, and sets nothing on a socket that is bound', async () => {
    const first = dgram.createSocket('udp4');
    bind(first, { port: 0, address: '127.0.0.1', socketOptions: { priority: 0 } });
    await once(first, 'listening');
    const { port } = first.address();
    const second = dgram.createSocket('udp4');
    bind(second, { port, address: '127.0.0.1', socketOptions: { reusePort: true } });
    await expect(once(second, 'listening')).rejects.toMatchObject({
      ...{ code: 'EADDRINUSE', syscall: 'bind', port, address: '127.0.0.1' },
    });
    expect(() => bind(first, { port, socketOptions: { freeBind: true } })).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_ALREADY_BOUND' }),
    );
    expect(getOption(first, 'freeBind')).toBe(false);
    // The next attempt uses the same descriptor.
    bind(second, { port: 0, address: '127.0.0.1', socketOptions: { reusePort: true } });
    await once(second, 'listening');
    first.close();
    second.close();
    expect(() => bind(second, { port, socketOptions: { freeBind: true } })).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }),
    );
  });

  test('refuses a socket that is none of dgram', () => {
    const socket = new net.Socket();
    expect(() => bind(socket as never, { port: 0 })).toThrow(/"socket" .* dgram\.Socket/);
  });

  test('refuses an option without binding, and leaves nothing open', () => {
    const before = socketsOpen();
    const socket = dgram.createSocket('udp6');
    const options = { port: 0, socketOptions: { ipv6Only: true, bindToDevice: 'no-such-device' } };
    expect(() => bind(socket, options)).toThrow(expect.objectContaining({ code: 'ENODEV' }));
    expect(socketsOpen()).toBe(before);
    expect(() =>
      bind(socket, { port: 0, socketOptions: { mptcp: true } as SocketOptions }),
    ).toThrow(/is for TCP/);
    socket.close();
  });
});

describe('openSocket()', () => {
  test('opens each type, nonblocking and not inherited', () => {
    for (const type of ['tcp4', 'tcp6', 'mptcp4', 'mptcp6', 'udp4', 'udp6'] as const) {
      const fd = openSocket({ type });
      const { domain, type: kind, protocol } = getOptions(fd, ['domain', 'type', 'protocol']);
      expect(`${protocol}${domain === 'ipv6' ? 6 : 4}`).toBe(type);
      expect(kind).toBe(type.startsWith('udp') ? 'dgram' : 'stream');
      const [, flags = ''] =
        /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
      // O_NONBLOCK and O_CLOEXEC.
      expect(Number.parseInt(flags, 8) & 0o2_004_000).toBe(0o2_004_000);
      referenceAddon.close(fd);
    }
  });
});

describe('tuneSockets()', () => {
  test('sets early options on the sockets of all, and puts the methods back', async () => {
    const { _listen2: original } = net.Server.prototype as never as { _listen2: unknown };
    const failures: Error[] = [];
    const tuning = tuneSockets({
      client: { synRetries: 3 },
      server: { reusePort: true },
      onError: (error) => failures.push(error),
    });
    const server = net.createServer();
    closers.push(() => server.close());
    const port = await listenOnLoopback(server);
    expect(getOption(server, 'reusePort')).toBe(true);
    const socket = net.connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    expect(getOption(socket, 'synRetries')).toBe(3);
    // What connect() is given wins.
    const chosen = connect({ port, host: '127.0.0.1', socketOptions: { synRetries: 2 } });
    await once(chosen, 'connect');
    expect(getOption(chosen, 'synRetries')).toBe(2);
    for (const one of [socket, chosen]) one.destroy();
    tuning.close();
    expect((net.Server.prototype as never as { _listen2: unknown })._listen2).toBe(original);
    expect(failures).toEqual([]);
  });

  test('reports a refused option, and connects and listens all the same', async () => {
    const failures: string[] = [];
    const tuning = tuneSockets({
      ...{
        client: { bindToDevice: 'nowhere', synRetries: 3 },
        server: { bindToDevice: 'nowhere' },
      },
      onError: (error) => failures.push((error as NodeJS.ErrnoException).code ?? ''),
    });
    closers.push(() => tuning.close());
    const server = net.createServer();
    closers.push(() => server.close());
    const port = await listenOnLoopback(server);
    const socket = net.connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    expect(getOption(socket, 'synRetries')).toBe(3);
    expect(new Set(failures)).toEqual(new Set(['ENODEV']));
    socket.destroy();
  });

  test('reaches a net.BoundSocket that listens, and one that connects', async ({ skip }) => {
    const { BoundSocket } = net as { BoundSocket?: new (options: { host: string }) => net.Server };
    skip(BoundSocket === undefined, `Node ${process.version} has no net.BoundSocket`);
    const bound = () => new (BoundSocket as NonNullable<typeof BoundSocket>)({ host: '127.0.0.1' });
    const failures: Error[] = [];
    const tuning = tuneSockets({
      ...{ client: { synRetries: 3 }, server: { deferAccept: 3_000 } },
      onError: (error) => failures.push(error),
    });
    closers.push(() => tuning.close());
    const server = net.createServer().listen(bound());
    closers.push(() => server.close());
    await once(server, 'listening');
    expect(getOption(server, 'deferAccept')).toBe(3_000);
    const socket = new net.Socket({ handle: bound() } as net.SocketConstructorOpts);
    socket.connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    await once(socket, 'connect');
    expect(getOption(socket, 'synRetries')).toBe(3);
    socket.destroy();
    expect(failures).toEqual([]);
  });

  test('leaves to connect() and listen() what the program has chosen', async () => {
    const tuning = tuneSockets({
      client: { recvBufferSize: 40_000, dscp: 8, noDelay: false },
      server: { dscp: 8, mptcp: true, ipv6Only: true },
      onError: (error) => expect(error).toBeUndefined(),
    });
    closers.push(() => tuning.close());
    const server = net.createServer();
    closers.push(() => server.close());
    const early = { freeBind: true, mptcp: false, ipv6Only: false };
    listen(server, { port: 0, socketOptions: early });
    await once(server, 'listening');
    expect(getOptions(server, ['freeBind', 'ipv6Only', 'dscp', 'protocol'])).toEqual({
      ...{ freeBind: true, ipv6Only: false, dscp: 8, protocol: 'tcp' },
    });
    const { port } = server.address() as AddressInfo;
    for (const local of [{}, { localAddress: '127.0.0.1' }]) {
      const socket = connect({
        ...{ port, host: '127.0.0.1', ...local },
        socketOptions: { mptcp: true, dscp: 16, noDelay: true },
      });
      await once(socket, 'connect');
      expect(getOptions(socket, ['recvBufferSize', 'dscp', 'noDelay', 'protocol'])).toEqual({
        ...{ recvBufferSize: 80_000, dscp: 16, noDelay: true, protocol: 'mptcp' },
      });
      socket.destroy();
    }
  });

  test('leaves the DSCP that the program has chosen by another name', async () => {
    const tuning = tuneSockets({ client: { typeOfService: 32 }, server: { typeOfService: 32 } });
    closers.push(() => tuning.close());
    const server = net.createServer();
    closers.push(() => server.close());
    listen(server, { port: 0, host: '127.0.0.1', socketOptions: { dscp: 46 } });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const local of [{}, { localAddress: '127.0.0.1' }]) {
      const accepting = once(server, 'connection');
      const socket = connect({
        ...{ port, host: '127.0.0.1', ...local },
        socketOptions: { dscp: 16 },
      });
      const [accepted] = await accepting;
      await nextTurn();
      expect([getOption(socket, 'dscp'), getOption(accepted, 'dscp')]).toEqual([16, 46]);
      socket.destroy();
    }
  });

  test('asks the filter for each address, and refuses early options of servers beside a filter', async () => {
    const asked: string[] = [];
    const tuning = tuneSockets({
      client: { synRetries: 3 },
      filter: ({ remoteAddress }) => {
        asked.push(String(remoteAddress));
        return remoteAddress === '127.0.0.5';
      },
    });
    closers.push(() => tuning.close());
    const port = await echo5();
    const values: number[] = [];
    for (const host of ['127.0.0.1', '127.0.0.5']) {
      const socket = net.connect({ port, host });
      await once(socket, 'connect');
      values.push(getOption(socket, 'synRetries'));
      socket.destroy();
    }
    expect(values[1]).toBe(3);
    expect(values[0]).not.toBe(3);
    expect(asked).toContain('127.0.0.1');
    expect(() => tuneSockets({ server: { reusePort: true }, filter: () => true })).toThrow(
      /has no effect with a filter/,
    );
  });

  async function echo5(): Promise<number> {
    const server = net.createServer((socket) => socket.on('error', () => {}).resume());
    closers.push(() => server.close());
    return listenOnLoopback(server, '0.0.0.0');
  }
});

test.each([
  ['connect()', {}],
  ['connect(), bound to a local address', { localAddress: '127.0.0.1' }],
  ['tuneSockets(), bound to a local address', { localAddress: '127.0.0.1' }],
])('a look-up that answers at once gets the options too: %s', async (name, local) => {
  const port = await listenEcho(closers);
  const early = { ...OPTIONS, bindAddressNoPort: true };
  const isTuned = name.startsWith('tune');
  const tuning = isTuned ? tuneSockets({ client: early }) : undefined;
  closers.push(() => tuning?.close());
  const make = isTuned ? net.connect : connect;
  const socket = make({
    ...{ port, host: 'one', ...local },
    lookup: ((_host: string, options: dns.LookupOptions, done: (...args: unknown[]) => void) =>
      options.all
        ? done(null, [{ address: '127.0.0.1', family: 4 }])
        : done(null, '127.0.0.1', 4)) as net.LookupFunction,
    socketOptions: isTuned ? undefined : early,
  } as ConnectOptions & net.NetConnectOpts);
  await once(socket, 'connect');
  expect(getOptions(socket, ['synRetries', 'bindAddressNoPort'])).toEqual({
    ...{ synRetries: 5, bindAddressNoPort: true },
  });
  socket.destroy();
});
