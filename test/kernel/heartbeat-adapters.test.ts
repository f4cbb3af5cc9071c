// The adapters of docs/heartbeats.md, and its server of many devices, as they stand there, over real
// connections. Silence is measured at the other end, or from what it sent last.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { Heartbeat, type HeartbeatOptions, type PeerDeath } from '../../dist/heartbeat.js';
import { examplesOf } from '../support/docs';
import { type Pair, withPair } from '../support/net';
import { onLinux } from '../support/platform';

type Rhythm = Pick<HeartbeatOptions, 'interval' | 'timeout' | 'isAlive'>;

interface Adapters {
  watchLines(socket: net.Socket, rhythm: Rhythm, onLine: (line: string) => void): Heartbeat;
  watchFrames(socket: net.Socket, rhythm: Rhythm, onFrame: (frame: Buffer) => void): Heartbeat;
  keepMqttAlive(socket: net.Socket, keepAlive: number): Heartbeat | null;
  watchMqttClient(socket: net.Socket, keepAlive: number): Heartbeat | null;
  keepAmqpAlive(socket: net.Socket, heartbeat: number): Heartbeat | null;
}

const folder = mkdtempSync(join(tmpdir(), 'socket-options-adapters-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The example that has these words, as a file. */
function fileOf(words: string): string {
  const found = examplesOf('docs/heartbeats.md').filter((code) => code.includes(words));
  expect(found, words).toHaveLength(1);
  const file = join(folder, `${words.replaceAll(/\W/g, '')}.mjs`);
  writeFileSync(file, found[0] as string);
  return file;
}

let adapters: Adapters;
beforeAll(async () => {
  const names = ['watchLines', 'watchFrames', 'keepMqttAlive', 'keepAmqpAlive'];
  const files = names.map((name) => pathToFileURL(fileOf(`function ${name}(`)).href);
  adapters = Object.assign({}, ...(await Promise.all(files.map((file) => import(file)))));
});

const RHYTHM = { interval: 200, timeout: 500 };
/** Several times longer than any timeout here. */
const LONG = 1_600;
/** Tolerance for a busy machine. */
const SLACK = 500;

/** How late a death may be noticed, for that reason alone. */
function latest({ interval, timeout }: Heartbeat): number {
  const patience = timeout ?? Number.POSITIVE_INFINITY;
  return patience + Math.min(interval, patience - interval) / 8 + 40;
}

interface Seen {
  readonly rtts: (number | null)[];
  readonly deaths: PeerDeath[];
}

function record(heartbeat: Heartbeat): Seen {
  const seen: Seen = { rtts: [], deaths: [] };
  heartbeat.on('beat', ({ rtt }) => seen.rtts.push(rtt));
  heartbeat.on('dead', (death) => seen.deaths.push(death));
  return seen;
}

/** Waits for the death of a peer that fell silent at `since`, and holds it to the promise. */
async function expectDeath(heartbeat: Heartbeat, since: number): Promise<PeerDeath> {
  const error = once(heartbeat.socket, 'error');
  const [death] = (await once(heartbeat, 'dead')) as [PeerDeath];
  const after = performance.now() - since;
  expect(after).toBeGreaterThanOrEqual(heartbeat.timeout ?? 0);
  expect(after).toBeLessThan(latest(heartbeat) + SLACK);
  expect(await error).toEqual([expect.objectContaining({ code: 'ETIMEDOUT', death })]);
  expect(heartbeat.socket.destroyed).toBe(true);
  return death;
}

/** The received chunks and their times. */
function arrivals(socket: net.Socket): { at: number; bytes: Buffer }[] {
  const list: { at: number; bytes: Buffer }[] = [];
  socket.on('data', (bytes) => list.push({ at: performance.now(), bytes }));
  return list;
}

function textOf(list: readonly { bytes: Buffer }[], encoding?: BufferEncoding): string {
  return Buffer.concat(list.map(({ bytes }) => bytes)).toString(encoding);
}

function longestGap(list: readonly { at: number }[], since: number): number {
  const times = [since, ...list.map(({ at }) => at), performance.now()];
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] as number)));
}

/** When a timer of this process was late, and by how much: other programs need the processor too. */
const delays: { at: number; by: number }[] = [];
let lastTick = performance.now();
const clock = setInterval(() => {
  const at = performance.now();
  delays.push({ at, by: at - lastTick - 10 });
  lastTick = at;
}, 10);
afterAll(() => clearInterval(clock));

function longestDelay(since: number): number {
  return Math.max(0, ...delays.filter(({ at }) => at >= since).map(({ by }) => by));
}

