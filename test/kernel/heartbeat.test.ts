// Heartbeats on real sockets: arguments, cleanup, and the kernel's information on a suspect.

import { execFile } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Heartbeat, type HeartbeatOptions, HeartbeatTimeoutError } from '../../dist/heartbeat.js';
import { explainDisconnect, SocketOptionError } from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { listen, REFUSING_PORT, withPair } from '../support/net';
import { onLinux } from '../support/platform';

const quick = { interval: 100, timeout: 300 };

describe('arguments', () => {
  const attempt = (options: unknown, socket: unknown = new PassThrough()) => {
    try {
      new Heartbeat(socket as Duplex, options as HeartbeatOptions).close();
    } catch (error) {
      const { name, code, message } = error as NodeJS.ErrnoException;
      return `${name} ${code}: ${message}`;
    }
    return 'taken';
  };

  test.each([
    [
      undefined,
      /TypeError ERR_INVALID_ARG_TYPE: The "options" argument must be an object with any of interval, timeout, send/,
    ],
    [{}, /"options.interval" argument must be a number of milliseconds. Received undefined/],
    [
      { interval: '30000' },
      /ERR_INVALID_ARG_TYPE: The "options.interval" argument must be a number of milliseconds. Received type string \('30000'\)/,
    ],
    [
      { interval: Number.NaN },
      /RangeError ERR_OUT_OF_RANGE.*"options.interval".*>= 50 and <= 2147483647 ms. Received NaN/,
    ],
    [{ interval: 49 }, /ERR_OUT_OF_RANGE/],
    [{ interval: 2 ** 31 }, /ERR_OUT_OF_RANGE/],
    [
      { interval: 1_000, timeout: 1_000 },
      /ERR_OUT_OF_RANGE.*"options.timeout".*> 1000 ms, the interval. Received 1000/,
    ],
    [{ interval: 1_000, timeout: '2000' }, /ERR_INVALID_ARG_TYPE.*options.timeout/],
    [{ interval: 1_000, timeout: Number.POSITIVE_INFINITY }, /ERR_OUT_OF_RANGE/],
    [
      { interval: 1_000, timeout: null },
      /ERR_INVALID_ARG_VALUE.*options.timeout.*must not be null without `send`/,
    ],
    [{ interval: 1_000, send: '' }, /ERR_INVALID_ARG_VALUE.*options.send.*must not be empty/],
    [{ interval: 1_000, send: 5 }, /ERR_INVALID_ARG_TYPE.*a Buffer, a string or a function/],
    [{ interval: 1_000, isAlive: true }, /ERR_INVALID_ARG_TYPE.*options.isAlive/],
    [{ interval: 1_000, onDead: 'log' }, /ERR_INVALID_ARG_TYPE.*options.onDead/],
    [{ interval: 1_000, signal: {} }, /ERR_INVALID_ARG_TYPE.*an AbortSignal/],
    [{ interval: 1_000, signal: null }, /ERR_INVALID_ARG_TYPE.*an AbortSignal/],
    [{ interval: 1_000, signal: { aborted: false } }, /ERR_INVALID_ARG_TYPE.*an AbortSignal/],
    [
      { interval: 1_000, pong: 'x' },
      /ERR_INVALID_ARG_VALUE.*unknown option "pong" \(known: interval, /,
    ],
  ])('rejects %j', (options, message) => {
    const socket = new PassThrough();
    expect(attempt(options, socket)).toMatch(message);
    expect(socket.listenerCount('close')).toBe(0);
    expect(Object.hasOwn(socket, 'push')).toBe(false);
  });

  test.each([null, undefined, 7, 'socket', {}, net.createServer(), Object.create(null)])(
    'rejects %s as a socket',
    (socket) => {
      expect(attempt({ interval: 1_000 }, socket ?? null)).toMatch(
        /TypeError ERR_INVALID_ARG_TYPE: The "socket" argument must be a net.Socket, a tls.TLSSocket or another stream.Duplex/,
      );
    },
  );

  test('throws ERR_SOCKET_CLOSED for a destroyed socket', () => {
    const socket = new net.Socket();
    socket.destroy();
    expect(() => new Heartbeat(socket, quick)).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_CLOSED', constructor: SocketOptionError }),
    );
  });

  test('reads each option once', () => {
    const values = {
      ...{ interval: 1_000, timeout: 3_000, send: 'ping', isAlive: () => true, onDead: () => {} },
      signal: new AbortController().signal,
    };
    const read: string[] = [];
    const options = new Proxy(values, {
      get: (target, name) => {
        read.push(String(name));
        return Reflect.get(target, name);
      },
    });
    const heartbeat = new Heartbeat(new PassThrough(), options);
    heartbeat.close();
    expect(read.sort()).toEqual(Object.keys(values).sort());
    expect([heartbeat.interval, heartbeat.timeout]).toEqual([1_000, 3_000]);
  });

  test('socket, interval and timeout cannot be reassigned', () => {
    const socket = new PassThrough();
    const heartbeat = new Heartbeat(socket, { interval: 1_000, timeout: 3_000 });
    Reflect.set(heartbeat, 'socket', new PassThrough());
    Reflect.set(heartbeat, 'timeout', 5);
    Reflect.set(heartbeat, 'interval', 5);
    heartbeat.close();
    const { interval, timeout } = heartbeat;
    expect([heartbeat.socket === socket, interval, timeout]).toEqual([true, 1_000, 3_000]);
  });

  test('the default timeout of the longest interval is capped at 2147483647 ms', () => {
    const heartbeat = new Heartbeat(new PassThrough(), {
      interval: 2_147_483_647,
      timeout: undefined,
    });
    expect(heartbeat.timeout).toBe(2_147_483_647);
    heartbeat.close();
  });
});

