// How explainDisconnect() classifies errors of real sockets, servers and clients.

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type DeadPeerDetails,
  type DisconnectExplanation,
  explainDisconnect,
  getOption,
  type PeerFate,
  SocketOptionError,
  type TcpInfo,
} from '../../dist/index.js';
import { inNamespace, needsNamespace } from '../support/namespace';
import { listen, REFUSING_PORT, withPair } from '../support/net';
import { onLinux } from '../support/platform';

const servers: net.Server[] = [];
const sockets: net.Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** The port of a TCP server that does so with each connection. */
async function serving(serve: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    serve(socket);
  });
  servers.push(server);
  return listen(server);
}
const closing = () => serving((socket) => socket.once('data', () => socket.end()));
const resetting = () => serving((socket) => socket.once('data', () => socket.resetAndDestroy()));

const failed = async (emitter: NodeJS.EventEmitter): Promise<NodeJS.ErrnoException> =>
  (await once(emitter, 'error'))[0] as NodeJS.ErrnoException;
const rejected = async (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('nothing failed'),
    (error: Error) => error,
  );
const get = (port: number) => http.get({ port, host: '127.0.0.1', agent: false });
const url = (port: number) => `http://127.0.0.1:${port}/`;

function expectFate(error: Error, peer: PeerFate, code: string | null, message: RegExp): void {
  expect(explainDisconnect(error)).toMatchObject({
    peer,
    code,
    message: expect.stringMatching(message),
  });
}

test.each([
  ['axios', 'ECONNABORTED', 'timeout of 50ms exceeded'],
  ['got', 'ETIMEDOUT', "Timeout awaiting 'response' for 50ms"],
  ['raw-body', 'ECONNABORTED', 'request aborted'],
])("a limit of %s with the code of a kernel is 'unknown'", (_, code, message) => {
  const error = Object.assign(new Error(message), { code });
  expectFate(error, 'unknown', code, /A library of this program gave up/);
});

test("a port that fetch() blocks is 'refused', and the message names the list of blocked ports", async () => {
  const error = await rejected(fetch(url(REFUSING_PORT)));
  expectFate(error, 'refused', null, /list of blocked ports .* The peer was not contacted/);
});