describe.concurrent('lines', () => {
  type Ends = Pair & { heartbeat: Heartbeat; since: number; lines: string[] };
  const pair = (use: (ends: Ends) => Promise<void>) =>
    withPair(async (ends) => {
      const lines: string[] = [];
      const since = performance.now();
      const heartbeat = adapters.watchLines(ends.client, RHYTHM, (line) => lines.push(line));
      await use({ ...ends, heartbeat, since, lines });
    });

  test('measures the answers of a peer until it hangs, then reports it as dead', () =>
    pair(async ({ accepted, heartbeat }) => {
      const seen = record(heartbeat);
      const asked = arrivals(accepted);
      let answered = 0;
      const answer = () => {
        accepted.write('PONG\n');
        answered = performance.now();
      };
      accepted.on('data', answer);
      await sleep(LONG);
      expect(textOf(asked)).toMatch(/^(PING\n){4,9}$/);
      expect(seen.deaths).toEqual([]);
      expect(seen.rtts.length).toBeGreaterThanOrEqual(4);
      for (const rtt of seen.rtts) expect(rtt).toBeGreaterThan(0);
      expect(Math.min(...(seen.rtts as number[]))).toBeLessThan(50);
      accepted.off('data', answer);
      const { unansweredPings, reason } = await expectDeath(heartbeat, answered);
      expect(unansweredPings).toBeGreaterThanOrEqual(1);
      expect(reason).not.toBe('vanished');
    }));

  test('works on both sides of a connection', () =>
    pair(async ({ accepted, heartbeat }) => {
      const other = adapters.watchLines(accepted, RHYTHM, () => {});
      const seen = [record(heartbeat), record(other)];
      await sleep(LONG);
      for (const { deaths, rtts } of seen) {
        expect(deaths).toEqual([]);
        expect(rtts.length).toBeGreaterThanOrEqual(4);
      }
    }));

  test('an answer in two chunks counts when its second half arrives', () =>
    pair(async ({ accepted, heartbeat, lines }) => {
      const seen = record(heartbeat);
      accepted.setNoDelay(true).on('data', async () => {
        accepted.write('PO');
        await sleep(100);
        if (accepted.writable) accepted.write('NG\n');
      });
      await sleep(LONG);
      expect(seen.deaths).toEqual([]);
      expect(seen.rtts.length).toBeGreaterThanOrEqual(3);
      for (const rtt of seen.rtts) expect(rtt).toBeGreaterThanOrEqual(95);
      expect(lines).toEqual([]);
    }));

  test('half an answer, repeated, does not count', () =>
    pair(async ({ accepted, heartbeat, since }) => {
      accepted.on('data', () => accepted.write('PO'));
      await expectDeath(heartbeat, since);
      expect(heartbeat.rtt).toBe(null);
    }));

  test('finds an answer among other lines of a chunk', () =>
    pair(async ({ accepted, heartbeat, lines }) => {
      const seen = record(heartbeat);
      accepted.on('data', () => accepted.write('one\nPONG\ntwo\nthr'));
      await sleep(LONG);
      expect(seen.deaths).toEqual([]);
      expect(seen.rtts.length).toBeGreaterThanOrEqual(4);
      for (const rtt of seen.rtts) expect(rtt).toBeGreaterThan(0);
      expect(lines.slice(0, 4)).toEqual(['one', 'two', 'throne', 'two']);
    }));

  test('lines without a ping keep both sides alive', () =>
    pair(async ({ accepted, client, heartbeat, lines }) => {
      const seen = record(heartbeat);
      const both = setInterval(() => {
        accepted.write('news\n');
        client.write('more\n');
      }, 60);
      await sleep(LONG);
      clearInterval(both);
      expect(seen.deaths).toEqual([]);
      expect(lines.length).toBeGreaterThan(10);
    }));

  test("a program that hangs is 'silent', not 'vanished'", (context) => {
    onLinux('what TCP_INFO says of acknowledgements')(context);
    return pair(async ({ accepted, heartbeat, since }) => {
      accepted.pause();
      const { reason, state, bytesInFlight } = await expectDeath(heartbeat, since);
      expect({ reason, state, bytesInFlight }).toEqual({
        ...{ reason: 'silent', state: 'ESTABLISHED', bytesInFlight: 0 },
      });
    });
  });
});

const frame = (text: string): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([head, Buffer.from(text)]);
};

