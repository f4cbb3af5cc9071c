// isReusable(): what waits on a connection before Node's event loop knows of it. TCP_INFO, read by the reference addon,
// shows that it waits.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isReusable, type SocketLike } from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { fdOf, listen, withPair } from '../support/net';
import { onLinux } from '../support/platform';
import {
  AF_INET,
  getBytes,
  IPPROTO_TCP,
  SOCK_STREAM,
  withSocket,
} from '../support/reference-addon';
import { needsStrace } from '../support/strace';

// linux/tcp.h and include/net/tcp_states.h.
const TCP_INFO = 11;
const BYTES_RECEIVED = 128;
const ESTABLISHED = 1;
const SYN_SENT = 2;
const CLOSED = 7;
const CLOSE_WAIT = 8;

const stateOf = (fd: number) => getBytes(fd, IPPROTO_TCP, TCP_INFO, 1)[0];
const bytesReceived = (fd: number) =>
  getBytes(fd, IPPROTO_TCP, TCP_INFO, BYTES_RECEIVED + 8).readBigUInt64LE(BYTES_RECEIVED);

/**
 * Waits until something from the peer has reached the kernel. No turn of the event loop passes, so Node cannot have read
 * it. Where the kernel has no TCP_INFO of Linux, until isReusable() changes its answer.
 */
function spinUntil(socket: SocketLike, hasArrived: () => boolean): void {
  const isThere = process.platform === 'linux' ? hasArrived : () => !isReusable(socket);
  const end = performance.now() + 5_000;
  while (!isThere()) if (performance.now() > end) throw new Error('nothing arrived within 5 s');
}