describe('an orderly close', () => {
  test("before an http response is 'closed'", async () => {
    const error = await failed(get(await closing()));
    expect(error).toMatchObject({ code: 'ECONNRESET', message: 'socket hang up' });
    expectFate(error, 'closed', 'ECONNRESET', /orderly way \(FIN\) before the answer was complete/);
  });

  test("within an http response is 'unknown', because Node reports a reset in the same words", async () => {
    const port = await serving((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx')),
    );
    const [response] = (await once(get(port), 'response')) as [http.IncomingMessage];
    response.resume();
    // Node reports a reset in the same words.
    expectFate(await failed(response), 'unknown', 'ECONNRESET', /the peer reset it/);
  });

  test("of fetch() is 'closed', by the code in its cause", async () => {
    const error = await rejected(fetch(url(await closing())));
    expect(error).toBeInstanceOf(TypeError);
    expectFate(error, 'closed', 'UND_ERR_SOCKET', /orderly way \(FIN\)/);
  });

  test("during a TLS handshake is 'closed'", async () => {
    const client = tls.connect({ port: await closing(), host: '127.0.0.1' });
    expectFate(await failed(client), 'closed', 'ECONNRESET', /during the TLS handshake/);
  });

  test("before a write is 'closed' or 'ended here', by the error of Node", async () => {
    const client = net.connect(await serving((socket) => socket.end()), '127.0.0.1');
    client.resume();
    await once(client, 'end');
    const failure = failed(client);
    client.write('x');
    const error = await failure;
    expect(error.code).toMatch(/^(EPIPE|ERR_STREAM_WRITE_AFTER_END)$/);
    expect(['closed', 'ended here']).toContain(explainDisconnect(error).peer);
  });
});

describe('a reset', () => {
  test("of a socket, an http request, fetch() and a TLS handshake is 'reset'", async () => {
    const port = await resetting();
    const client = net.connect(port, '127.0.0.1', () => client.write('x'));
    const errors = [
      await failed(client),
      await failed(get(port)),
      await rejected(fetch(url(port))),
      await failed(tls.connect({ port, host: '127.0.0.1' })),
    ];
    for (const error of errors) {
      expectFate(error, 'reset', 'ECONNRESET', /no longer knows this connection/);
    }
  });

  test("of an http2 session and its stream is 'reset'", async () => {
    const session = http2.connect(url(await resetting()));
    const stream = session.request();
    const errors = await Promise.all([failed(session), failed(stream)]);
    for (const error of errors) expectFate(error, 'reset', 'ECONNRESET', /no longer knows/);
  });
});

describe('HTTP/2', () => {
  test("a stream that the peer’s program refuses is 'unknown'", async () => {
    const server = http2.createServer((_request, response) =>
      response.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM),
    );
    servers.push(server as unknown as net.Server);
    const session = http2.connect(url(await listen(server as unknown as net.Server)));
    const error = await failed(session.request());
    // An error of a close by this side has the same code.
    expectFate(error, 'unknown', 'ERR_HTTP2_STREAM_ERROR', /stream ended with the code/);
    session.destroy();
  });

  test("a refused connection is 'refused' for the session and its stream", async () => {
    const session = http2.connect(url(REFUSING_PORT));
    const stream = session.request();
    const errors = await Promise.all([failed(session), failed(stream)]);
    for (const error of errors) expectFate(error, 'refused', 'ECONNREFUSED', /no program listens/);
  });
});

describe('a connection that was never established', () => {
  test('is "refused" if no program listens on the port', async () => {
    const error = await failed(net.connect(REFUSING_PORT, '127.0.0.1'));
    expectFate(error, 'refused', 'ECONNREFUSED', /machine answers, but no program listens/);
  });

  test("is 'ended here' for a local address that does not exist or is in use", async () => {
    const there = { port: REFUSING_PORT, host: '127.0.0.1' };
    const missing = await failed(net.connect({ ...there, localAddress: '203.0.113.9' }));
    expectFate(missing, 'ended here', 'EADDRNOTAVAIL', /no such address of its own/);
    const localPort = await serving(() => {});
    const taken = await failed(net.connect({ ...there, localAddress: '127.0.0.1', localPort }));
    expectFate(taken, 'ended here', 'EADDRINUSE', /in use by another connection/);
  });

  test("is 'unreachable' if the name is not resolved", async () => {
    const lookup: net.LookupFunction = (name, _options, callback) =>
      callback(
        Object.assign(new Error(`getaddrinfo EAI_AGAIN ${name}`), {
          code: 'EAI_AGAIN',
          syscall: 'getaddrinfo',
        }),
        '',
      );
    const error = await failed(net.connect({ port: 80, host: 'name.invalid', lookup }));
    expectFate(error, 'unreachable', 'EAI_AGAIN', /name was not resolved/);
  });
});