describe.concurrent('length-prefixed frames', () => {
  const both = (
    isAlive: Rhythm['isAlive'],
    use: (ends: {
      mine: Heartbeat;
      since: number;
      accepted: net.Socket;
      frames: string[];
    }) => Promise<void>,
  ) =>
    withPair(async ({ client, accepted }) => {
      const frames: string[] = [];
      const onFrame = (bytes: Buffer) => frames.push(String(bytes));
      const since = performance.now();
      const mine = adapters.watchFrames(client, { ...RHYTHM, isAlive }, onFrame);
      await use({ mine, since, accepted, frames });
    });

  test.each([
    ['any byte counts', undefined],
    ['only whole frames count', false],
  ] as const)('both sides send beats, and one that hangs is dead: %s', (_, isAlive) =>
    both(isAlive, async ({ mine, accepted, frames }) => {
      const seen = record(mine);
      const beats = arrivals(accepted);
      const other = adapters.watchFrames(accepted, { ...RHYTHM, isAlive }, () => {});
      accepted.write(Buffer.concat([frame('one'), frame('two'), frame('three').subarray(0, 6)]));
      await sleep(50);
      accepted.write(Buffer.concat([frame('three').subarray(6), frame('four')]));
      await sleep(LONG);
      expect([seen.deaths, other.closed]).toEqual([[], false]);
      expect(frames).toEqual(['one', 'two', 'three', 'four']);
      expect(textOf(beats, 'hex')).toMatch(/^(00000000){4,}$/);
      other.close();
      // Its last beat left at the latest now.
      const since = performance.now();
      await once(mine, 'dead');
      expect(performance.now() - since).toBeLessThan(latest(mine) + SLACK);
      expect(mine.socket.destroyed).toBe(true);
    }),
  );

  /** A frame of which a byte comes every 100 ms, and never the last one; ended, it tells when it sent last. */
  function drip(accepted: net.Socket): () => number {
    accepted.resume();
    accepted.write(Buffer.from([0, 0, 1, 0]));
    let last = 0;
    const timer = setInterval(() => {
      accepted.write('x');
      last = performance.now();
    }, 100);
    accepted.once('close', () => clearInterval(timer));
    return () => {
      clearInterval(timer);
      return last;
    };
  }

  test('part of a frame keeps the peer alive where any byte counts', () =>
    both(undefined, async ({ mine, accepted, frames }) => {
      const seen = record(mine);
      const stop = drip(accepted);
      await sleep(LONG);
      expect([seen.deaths, frames]).toEqual([[], []]);
      await expectDeath(mine, stop());
    }));

  test('part of a frame does not count where only whole frames count', () =>
    both(false, async ({ mine, since, accepted }) => {
      drip(accepted);
      await expectDeath(mine, since);
    }));
});

