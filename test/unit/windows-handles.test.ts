// The search for the socket behind an object, which Windows needs: there, and where Node tells the
// descriptor too, by the same code.

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { getSystemErrorName } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { getOption, readTcpInfos, type SocketLike, setOptions } from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { fdOf, listen, REFUSING_PORT, withPair } from '../support/net';
import { getInt, IPPROTO_TCP, TCP_KEEPIDLE } from '../support/reference-addon';

// Set before the package is loaded, which reads it then.
vi.hoisted(() => {
  process.env.SOCKET_OPTIONS_SEARCH = '1';
});
afterAll(() => {
  delete process.env.SOCKET_OPTIONS_SEARCH;
});

const TCP_NODELAY = 1;
const isWindows = process.platform === 'win32';

let mark = 100;

/** Sets a unique value through the search, and reads it from the expected descriptor. */
function expectFound(socket: SocketLike, fd = fdOf(socket as object)): void {
  setOptions(socket, { keepAliveInitialDelay: ++mark * 1_000 });
  expect(getInt(fd, IPPROTO_TCP, TCP_KEEPIDLE)).toBe(mark);
}

interface Handle {
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  close(): void;
  getsockname(out: object): number;
}
const handleOf = (socket: object) => (socket as { _handle: Handle })._handle;

/** A socket-like object whose handle does other things than Node's own. */
const withHandle = (handle: Partial<Handle>) =>
  ({ _handle: handle, destroyed: false }) as unknown as net.Socket;

const refused = expect.objectContaining({ code: 'ERR_SOCKET_NO_DESCRIPTOR' });

describe('the search', () => {
  test.each([true, false])('rejects a pipe, and keeps its ref state: %s', async (isRef) => {
    const pipe = isWindows ? '\\\\.\\pipe\\' : '\0';
    const server = net.createServer().listen(`${pipe}socket-options-search-${process.pid}`);
    await once(server, 'listening');
    if (!isRef) server.unref();
    expect(() => getOption(server, 'type')).toThrow(refused);
    expect(handleOf(server).hasRef()).toBe(isRef);
    await withPair(({ client, accepted }) => {
      expect(foundBy([client, server, accepted])).toEqual([true, false, true]);
    });
    expect(handleOf(server).hasRef()).toBe(isRef);
    server.close();
  });

  test.each([true, false])('keeps the ref state of a handle: %s', async (isRef) => {
    await withPair(({ client, accepted }) => {
      if (!isRef) client.unref();
      expectFound(client);
      expect([handleOf(client).hasRef(), handleOf(accepted).hasRef()]).toEqual([isRef, true]);
    });
  });

  test('distinguishes both ends of a connection, and connecting sockets', async () => {
    await withPair(async ({ client, accepted, server }) => {
      const { port } = server.address() as net.AddressInfo;
      const connecting = [0, 1].map(() => net.connect(port, '127.0.0.1'));
      await new Promise(process.nextTick);
      for (const socket of [client, accepted, server]) expectFound(socket);
      // The reference addon on Windows knows sockets by their peer, which these lack.
      if (!isWindows) for (const socket of connecting) expectFound(socket);
      for (const socket of connecting) socket.on('error', () => {}).destroy();
    });
  });

  test('caches a result until the handle is closed', async () => {
    await withPair(async ({ client, server }) => {
      const { port } = server.address() as net.AddressInfo;
      const handle = handleOf(client);
      const unref = vi.spyOn(handle, 'unref');
      expectFound(client);
      expectFound(client);
      expect(unref).toHaveBeenCalledTimes(1);
      const kept = withHandle(handle);
      expectFound(kept, fdOf(client));

      const fd = fdOf(client);
      client.destroy();
      expect(() => setOptions(kept, { noDelay: true })).toThrow(refused);
      await once(client, 'close');
      // Another socket reuses the number, on Linux at once.
      const other = net.connect(port, '127.0.0.1');
      await once(other, 'connect');
      if (!isWindows) expect(fdOf(other)).toBe(fd);
      expect(() => setOptions(kept, { noDelay: true })).toThrow(refused);
      expectFound(other);
      expect(getInt(fdOf(other), IPPROTO_TCP, TCP_NODELAY)).toBe(0);
      other.destroy();
    });
  });
});

/** Which of them have a socket: one without has EBADF. Wine reads the state of none. */
const foundBy = (sockets: readonly SocketLike[]) =>
  [...readTcpInfos(sockets, []).errno].map(
    (errno) => errno === 0 || getSystemErrorName(errno) !== 'EBADF',
  );