describe('ended by this program', () => {
  test("a write to a destroyed socket is 'ended here'", async () => {
    const socket = new net.Socket();
    socket.destroy();
    const error = await new Promise<Error>((resolve) => {
      socket.write('x', (failure) => resolve(failure as Error));
    });
    expectFate(error, 'ended here', 'ERR_STREAM_DESTROYED', /This program had closed/);
  });

  test("an aborted fetch() is 'unknown', and ERR_SOCKET_CLOSED is 'ended here'", async () => {
    const port = await serving(() => {});
    const error = await rejected(fetch(url(port), { signal: AbortSignal.timeout(50) }).then());
    // A DOMException, whose code is a number.
    expectFate(error, 'unknown', null, /says nothing/);
    const socket = new net.Socket().destroy();
    try {
      getOption(socket, 'noDelay');
    } catch (closed) {
      expectFate(closed as Error, 'ended here', 'ERR_SOCKET_CLOSED', /This program had closed/);
    }
  });

  test("a premature close is 'unknown'", async () => {
    await withPair(async ({ client }) => {
      const through = new Promise<Error | null | undefined>((resolve) => finished(client, resolve));
      client.destroy();
      const error = (await through) as Error;
      expectFate(
        error,
        'unknown',
        'ERR_STREAM_PREMATURE_CLOSE',
        /whether the peer or this program closed it/,
      );
    });
  });

  test("the error that pipeline() forwards is 'reset'", async () => {
    const port = await resetting();
    const client = net.connect(port, '127.0.0.1', () => client.write('x'));
    const error = await new Promise<Error>((resolve) =>
      pipeline(
        client,
        async (chunks) => {
          for await (const _ of chunks);
        },
        (failure) => resolve(failure as Error),
      ),
    );
    expectFate(error, 'reset', 'ECONNRESET', /no longer knows/);
  });
});

describe('in a network namespace', () => {
  beforeEach((context) => {
    onLinux('errors of its kernel')(context);
    needsNamespace(context);
  });

  test('classifies real errors of addresses, routes, firewalls and peers that do not read', async () => {
    const report =
      await inNamespace<
        Record<
          string,
          { error: string; syscall?: string; peer: PeerFate; code: string; message: string }
        >
      >('disconnects.mjs');
    const fates = Object.fromEntries(
      Object.entries(report).map(([name, { peer, code }]) => [name, `${peer} ${code}`]),
    );
    expect(fates).toEqual({
      'nobody answers': 'unreachable ETIMEDOUT',
      'no address answers': 'unreachable ETIMEDOUT',
      'one refuses, one does not answer': 'refused ECONNREFUSED',
      'both refuse': 'refused ECONNREFUSED',
      'fetch refused': 'refused ECONNREFUSED',
      'no route': 'unreachable ENETUNREACH',
      unreachable: 'unreachable EHOSTUNREACH',
      prohibited: 'ended here EACCES',
      destroyed: 'ended here ECONNABORTED',
      'port unreachable': 'unreachable ECONNREFUSED',
      vanished: 'vanished ETIMEDOUT',
      'vanished, with counters': 'vanished ETIMEDOUT',
      'does not read': 'vanished ETIMEDOUT',
      'does not read, with counters': 'silent ETIMEDOUT',
      'vanished behind a closed window, with counters': 'vanished ETIMEDOUT',
    });
    const said = (name: string) => report[name]?.message;
    expect(report['no address answers']?.error).toBe('AggregateError');
    expect(said('one refuses, one does not answer')).toMatch(
      /no program listens.* The attempts ended differently: unreachable \(ETIMEDOUT\), refused \(ECONNREFUSED\)\.$/,
    );
    expect(said('both refuse')).not.toContain('differently');
    expect(said('port unreachable')).toMatch(/ICMP.*although the connection was open/);
    // Without counters the error does not show which of the two it is, and nothing else is claimed.
    for (const name of ['vanished', 'does not read']) {
      expect(said(name)).toMatch(/may also be alive and not have read for that long/);
    }
    expect(said('vanished, with counters')).not.toMatch(/may also live/);
    expect(said('does not read, with counters')).toMatch(
      /still answers, but its program did not read/,
    );
  });
});