/** Waits for a condition over turns of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('is true for', () => {
  test('both ends of an idle connection, { fd } and a descriptor', async () => {
    await withPair(({ client, accepted }) => {
      expect(isReusable(client)).toBe(true);
      expect(isReusable(accepted)).toBe(true);
      expect(isReusable({ fd: fdOf(client) })).toBe(true);
      expect(isReusable(fdOf(accepted))).toBe(true);
    });
  });

  test('a connection whose response was read', async () => {
    await withPair(async ({ client, accepted }) => {
      client.write('request');
      await once(accepted, 'data');
      accepted.write('response');
      await once(client, 'data');
      expect(isReusable(client)).toBe(true);
    });
  });

  test('a paused socket', async () => {
    await withPair(({ client }) => {
      expect(isReusable(client.pause())).toBe(true);
    });
  });
});

describe('is false for', () => {
  test('a FIN that Node has not read', async () => {
    await withPair(({ client, accepted }) => {
      const fd = fdOf(client);
      accepted.destroy();
      spinUntil(client, () => stateOf(fd) === CLOSE_WAIT);
      expect(client.readable && client.writable).toBe(true);
      expect(isReusable(client)).toBe(false);
      expect(isReusable(fd)).toBe(false);
    });
  });

  test('a reset that Node has not read, which the socket still emits as ECONNRESET', async () => {
    await withPair(async ({ client, accepted }) => {
      const fd = fdOf(client);
      accepted.resetAndDestroy();
      spinUntil(client, () => stateOf(fd) === CLOSED);
      expect(client.readable && client.writable).toBe(true);
      expect(isReusable(client)).toBe(false);
      expect(isReusable(fd)).toBe(false);
      const [error] = await once(client, 'error');
      expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    });
  });

  test('unread data in the kernel', async () => {
    await withPair(async ({ client, accepted }) => {
      const fd = fdOf(client);
      accepted.write('x');
      spinUntil(client, () => bytesReceived(fd) === 1n);
      expect(client.readableLength).toBe(0);
      expect(isReusable(client)).toBe(false);
      expect(isReusable(fd)).toBe(false);
      // It reads nothing.
      const [chunk] = await once(client, 'data');
      expect(`${chunk}`).toBe('x');
      expect(isReusable(client)).toBe(true);
    });
  });

  test('unread data in the stream', async () => {
    await withPair(async ({ client, accepted }) => {
      client.pause();
      accepted.write('x');
      await until(() => client.readableLength === 1);
      expect(isReusable(fdOf(client))).toBe(true);
      expect(isReusable(client)).toBe(false);
    });
  });

  test('a connection that this side has ended', async () => {
    await withPair(async ({ client, accepted }) => {
      accepted.allowHalfOpen = true;
      client.end();
      expect(isReusable(client)).toBe(false);
      await once(client, 'finish');
      expect(isReusable(client)).toBe(false);
    });
  });

  test('a connection that the peer has ended', async () => {
    await withPair(async ({ client, accepted }) => {
      client.allowHalfOpen = true;
      accepted.end();
      client.resume();
      await once(client, 'end');
      expect(client.writable).toBe(true);
      expect(isReusable(client)).toBe(false);
    });
  });

  test('unsent data, in the stream or behind a full send buffer', async () => {
    await withPair(({ client, accepted }) => {
      client.cork();
      client.write('x');
      expect(isReusable(fdOf(client))).toBe(true);
      expect(isReusable(client)).toBe(false);
      client.uncork();
      expect(isReusable(client)).toBe(true);

      accepted.pause();
      while (client.writableLength === 0) client.write(Buffer.alloc(1_000_000));
      expect(isReusable(client)).toBe(false);
      expect(isReusable(fdOf(client))).toBe(false);
    });
  });

  test('a socket that is not open yet, connecting, destroyed or closed', async () => {
    await withPair(async ({ client, server }) => {
      const { port } = server.address() as net.AddressInfo;
      const other = new net.Socket();
      expect(isReusable(other)).toBe(false);
      other.connect(port, '127.0.0.1');
      expect(isReusable(other)).toBe(false);
      // Node calls connect(2) in the next tick. Over loopback the kernel is then connected at once, and Node is not.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      expect(other.connecting).toBe(true);
      expect(isReusable(other)).toBe(false);
      await once(other, 'connect');
      expect(isReusable(other)).toBe(true);
      other.destroy();
      client.destroy();
      expect(isReusable(client)).toBe(false);
      await once(client, 'close');
      expect(isReusable(client)).toBe(false);
    });
  });

  test('a server, and a descriptor that is not open', async () => {
    const server = net.createServer();
    await listen(server);
    expect(isReusable(server)).toBe(false);
    expect(isReusable(fdOf(server))).toBe(false);
    server.close();
    expect(isReusable(server)).toBe(false);
    expect(isReusable(1_000_000)).toBe(false);
  });

  test('a descriptor that was never connected', () => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => expect(isReusable(fd)).toBe(false));
  });

  test('a descriptor that connects', async ({ skip }) => {
    onLinux('a full queue makes connections wait in SYN-SENT')({ skip });
    const server = net.createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 });
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    // The server accepts none of them before the event loop polls.
    const clients = Array.from({ length: 8 }, () => net.connect(port, '127.0.0.1'));
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const fd = fdOf(clients.at(-1) as net.Socket);
    const state = stateOf(fd);
    const answer = isReusable(fd);
    for (const client of clients) client.on('error', () => {}).destroy();
    server.close();
    expect(state).toBe(SYN_SENT);
    expect(answer).toBe(false);
  });
});

test('of a descriptor, it does not know that this side has called shutdown(2)', async ({
  skip,
}) => {
  onLinux('what poll(2) reports after shutdown(2)')({ skip });
  await withPair(async ({ client, accepted }) => {
    accepted.allowHalfOpen = true;
    client.end();
    await once(client, 'finish');
    expect(isReusable(fdOf(client))).toBe(true);
  });
});

describe('over TLS 1.3', () => {
  let credentials: { key: string; cert: string };
  beforeAll(() => {
    credentials = certificate();
  });

  /** A stream over `raw` that passes what is written to `send`, and sends no FIN. */
  function streamWithoutFin(raw: net.Socket, send: (record: Buffer) => void): Duplex {
    const duplex = new Duplex({
      read() {},
      write(record, _encoding, done) {
        send(record);
        done();
      },
      final: (done) => done(),
    });
    raw.on('data', (chunk) => duplex.push(chunk));
    return duplex;
  }

  test('is false during the handshake, true after it, and false while a close_notify waits', async () => {
    await withPair(async ({ client: raw, accepted }) => {
      const client = tls.connect({
        ...{ socket: raw, rejectUnauthorized: false },
        ...{ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' },
      });
      client.on('error', () => {}).resume();
      expect(isReusable(client)).toBe(false);
      let send = (record: Buffer): unknown => accepted.write(record);
      const server = new tls.TLSSocket(
        streamWithoutFin(accepted, (record) => send(record)),
        { ...credentials, isServer: true },
      );
      await Promise.all([once(client, 'secureConnect'), once(server, 'secure')]);
      // The session tickets.
      await until(() => isReusable(client));

      const records: Buffer[] = [];
      send = (record) => records.push(record);
      server.end();
      await until(() => records.length > 0);
      expect(isReusable(client)).toBe(true);
      const fd = fdOf(raw);
      const before = process.platform === 'linux' ? bytesReceived(fd) : 0n;
      accepted.write(Buffer.concat(records));
      spinUntil(client, () => bytesReceived(fd) > before);
      if (process.platform === 'linux') expect(stateOf(fd)).toBe(ESTABLISHED);
      expect(client.readable && client.writable).toBe(true);
      expect(isReusable(client)).toBe(false);
      // It was a close_notify.
      client.allowHalfOpen = true;
      await once(client, 'end');
      expect(client.writable).toBe(true);
      expect(isReusable(client)).toBe(false);
    });
  });

  test('throws for a socket over another stream, which has no descriptor', async () => {
    const over = new tls.TLSSocket(new Duplex({ read() {}, write() {} }));
    expect(() => isReusable(over)).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_NO_DESCRIPTOR' }),
    );
    over.destroy();
  });
});