describe.concurrent('cleanup', () => {
  const traces = (socket: Duplex) => ({
    close: socket.listenerCount('close'),
    all: socket.eventNames().map((name) => [name, socket.listenerCount(name)]),
    push: Object.hasOwn(socket, 'push'),
  });

  test('close() removes all listeners and the replaced push(), and may be called twice', async () => {
    await withPair(async ({ client, accepted }) => {
      accepted.on('data', () => accepted.write('pong'));
      client.resume();
      const before = traces(client);
      const heartbeat = new Heartbeat(client, { ...quick, send: 'ping' });
      expect(traces(client).close).toBe(before.close + 1);
      await once(heartbeat, 'beat');
      heartbeat.close();
      heartbeat.close();
      expect(traces(client)).toEqual(before);
      let told = 0;
      for (const event of ['beat', 'late', 'dead'] as const) heartbeat.on(event, () => told++);
      heartbeat.beat();
      await sleep(400);
      expect(told).toBe(0);
      expect(client.destroyed).toBe(false);
      expect(heartbeat.ref().unref().closed).toBe(true);
    });
  });

  test.each(['the peer closes it', 'it is destroyed', 'it fails'])(
    'closes the heartbeat of a socket if %s',
    async (way) => {
      await withPair(async ({ client, accepted }) => {
        client.resume();
        const before = traces(client);
        const heartbeat = new Heartbeat(client, { ...quick, isAlive: () => true });
        let dead = 0;
        heartbeat.on('dead', () => dead++);
        if (way === 'the peer closes it') accepted.end();
        else client.destroy(way === 'it fails' ? new Error('failed') : undefined);
        // once() would reject on 'error'.
        await new Promise((resolve) => client.on('close', resolve));
        expect(heartbeat.closed).toBe(true);
        // A net.Socket also removes its own listeners.
        expect(traces(client).close).toBeLessThanOrEqual(before.close + 1);
        expect(traces(client).push).toBe(false);
        await sleep(400);
        expect(dead).toBe(0);
      });
    },
  );

  test('using and an aborted signal close the heartbeat', async () => {
    await withPair(async ({ client }) => {
      const before = traces(client);
      let inside: Heartbeat;
      {
        using heartbeat = new Heartbeat(client, quick);
        inside = heartbeat;
        expect(inside.closed).toBe(false);
      }
      expect(inside.closed).toBe(true);
      const abort = new AbortController();
      const { signal } = abort;
      const heartbeat = new Heartbeat(client, { ...quick, signal });
      abort.abort();
      expect(heartbeat.closed).toBe(true);
      expect(new Heartbeat(client, { ...quick, isAlive: () => true, signal }).closed).toBe(true);
      // After close() of one of two with the same signal, the other one still follows it.
      const both = new AbortController();
      const shared = { ...quick, signal: both.signal };
      const [one, other] = [new Heartbeat(client, shared), new Heartbeat(client, shared)];
      one.close();
      both.abort();
      expect(other.closed).toBe(true);
      expect(traces(client)).toEqual(before);
      expect(client.destroyed).toBe(false);
    });
  });

  test('100 heartbeats share one signal without a warning about listeners', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    const made = Array.from(
      { length: 100 },
      () => new Heartbeat(new PassThrough(), { ...quick, signal }),
    );
    await sleep(10);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    for (const heartbeat of made) heartbeat.close();
  });

  test.each([
    [
      'a signal that cannot be listened to',
      () => ({
        signal: {
          aborted: false,
          addEventListener: () => {
            throw new Error('refused');
          },
          removeEventListener: () => {},
        },
      }),
    ],
    [
      'a stream whose listeners are refused',
      (stream: Duplex) => {
        stream.on('newListener', () => {
          throw new Error('refused');
        });
        return {};
      },
    ],
    [
      'a stream whose push() cannot be replaced',
      (stream: Duplex) => {
        Object.defineProperty(stream, 'push', { get: () => Duplex.prototype.push });
        return {};
      },
    ],
  ])(
    'a constructor that fails with %s leaves no listener and no replaced push()',
    (_what, prepare) => {
      const stream = new PassThrough();
      const { signal } = new AbortController();
      const options = { ...quick, signal, ...prepare(stream) } as HeartbeatOptions;
      const before = traces(stream);
      expect(() => new Heartbeat(stream, options)).toThrow();
      expect(traces(stream)).toEqual(before);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    },
  );

  test('1000 heartbeats on one socket add one close listener and cause no warning', async () => {
    await withPair(async ({ client }) => {
      const warnings: Error[] = [];
      const onWarning = (warning: Error) => warnings.push(warning);
      process.on('warning', onWarning);
      const before = traces(client);
      const options = { ...quick, timeout: 60_000, isAlive: false } as const;
      const made = Array.from({ length: 1_000 }, () => new Heartbeat(client, options));
      expect(traces(client).close).toBe(before.close + 1);
      for (const heartbeat of made.slice(0, 500)) heartbeat.close();
      expect(traces(client).close).toBe(before.close + 1);
      client.destroy();
      await new Promise((resolve) => client.on('close', resolve));
      await sleep(10);
      process.off('warning', onWarning);
      expect(made.every(({ closed }) => closed)).toBe(true);
      expect(traces(client).close).toBeLessThanOrEqual(before.close + 1);
      expect(warnings).toEqual([]);
    });
  });

  test('close() keeps a push() that other code has put over the replaced one', async () => {
    await withPair(async ({ client, accepted }) => {
      client.resume();
      let asked = 0;
      const isAlive = () => ++asked > 0;
      const heartbeat = new Heartbeat(client, { ...quick, isAlive });
      const under = client.push;
      let seen = 0;
      client.push = function push(this: net.Socket, ...args) {
        seen++;
        return under.apply(this, args);
      };
      accepted.write('x');
      await once(heartbeat, 'beat');
      heartbeat.close();
      accepted.write('y');
      await once(client, 'data');
      expect(seen).toBe(2);
      expect(asked).toBe(1);
    });
  });
});