describe('the errors of a dead-peer timeout', () => {
  beforeEach((context) => {
    onLinux('its firewall')(context);
    needsNamespace(context);
  });

  interface Failure {
    /** The error after JSON.stringify() and JSON.parse(). */
    readonly json: Record<string, unknown> & { deadPeer?: DeadPeerDetails; tcpInfo?: TcpInfo };
    readonly text: string;
    readonly explained: DisconnectExplanation;
    /** The explanation of an error that has it as its cause, with the closed socket. */
    readonly wrapped: DisconnectExplanation;
  }

  test('are explained by their details and their counters, without the socket', async () => {
    const report = await inNamespace<Record<string, Failure>>('supervised-errors.mjs');
    const fates = Object.entries(report).map(([name, { explained, wrapped }]) => {
      expect(wrapped, name).toEqual(explained);
      return [name, `${explained.peer} ${explained.code} ${explained.tcpInfo?.state ?? null}`];
    });
    expect(Object.fromEntries(fates)).toEqual({
      'one address': 'unreachable ETIMEDOUT null',
      'several addresses': 'unreachable ETIMEDOUT null',
      idle: 'vanished ETIMEDOUT ESTABLISHED',
      'data in flight': 'vanished ETIMEDOUT ESTABLISHED',
      reset: 'reset ECONNRESET CLOSED',
      'reset after its FIN': 'reset EPIPE CLOSED',
    });
    const place = { syscall: 'connect', address: '127.0.0.1', port: 9_000 };
    expect(report['one address']?.json).toMatchObject(place);
    expect(report['several addresses']?.text).toMatch(/^AggregateError/);
    for (const name of ['idle', 'data in flight']) {
      const { json, text, explained } = report[name] as Failure;
      const { silence, unanswered } = json.deadPeer as DeadPeerDetails;
      expect(json).toMatchObject({
        code: 'ETIMEDOUT',
        syscall: 'read',
        deadPeer: { timeout: 4_000 },
      });
      expect(unanswered, name).toBeGreaterThanOrEqual(3);
      const seconds = (silence / 1_000).toFixed(1);
      expect(text).toContain(
        `for ${seconds} s, and it did not answer ${unanswered} segments in a row`,
      );
      expect(explained.message).toContain(
        `Nothing came from the peer for ${seconds} s, and it did not answer ${unanswered} segments in a row`,
      );
      // It is known that the peer did not answer.
      expect(explained.message).not.toContain('may also be alive');
      expect(explained.tcpInfo).toEqual(json.tcpInfo);
    }
    expect(report.idle?.explained.message).toMatch(/Unanswered probes: \d|unanswered probes: \d/);
    expect(report['data in flight']?.explained.message).toMatch(/unacknowledged bytes: [12]\./);
  });
});