test('an http2 session is reusable until it is closed', async () => {
  const responses: http2.Http2ServerResponse[] = [];
  const server = http2.createServer((_request, response) => responses.push(response));
  const port = await listen(server);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  expect(isReusable(session)).toBe(false);
  await once(session, 'connect');
  const stream = session.request({ ':path': '/' }).resume();
  await until(() => responses.length === 1 && isReusable(session));
  // It stays open for the stream.
  session.close();
  expect(isReusable(session)).toBe(false);
  responses[0]?.end();
  await Promise.all([once(stream, 'close'), once(session, 'close')]);
  expect(isReusable(session)).toBe(false);
  server.close();
});

test('an http2 session is not reusable after destroy()', async () => {
  const server = http2.createServer();
  const port = await listen(server);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  await until(() => isReusable(session));
  session.destroy();
  expect(isReusable(session)).toBe(false);
  server.close();
});

describe('a request over a connection whose FIN waits', () => {
  /** As in docs/pools.md. */
  class CheckedAgent extends http.Agent {
    override getName(options: http.AgentOptions): string {
      const name = super.getName(options);
      for (;;) {
        const socket = this.freeSockets[name]?.at(-1);
        if (socket === undefined || socket.destroyed || isReusable(socket)) return name;
        socket.destroy();
        socket.emit('agentRemove');
      }
    }
  }

  /** Makes a request, has the server close its connections, and makes another in the same turn of the event loop. */
  async function requestTwice(agent: http.Agent): Promise<string> {
    const server = http.createServer((_request, response) => response.end('ok'));
    const port = await listen(server);
    const get = () => http.get({ host: '127.0.0.1', port, agent });
    try {
      const [response] = (await once(get(), 'response')) as [http.IncomingMessage];
      const { socket } = response;
      await once(response.resume(), 'end');
      await until(() => Object.values(agent.freeSockets).flat().includes(socket));
      const fd = fdOf(socket);
      server.closeAllConnections();
      spinUntil(socket, () => stateOf(fd) === CLOSE_WAIT);
      return await once(get(), 'response').then(
        ([{ statusCode }]) => `${statusCode}`,
        ({ code }) => code,
      );
    } finally {
      agent.destroy();
      server.close();
    }
  }

  test('fails with http.Agent', async () => {
    expect(await requestTwice(new http.Agent({ keepAlive: true }))).toBe('ECONNRESET');
  });

  test('gets a new connection if the agent asks isReusable()', async () => {
    expect(await requestTwice(new CheckedAgent({ keepAlive: true }))).toBe('200');
  });
});

describe('a wrong argument is an error before any system call:', () => {
  test.each([
    ['a string', 'socket', TypeError],
    ['undefined', undefined, TypeError],
    ['null', null, TypeError],
    ['a Promise', Promise.resolve(), TypeError],
    ['an object that looks destroyed', { destroyed: true, connecting: true }, TypeError],
    ['-1', -1, RangeError],
    ['2.5', 2.5, RangeError],
  ])('%s', (_, value, error) => {
    expect(() => isReusable(value as never)).toThrow(error);
  });
});

describe('system calls', () => {
  beforeEach(needsStrace);

  test('one for each answer of the kernel, and none for a wrong argument or a destroyed socket', async () => {
    const { stderr } = await promisify(execFile)(
      'strace',
      [
        // Without -f: the main thread alone.
        ...['-qq', '-e', 'signal=none', '-e'],
        `trace=%network,access,poll,ppoll,select,pselect6,ioctl,fcntl,read,readv,epoll_ctl,epoll_wait`,
        ...[process.execPath, join(__dirname, '../fixtures/reusable.mjs')],
      ],
      { timeout: 30_000, maxBuffer: 2 ** 26 },
    );
    const calls: Record<string, string[]> = {};
    let mark = 'start';
    for (const line of stderr.split('\n')) {
      const [name] = line.split('(');
      const marked = /access\("\/mark\/([^"]+)"/.exec(line)?.[1];
      if (marked === undefined) calls[mark]?.push(name as string);
      else {
        mark = marked;
        calls[mark] = [];
      }
    }
    expect(calls.idle).toEqual(['poll']);
    expect(calls.descriptor).toEqual(['poll']);
    expect(calls.fin).toEqual(['poll']);
    expect(calls.wrong).toEqual([]);
    expect(calls.destroyed).toEqual([]);
  });

  test('a signal in poll(2) is no error, and another refusal is one', async () => {
    const answers = (errno: string) =>
      promisify(execFile)(
        'strace',
        [
          ...['-qq', '-e', 'signal=none', '-e', 'trace=poll', '-e', `inject=poll:error=${errno}`],
          ...[process.execPath, join(__dirname, '../fixtures/reusable.mjs')],
        ],
        { timeout: 30_000 },
      );
    expect(JSON.parse((await answers('EINTR')).stdout).idle).toBe(false);
    expect(JSON.parse((await answers('EPERM')).stdout).idle).toEqual({
      name: 'SocketOptionError',
      message: 'EPERM: operation not permitted, poll',
      code: 'EPERM',
      syscall: 'poll',
    });
  });
});