describe.concurrent('the process', () => {
  const run = promisify(execFile);
  const entryPoint = JSON.stringify(join(__dirname, '../../dist/heartbeat.js'));
  const program = (code: string) =>
    run(process.execPath, [
      '-e',
      `const { PassThrough } = require('node:stream');
       const { Heartbeat } = require(${entryPoint});
       const start = performance.now();
       process.on('exit', () => console.log(Math.round(performance.now() - start)));
       ${code}`,
    ]).then(({ stdout }) => stdout.trim().split('\n'));

  test('ends although a heartbeat is open', async () => {
    const [ended] = await program(`new Heartbeat(new PassThrough(), { interval: 5_000 });`);
    expect(Number(ended)).toBeLessThan(2_000);
  });

  test('stays alive until the last heartbeat with ref() is closed', async () => {
    const output = await program(`
      const stream = new PassThrough();
      stream.resume().on('error', (error) => console.log(error.code));
      new Heartbeat(stream, { interval: 300, timeout: 600 }).ref();
      const other = new Heartbeat(new PassThrough().resume(), { interval: 60_000 }).ref().ref();
      other.unref();
      new Heartbeat(new PassThrough().resume(), { interval: 60_000 });`);
    expect(output[0]).toBe('ETIMEDOUT');
    expect(Number(output[1])).toBeGreaterThanOrEqual(600);
    expect(Number(output[1])).toBeLessThan(5_000);
  });

  test('ends with HeartbeatTimeoutError if the stream has no error listener', async () => {
    const failed = program(
      `new Heartbeat(new PassThrough().resume(), { interval: 100, timeout: 200 }).ref();`,
    );
    await expect(failed).rejects.toThrow(
      /HeartbeatTimeoutError: ETIMEDOUT: no sign of life for 0.2 s/,
    );
  });
});