describe('errors as objects', () => {
  const error = (code: string, more = {}) => Object.assign(new Error('x'), { code, ...more });

  test.each([
    ['EHOSTDOWN', 'unreachable'],
    ['ENETDOWN', 'unreachable'],
    ['ENONET', 'unreachable'],
    ['EPROTO', 'ended here'],
    ['EPERM', 'ended here'],
    ['EBADF', 'ended here'],
    ['ENOBUFS', 'ended here'],
    ['ENOTCONN', 'unknown'],
    ['UND_ERR_CONNECT_TIMEOUT', 'unreachable'],
    ['UND_ERR_HEADERS_TIMEOUT', 'unknown'],
    ['UND_ERR_BODY_TIMEOUT', 'unknown'],
    ['ERR_SOCKET_CONNECTION_TIMEOUT', 'unreachable'],
    ['ERR_PEER_SUPERSEDED', 'ended here'],
    ['ENOTFOUND', 'unreachable'],
  ] as const)('%s is %s', (code, peer) => {
    expectFate(error(code), peer, code, /^(?!This error says nothing).{20}/);
  });

  test("a code of another system call is 'unknown'", () => {
    for (const syscall of ['open', 'setsockopt', 'getsockopt', 'socket']) {
      expectFate(error('EACCES', { syscall }), 'unknown', 'EACCES', /says nothing/);
    }
    const refused = new SocketOptionError('ENOPROTOOPT', { code: 'ENOPROTOOPT' });
    expectFate(refused, 'unknown', 'ENOPROTOOPT', /says nothing/);
    expectFate(error('ENOPROTOOPT', { syscall: 'connect' }), 'unreachable', 'ENOPROTOOPT', /ICMP/);
  });

  test.each([
    ['ECONNREFUSED', 'refused', /no program listens on it/],
    ['ENOENT', 'refused', /path does not exist/],
    ['EACCES', 'ended here', /permission/],
  ] as const)(
    '%s of a path is %s, and the message names no machine or port',
    (code, peer, text) => {
      const details = { syscall: 'connect', address: '/run/x.sock' };
      expectFate(error(code, details), peer, code, text);
      const { message } = explainDisconnect(error(code, details));
      expect(message).not.toMatch(/machine|port|firewall/);
    },
  );

  test("a missing Unix socket, and a path that is no socket, are 'refused'", async (context) => {
    onLinux('errors of its kernel')(context);
    for (const path of [join(tmpdir(), 'socket-options-nobody.sock'), __filename]) {
      const [thrown] = await once(net.connect(path), 'error');
      expect(explainDisconnect(thrown)).toMatchObject({ peer: 'refused' });
    }
  });

  test('reads wrapped, circular, endless and throwing errors once, within limits', () => {
    const reset = error('ECONNRESET', { syscall: 'read' });
    expectFate(
      new Error('query failed', { cause: reset }),
      'reset',
      'ECONNRESET',
      /no longer knows/,
    );
    // A wrapper that copied the code, but not the system call.
    const connecting = error('ETIMEDOUT', { syscall: 'connect' });
    const wrapper = error('ETIMEDOUT', { cause: connecting });
    expectFate(wrapper, 'unreachable', 'ETIMEDOUT', /attempt to connect/);
    const nested = new AggregateError([new AggregateError([new Error('x', { cause: reset })])]);
    expectFate(nested, 'reset', 'ECONNRESET', /no longer knows/);

    const circle = new AggregateError([], 'x') as AggregateError & { cause?: unknown };
    circle.cause = circle;
    circle.errors.push(circle);
    expectFate(circle, 'unknown', null, /says nothing/);
    let deep: Error = reset;
    for (let depth = 0; depth < 1_000; depth++) deep = new Error('x', { cause: deep });
    expectFate(deep, 'unknown', null, /says nothing/);
    const many = new AggregateError(Array.from({ length: 100_000 }, () => new Error('x')));
    expectFate(many, 'unknown', null, /says nothing/);

    const throwing = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('mine');
      },
    });
    expectFate(throwing, 'unknown', null, /says nothing/);
    let reads = 0;
    const once = {
      get code() {
        return reads++ === 0 ? 'ECONNRESET' : 'ECONNREFUSED';
      },
    };
    expectFate(once as never, 'reset', 'ECONNRESET', /no longer knows/);
    expect(reads).toBe(1);
    for (const death of ['vanished', null, 5, throwing]) {
      expectFate(error('EPIPE', { death }), 'closed', 'EPIPE', /already closed/);
    }
  });

  test('reads `deadPeer` and `tcpInfo` only if they have the members of this package', () => {
    const details = { timeout: 5_000, silence: 5_100, unanswered: 4 };
    const foreign = (more: object) =>
      Object.assign(new Error('x'), { code: 'ECONNRESET', syscall: 'read', ...more });
    for (const tcpInfo of [null, 'x', {}, { probes: 'many' }]) {
      expect(explainDisconnect(foreign({ tcpInfo }))).toMatchObject({
        peer: 'reset',
        tcpInfo: null,
      });
    }
    for (const deadPeer of [null, 'x', {}, { ...details, silence: 'long' }]) {
      expect(explainDisconnect(foreign({ deadPeer })).peer).toBe('reset');
    }
    expect(explainDisconnect(foreign({ deadPeer: details }))).toMatchObject({
      ...{ peer: 'vanished', tcpInfo: null },
      message: expect.stringMatching(/for 5\.1 s, and it did not answer 4 segments in a row/),
    });
  });
});