describe('a search for many sockets', () => {
  // The reference addon is slow on Windows.
  const COUNTS = isWindows ? [2, 3, 5, 9] : [2, 3, 4, 5, 8, 9, 63, 64, 65];

  test.each(COUNTS)('finds %i sockets', async (count) => {
    const server = net.createServer();
    const port = await listen(server);
    const sockets = Array.from({ length: count }, () => net.connect(port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    sockets.forEach((socket, i) => {
      if (i % 3 === 0) socket.unref();
    });
    const steps = sockets.map((socket) => vi.spyOn(handleOf(socket), 'ref'));
    expect(foundBy(sockets)).toEqual(sockets.map(() => true));
    const calls = steps.map(({ mock }) => mock.calls.length);
    sockets.forEach((socket, i) => {
      expectFound(socket);
      expect(handleOf(socket).hasRef()).toBe(i % 3 !== 0);
    });
    // The results were cached.
    expect(steps.map(({ mock }) => mock.calls.length)).toEqual(calls);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test('finds sockets among closed, repeated, wrapped and forged ones', async () => {
    const credentials = certificate();
    const server = tls.createServer(credentials);
    const port = await listen(server);
    const raw = net.connect(port, '127.0.0.1');
    const over = tls.connect({ socket: raw, rejectUnauthorized: false });
    await once(over, 'secureConnect');
    await withPair(async ({ client, accepted }) => {
      const closed = net.connect(port, '127.0.0.1');
      await once(closed, 'connect');
      closed.destroy();
      const forged = withHandle({ ref() {}, unref() {} });
      const sockets = [client, closed, over, raw, accepted, client, forged, fdOf(accepted)];
      expect(foundBy(sockets)).toEqual([true, false, true, true, true, true, false, true]);
      expectFound(over, fdOf(raw));
      expectFound(raw);
    });
    for (const socket of [over, raw]) socket.on('error', () => {}).destroy();
    server.close();
  });
});

describe('a handle that Node did not make', () => {
  let sockets: net.Socket[];
  let server: net.Server;
  beforeAll(async () => {
    server = net.createServer();
    const port = await listen(server);
    sockets = Array.from({ length: 4 }, () => net.connect(port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    sockets[1]?.unref();
    sockets[3]?.unref();
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const handle = (i: number) => handleOf(sockets[i] as net.Socket);
  const refs = () => [0, 1, 2, 3].map((i) => handle(i).hasRef());

  /** Of handles 0 and 1, of which one is ref-ed and the other is not. */
  const hostile: Record<string, () => Partial<Handle>> = {
    'ref() and unref() do nothing': () => ({ ref() {}, unref() {} }),
    'there are no methods': () => ({}),
    'two handles change': () => ({
      ref: () => [0, 1].forEach((i) => void handle(i).ref()),
      unref: () => [0, 1].forEach((i) => void handle(i).unref()),
    }),
    'one handle changes, and another one in the opposite way': () => ({
      ref() {
        handle(0).ref();
        handle(1).unref();
      },
      unref() {
        handle(0).unref();
        handle(1).ref();
      },
    }),
    'one handle is left in the wrong state': () => ({
      ref: () => handle(1).ref(),
      unref: () => handle(1).ref(),
    }),
    'another handle changes': () => ({
      ref: () => handle(0).ref(),
      unref() {
        handle(0).unref();
        handle(2).unref();
      },
    }),
    'ref() throws': () => ({
      ref() {
        handle(0).ref();
        throw new Error('no');
      },
      unref: () => handle(0).unref(),
    }),
    'unref() throws after it changed two handles': () => ({
      ref: () => handle(0).ref(),
      unref() {
        handle(0).unref();
        handle(1).ref();
        throw new Error('no');
      },
    }),
    'unref() starts a search': () => ({
      ref: () => handle(0).ref(),
      unref() {
        handle(0).unref();
        getOption(
          withHandle({ ref: () => handle(1).ref(), unref: () => handle(1).unref() }),
          'ttl',
        );
      },
    }),
    'unref() opens a handle': () => ({
      ref: () => handle(0).ref(),
      unref() {
        handle(0).unref();
        const opened = net.connect(REFUSING_PORT, '127.0.0.1').on('error', () => {});
        opened.unref();
      },
    }),
  };

  test.each(Object.entries(hostile))('rejects the handle, and keeps the others: %s', (_, make) => {
    const before = refs();
    expect(before).toEqual([true, false, true, false]);
    expect(() => setOptions(withHandle(make()), { noDelay: true })).toThrow(refused);
    expect(refs()).toEqual(before);
    // And the search still works.
    for (const socket of sockets) expectFound(socket);
  });

  test.each(['ref', 'unref'] as const)('rejects a handle that %s() closes', async (method) => {
    const own = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    await once(own, 'connect');
    const real = handleOf(own);
    const closing = {
      ref: () => real.ref(),
      unref: () => real.unref(),
      [method]() {
        real[method]();
        own.destroy();
      },
    };
    const before = refs();
    expect(() => setOptions(withHandle(closing), { noDelay: true })).toThrow(refused);
    expect(refs()).toEqual(before);
  });

  test.each(['ref', 'unref'] as const)(
    'finds a handle whose %s() closes another one',
    async (method) => {
      const extra = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
      await once(extra, 'connect');
      const sly = {
        ref: () => handle(0).ref(),
        unref: () => handle(0).unref(),
        [method]() {
          handle(0)[method]();
          extra.destroy();
        },
        getsockname: (out: object) => handle(0).getsockname(out),
      };
      const before = refs();
      // It drives handle 0, and its other effects do not matter.
      expectFound(withHandle(sly), fdOf(sockets[0] as net.Socket));
      expect(refs()).toEqual(before);
      await new Promise(setImmediate);
      for (const socket of sockets) expectFound(socket);
    },
  );
});