describe.concurrent('the send option', () => {
  const changes: [string, (bytes: Uint8Array<ArrayBuffer>) => void][] = [
    ['changes', (bytes) => void bytes.fill(33)],
    ['transfers', ({ buffer }) => void structuredClone(buffer, { transfer: [buffer] })],
    ['shortens', ({ buffer }) => (buffer as unknown as { resize(to: number): void }).resize(0)],
  ];

  test.each(changes)('is copied: the caller %s the bytes after the call', async (_how, change) => {
    await withPair(async ({ client, accepted }) => {
      // Node 20 has it, but @types/node does not.
      const Resizable = ArrayBuffer as unknown as new (
        length: number,
        options: object,
      ) => ArrayBuffer;
      const bytes = new Uint8Array(new Resizable(4, { maxByteLength: 4 }));
      bytes.set(Buffer.from('PING'));
      new Heartbeat(client.resume(), { ...quick, timeout: null, send: bytes });
      change(bytes);
      const [chunk] = await once(accepted, 'data');
      expect(String(chunk)).toBe('PING');
    });
  });

  test('is copied for each ping: a stream that overwrites a chunk changes no later ping', async () => {
    const written: string[] = [];
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        written.push(String(chunk));
        chunk.fill(0);
        done();
      },
    });
    const heartbeat = new Heartbeat(stream, { ...quick, timeout: null, send: 'PING' });
    while (written.length < 3) await sleep(10);
    heartbeat.close();
    expect(new Set(written)).toEqual(new Set(['PING']));
  });

  test('rejects a detached array and an object that only inherits from Uint8Array', () => {
    const bytes = new Uint8Array(4);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(() => new Heartbeat(new PassThrough(), { ...quick, send: bytes })).toThrow(
      /options.send.*must not be empty/,
    );
    const forged = Object.create(Uint8Array.prototype);
    expect(() => new Heartbeat(new PassThrough(), { ...quick, send: forged })).toThrow(
      /options.send.*a Buffer, a string or a function/,
    );
  });
});