describe.concurrent('WebSocket', () => {
  /** Both ends of one, and the sockets below, as the public API of ws tells them. */
  async function withWebSockets(
    use: (ends: {
      served: WebSocket;
      below: net.Socket;
      client: WebSocket;
      clientBelow: net.Socket;
    }) => Promise<void>,
    options: { autoPong?: boolean } = {},
  ): Promise<void> {
    const server = new WebSocketServer({ ...options, port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [[served, request], [response]] = (await Promise.all([
      once(server, 'connection'),
      once(client, 'upgrade'),
      once(client, 'open'),
    ])) as [[WebSocket, IncomingMessage], [IncomingMessage], unknown];
    try {
      await use({ served, below: request.socket, client, clientBelow: response.socket });
    } finally {
      client.terminate();
      served.terminate();
      server.close();
    }
  }

  test('the server pings and the client watches, until the client hangs and is dead', () =>
    withWebSockets(async ({ served, below, client, clientBelow }) => {
      const pinging = new Heartbeat(below, { ...RHYTHM, send: () => served.ping() });
      const watching = new Heartbeat(clientBelow, RHYTHM);
      const seen = [record(pinging), record(watching)] as const;
      let pings = 0;
      let errors = 0;
      client.on('ping', () => pings++);
      served.on('error', () => errors++);
      await sleep(LONG);
      expect(seen.map(({ deaths }) => deaths)).toEqual([[], []]);
      expect(pings).toBeGreaterThanOrEqual(4);
      for (const rtt of seen[0].rtts) expect(rtt).toBeGreaterThan(0);
      for (const rtt of seen[1].rtts) expect(rtt).toBe(null);

      watching.close();
      client.pause();
      const closed = once(served, 'close');
      await once(pinging, 'dead');
      expect((await closed)[0]).toBe(1006);
      expect([seen[0].deaths.length, errors]).toEqual([1, 0]);
    }));

  test('the client pings until the server hangs and is dead', () =>
    withWebSockets(async ({ below, client, clientBelow }) => {
      const pinging = new Heartbeat(clientBelow, { ...RHYTHM, send: () => client.ping() });
      const seen = record(pinging);
      await sleep(LONG);
      expect(seen.deaths).toEqual([]);
      expect(seen.rtts.length).toBeGreaterThanOrEqual(4);
      below.pause();
      const since = performance.now();
      const [[code]] = await Promise.all([once(client, 'close'), once(pinging, 'dead')]);
      expect(code).toBe(1006);
      expect(performance.now() - since).toBeLessThan(latest(pinging) + SLACK);
    }));

  test('a message that takes longer than the timeout keeps the peer alive', () =>
    withWebSockets(
      async ({ below, client, clientBelow }) => {
        const seen = record(new Heartbeat(clientBelow, { ...RHYTHM, send: () => client.ping() }));
        below.setNoDelay(true);
        const message = once(client, 'message');
        // One frame of 20 bytes of text, as a server sends it. No pong may come in the midst of it.
        below.write(Buffer.from([0x81, 20]));
        for (let sent = 0; sent < 20; sent++) {
          await sleep(LONG / 20);
          below.write('x');
        }
        expect(String((await message)[0])).toBe('x'.repeat(20));
        expect(seen.deaths).toEqual([]);
      },
      { autoPong: false },
    ));

  test("messages keep the peer alive, and a closing handshake closes both heartbeats without 'dead'", () =>
    withWebSockets(async ({ served, below, client, clientBelow }) => {
      const watching = new Heartbeat(clientBelow, RHYTHM);
      // Pings that send nothing, because real ones would keep the peer alive too.
      const pinging = new Heartbeat(below, { ...RHYTHM, timeout: null, send: () => {} });
      const seen = [record(watching), record(pinging)];
      const news = setInterval(() => served.send('news'), 100);
      await sleep(LONG / 2);
      clearInterval(news);
      expect(watching.closed).toBe(false);
      client.close(1000);
      await Promise.all([
        once(below, 'close').then(() => expect(pinging.closed).toBe(true)),
        once(clientBelow, 'close').then(() => expect(watching.closed).toBe(true)),
      ]);
      expect(seen.map(({ deaths }) => deaths)).toEqual([[], []]);
    }));
});

describe.concurrent('MQTT', () => {
  /** In seconds; looks are 20 ms apart, a ping leaves up to 30 ms early. */
  const KEEP_ALIVE = 0.32;
  const PINGREQ = 'c000';
  const PINGRESP = Buffer.from([0xd0, 0x00]);

  test('the client sends a packet within each Keep Alive and measures the answers', () =>
    withPair(async ({ client, accepted }) => {
      const since = performance.now();
      const packets = arrivals(accepted);
      accepted.on('data', () => accepted.write(PINGRESP));
      const broker = adapters.watchMqttClient(accepted, KEEP_ALIVE) as Heartbeat;
      const heartbeat = adapters.keepMqttAlive(client, KEEP_ALIVE) as Heartbeat;
      const seen = record(heartbeat);
      await sleep(1_300);
      // Other packets at any time do not matter.
      for (const pause of [90, 170, 230, 310]) {
        client.write(Buffer.from([0xe0, 0x00]));
        await sleep(1_000 * KEEP_ALIVE + pause);
      }
      expect(longestGap(packets, since)).toBeLessThan(
        1_000 * KEEP_ALIVE + 100 + 2 * longestDelay(since),
      );
      expect(textOf(packets, 'hex')).toMatch(/^(c000|e000){4,}$/);
      // Not many more than necessary.
      expect(heartbeat.pings).toBeLessThan(15);
      expect(heartbeat.rtt).toBeGreaterThan(0);
      expect([seen.deaths, broker.closed]).toEqual([[], false]);
    }));

  test('packets of the broker do not replace those of the client', () =>
    withPair(async ({ client, accepted }) => {
      const since = performance.now();
      const packets = arrivals(accepted);
      client.resume();
      const heartbeat = adapters.keepMqttAlive(client, KEEP_ALIVE) as Heartbeat;
      const news = setInterval(() => accepted.write(PINGRESP), 50);
      await sleep(LONG);
      clearInterval(news);
      expect(longestGap(packets, since)).toBeLessThan(
        1_000 * KEEP_ALIVE + 100 + 2 * longestDelay(since),
      );
      expect(heartbeat.closed).toBe(false);
    }));

  test('the broker closes a client after 1.5 times its Keep Alive', () =>
    withPair(async ({ client, accepted }) => {
      accepted.resume();
      const broker = adapters.watchMqttClient(accepted, KEEP_ALIVE) as Heartbeat;
      expect([broker.interval, broker.timeout]).toEqual([320, 480]);
      await sleep(300);
      client.write(Buffer.from(PINGREQ, 'hex'));
      const since = performance.now();
      const { silence, unansweredPings } = await expectDeath(broker, since);
      expect(silence).toBeGreaterThanOrEqual(480);
      expect(unansweredPings).toBe(0);
    }));

  test('the client closes a broker that reads packets and answers none', () =>
    withPair(async ({ client, accepted }) => {
      const since = performance.now();
      const packets = arrivals(accepted);
      client.resume();
      const heartbeat = adapters.keepMqttAlive(client, KEEP_ALIVE) as Heartbeat;
      const news = setInterval(() => client.write(Buffer.from([0xe0, 0x00])), 80);
      const { unansweredPings } = await expectDeath(heartbeat, since);
      clearInterval(news);
      // The client's own packets do not replace pings.
      expect(unansweredPings).toBeGreaterThanOrEqual(1);
      expect(textOf(packets, 'hex')).toContain(PINGREQ);
    }));

  test('a Keep Alive of 0 creates no heartbeat', () =>
    withPair(({ client }) => {
      expect(adapters.keepMqttAlive(client, 0)).toBe(null);
      expect(adapters.watchMqttClient(client, 0)).toBe(null);
    }));
});

describe.concurrent('AMQP', () => {
  /** In seconds. */
  const HEARTBEAT = 0.4;

  test('sends at half of the interval, and closes a silent peer after two intervals', () =>
    withPair(async ({ client, accepted }) => {
      const since = performance.now();
      const frames = arrivals(accepted);
      client.resume();
      const mine = adapters.keepAmqpAlive(client, HEARTBEAT) as Heartbeat;
      const other = adapters.keepAmqpAlive(accepted, HEARTBEAT) as Heartbeat;
      expect([mine.interval, mine.timeout]).toEqual([200, 800]);
      await sleep(LONG);
      expect([mine.closed, other.closed]).toEqual([false, false]);
      expect(longestGap(frames, since)).toBeLessThan(200 + 100 + 2 * longestDelay(since));
      expect(textOf(frames, 'hex')).toMatch(/^(08000000000000ce){4,}$/);
      // The program hangs: it still reads, but sends nothing.
      other.close();
      const [before, silentSince] = [frames.length, performance.now()];
      const { unansweredPings } = await new Promise<PeerDeath>((dead) => mine.once('dead', dead));
      expect(performance.now() - silentSince).toBeGreaterThan(800 - 200);
      expect(performance.now() - silentSince).toBeLessThan(latest(mine) + SLACK);
      expect(unansweredPings).toBeGreaterThanOrEqual(2);
      expect(frames.length - before).toBeGreaterThanOrEqual(2);
    }));

  test('an interval of 0 creates no heartbeat', () =>
    withPair(({ client }) => expect(adapters.keepAmqpAlive(client, 0)).toBe(null)));
});

describe('the server of many devices', () => {
  let server: ChildProcess | undefined;
  let port: number;
  const said: string[] = [];
  afterAll(() => void server?.kill());

  async function start(): Promise<void> {
    if (server !== undefined) return;
    server = spawn(process.execPath, [fileOf('new PeerRegistry()')], {
      env: { ...process.env, HOST: '127.0.0.1', PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => said.push(line));
    await once(lines, 'line');
    port = Number(said[0]?.match(/\d+$/)?.[0]);
  }

  async function device(hello: string): Promise<net.Socket> {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(hello);
    return socket;
  }

  test('a device that reconnects replaces its own connection only', async () => {
    await start();
    const other = await device('HELLO other\n');
    const before = await device('HELLO seven\nPONG\n');
    await sleep(100);
    const closed = once(before, 'error');
    const after = await device('HEL');
    await sleep(50);
    after.write('LO seven\n');
    expect((await closed)[0].code).toBe('ECONNRESET');
    await sleep(50);
    expect(said).toContain('seven has a newer connection');
    expect([other.destroyed, after.destroyed]).toEqual([false, false]);
    other.destroy();
    after.destroy();
  });

  test('a device that resets its connection does not end the server', async () => {
    await start();
    const socket = await device('HELLO eight\n');
    await sleep(50);
    socket.resetAndDestroy();
    const text = 'eight The peer’s system no longer knows this connection';
    await expect.poll(() => said.join('\n'), { timeout: 10_000 }).toContain(text);
    expect(server?.exitCode).toBe(null);
  });
});