describe.concurrent('a suspect', () => {
  test('is reported as silent if its kernel still acknowledges data', async ({ skip }) => {
    onLinux('what the kernel tells of a suspect')({ skip });
    await withPair(async ({ client, accepted }) => {
      accepted.resume();
      client.resume();
      const heartbeat = new Heartbeat(client, { ...quick, send: 'ping' });
      const [[death], [error]] = await Promise.all([
        once(heartbeat, 'dead'),
        once(client, 'error'),
      ]);
      expect(death).toMatchObject({
        reason: 'silent',
        state: 'ESTABLISHED',
        bytesInFlight: 0,
        unsentBytes: 0,
      });
      expect(death.timeSinceLastDataReceived).toBeNull();
      expect(death.timeSinceLastAckReceived).toBeLessThan(300);
      expect(death.unansweredPings).toBeGreaterThanOrEqual(2);
      expect(error).toBeInstanceOf(HeartbeatTimeoutError);
      expect(error.message).toMatch(
        /its system still acknowledges what is sent, its program says nothing/,
      );
      expect(explainDisconnect(error)).toMatchObject({ peer: 'silent', code: 'ETIMEDOUT' });
    });
  });

  test('is alive while a TLS record is incomplete', async ({ skip }) => {
    onLinux('what the kernel tells of a suspect')({ skip });
    const server = tls.createServer(certificate());
    const port = await listen(server);
    // Forwards the data of the server slowly: a TLS record takes longer than the timeout.
    const relay = net.createServer((near) => {
      const far = net.connect(port, '127.0.0.1');
      near.pipe(far);
      let queue = Buffer.alloc(0);
      let slow = false;
      far.on('data', (chunk) => {
        if (chunk.length > 5_000) slow = true;
        if (!slow) near.write(chunk);
        else queue = Buffer.concat([queue, chunk]);
      });
      const timer = setInterval(() => {
        near.write(queue.subarray(0, 100));
        queue = queue.subarray(100);
      }, 20);
      near.on('close', () => clearInterval(timer)).on('error', () => {});
      far.on('error', () => {});
    });
    const relayPort = await listen(relay);
    const client = tls.connect({ port: relayPort, host: '127.0.0.1', rejectUnauthorized: false });
    const [[accepted]] = (await Promise.all([
      once(server, 'secureConnection'),
      once(client, 'secureConnect'),
    ])) as [[tls.TLSSocket], unknown];
    client.resume().on('error', () => {});
    accepted.on('error', () => {});
    const heartbeat = new Heartbeat(client, { interval: 100, timeout: 200 });
    let dead = 0;
    heartbeat.on('dead', () => dead++);
    accepted.write(Buffer.alloc(15_000));
    await sleep(1_200);
    expect(client.bytesRead).toBe(0);
    expect(dead).toBe(0);
    client.destroy();
    accepted.destroy();
    server.close();
    relay.close();
  });

  test('is alive if the kernel holds data that this program has not read', async ({ skip }) => {
    onLinux('what the kernel tells of a suspect')({ skip });
    const server = net.createServer({ pauseOnConnect: true });
    const port = await listen(server);
    const client = net.connect(port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    client.on('error', () => {});
    const heartbeat = new Heartbeat(accepted, quick);
    const timer = setInterval(() => client.write('x'), 50);
    let dead = 0;
    heartbeat.on('dead', () => dead++);
    await sleep(1_000);
    expect(accepted.bytesRead).toBe(0);
    expect(dead).toBe(0);
    clearInterval(timer);
    client.destroy();
    accepted.destroy();
    server.close();
  });
});

// Not concurrent, because it blocks the event loop.
test('reads all pending data of a suspect before the verdict, also after a blocked event loop', async () => {
  await withPair(async ({ client, accepted }) => {
    client.resume();
    const heartbeat = new Heartbeat(client, quick);
    let dead = 0;
    heartbeat.on('dead', () => dead++);
    for (let i = 0; i < 8; i++) {
      accepted.write('x');
      await sleep(20);
      const end = performance.now() + 450;
      while (performance.now() < end);
      await sleep(1);
    }
    expect(dead).toBe(0);
    await sleep(600);
    expect(dead).toBe(1);
  });
});

describe.concurrent('kinds of streams', () => {
  test('TLS: measures the round trip of three answers, then ends the silent connection', async () => {
    const server = tls.createServer(certificate());
    const port = await listen(server);
    const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const [accepted] = (await once(server, 'secureConnection')) as [tls.TLSSocket];
    accepted.on('error', () => {});
    let answers = 3;
    accepted.on('data', () => answers-- > 0 && accepted.write('pong'));
    client.resume();
    const heartbeat = new Heartbeat(client, { ...quick, send: 'ping' });
    const rtts: (number | null)[] = [];
    heartbeat.on('beat', ({ rtt }) => rtts.push(rtt));
    const [error] = await once(client, 'error');
    expect(error.code).toBe('ETIMEDOUT');
    const measured = rtts.filter((rtt) => rtt !== null);
    expect(measured).toHaveLength(3);
    for (const rtt of measured) expect(rtt).toBeLessThan(100);
    accepted.destroy();
    server.close();
  });

  test('TLS over a stream that is no socket: measures the round trip, and the reason is unknown', async () => {
    const server = tls.createServer(certificate());
    const port = await listen(server);
    const below = net.connect(port, '127.0.0.1');
    const over = new Duplex({
      read() {},
      write: (chunk, _encoding, done) => void below.write(chunk, done),
    });
    below.on('data', (chunk) => over.push(chunk));
    const client = tls.connect({ socket: over, rejectUnauthorized: false });
    const [accepted] = (await once(server, 'secureConnection')) as [tls.TLSSocket];
    for (const stream of [below, accepted, over]) stream.on('error', () => {});
    accepted.on('data', () => accepted.write('pong'));
    client.resume();
    const heartbeat = new Heartbeat(client, { ...quick, send: 'ping' });
    const [{ rtt }] = await once(heartbeat, 'beat');
    expect(rtt).toBeGreaterThan(0);
    accepted.removeAllListeners('data');
    const [[death], [error]] = await Promise.all([once(heartbeat, 'dead'), once(client, 'error')]);
    expect(death.reason).toBe('unknown');
    expect(error.code).toBe('ETIMEDOUT');
    below.destroy();
    accepted.destroy();
    server.close();
  });

  test.each(['for await', 'readable', 'data'])(
    'the program that reads by %s gets every byte',
    async (way) => {
      await withPair(async ({ client, accepted }) => {
        const heartbeat = new Heartbeat(client, { ...quick, send: 'ping', isAlive: () => true });
        const sent: string[] = [];
        let read = '';
        const timer = setInterval(() => {
          sent.push(`${sent.length};`);
          accepted.write(sent.at(-1) as string);
        }, 20);
        if (way === 'data') client.on('data', (chunk) => (read += chunk));
        if (way === 'readable') client.on('readable', () => (read += client.read() ?? ''));
        const reading =
          way === 'for await' &&
          (async () => {
            for await (const chunk of client) read += chunk;
          })();
        await sleep(700);
        clearInterval(timer);
        accepted.end();
        await once(client, 'end');
        await reading;
        expect(read).toBe(sent.join(''));
        expect(sent.length).toBeGreaterThan(10);
        heartbeat.close();
      });
    },
  );

  test('the heartbeat of a connecting socket starts when it is connected', async () => {
    const server = net.createServer((socket) => socket.on('error', () => {}));
    const port = await listen(server);
    const socket = net.connect({ port, host: 'localhost', family: 4 });
    socket.resume().on('error', () => {});
    const heartbeat = new Heartbeat(socket, { ...quick, send: 'ping' });
    expect(socket.connecting).toBe(true);
    await once(heartbeat, 'dead');
    expect(heartbeat.pings).toBeGreaterThanOrEqual(2);
    server.close();
  });

  test('a refused connection fails with ECONNREFUSED and closes its heartbeat', async () => {
    const socket = net.connect(REFUSING_PORT, '127.0.0.1');
    const heartbeat = new Heartbeat(socket, quick);
    const [error] = await once(socket, 'error');
    expect(error.code).toBe('ECONNREFUSED');
    await once(socket, 'close');
    expect(heartbeat.closed).toBe(true);
  });
});

test('with isAlive, bytes that bypass push() (the onread option) keep the peer alive', async () => {
  const server = net.createServer((peer) => {
    const timer = setInterval(() => peer.write('x'), 20);
    peer.on('error', () => {}).on('close', () => clearInterval(timer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect({
    ...{ port, host: '127.0.0.1' },
    onread: { buffer: Buffer.alloc(64), callback: () => true },
  });
  await once(client, 'connect');
  let deaths = 0;
  const heartbeat = new Heartbeat(client, { interval: 200, timeout: 600, isAlive: () => true });
  heartbeat.on('dead', () => deaths++);
  const until = client.bytesRead + 60;
  while (client.bytesRead < until && !client.destroyed)
    await new Promise((done) => setTimeout(done, 20));
  expect([deaths, client.destroyed]).toEqual([0, false]);
  heartbeat.close();
  client.destroy();
  server.close();
});

describe('a peer that ended its side', () => {
  test('is not dead while the program still reads what it sent before', async () => {
    await withPair(async ({ client, accepted }) => {
      using _ = new Heartbeat(accepted, { ...quick, send: 'ping' });
      client.resume();
      client.write('one');
      const received: string[] = [];
      for await (const chunk of accepted) {
        received.push(String(chunk));
        if (received.length > 1) break;
        client.end('two');
        // The program works for longer than the timeout before it reads on.
        await sleep(2 * quick.timeout);
      }
      expect(received).toEqual(['one', 'two']);
    });
  });
});
