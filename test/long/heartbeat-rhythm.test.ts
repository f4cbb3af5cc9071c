// When a heartbeat sends pings and reports a dead peer, on a fake clock.

import { createRequire } from 'node:module';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Heartbeat, type HeartbeatOptions, type PeerDeath } from '../../dist/heartbeat.js';
import { tcpStates } from '../../dist/index.js';
import { CountingStream } from '../support/stream';
import { withUncaught } from '../support/uncaught';

const require = createRequire(__filename);

/** Closed after each test, because their timer uses the fake clock. */
const heartbeats: Heartbeat[] = [];
/** Total time for which the event loop was blocked. */
let blocked: number;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'],
  });
  blocked = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + blocked);
});
afterEach(async () => {
  for (const heartbeat of heartbeats.splice(0)) heartbeat.close();
  // A verdict that is due would never end, because it waits for a turn of this clock.
  if (vi.isFakeTimers()) await pass(20);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Of one tick, and of the turn of the event loop before a verdict. */
const TICKS = 60;

interface Told {
  readonly heartbeat: Heartbeat;
  readonly beats: { readonly at: number; readonly rtt: number | null }[];
  readonly late: number[];
  readonly dead: { readonly at: number; readonly death: PeerDeath }[];
}

/** A heartbeat, and the times of its events. */
function watch(stream: Duplex, options: HeartbeatOptions): Told {
  stream.on('error', () => {});
  const heartbeat = new Heartbeat(stream, options);
  heartbeats.push(heartbeat);
  const told: Told = { heartbeat, beats: [], late: [], dead: [] };
  heartbeat.on('beat', ({ rtt }) => told.beats.push({ at: performance.now(), rtt }));
  heartbeat.on('late', () => told.late.push(performance.now()));
  heartbeat.on('dead', (death) => told.dead.push({ at: performance.now(), death }));
  return told;
}

function pass(milliseconds: number): Promise<unknown> {
  return vi.advanceTimersByTimeAsync(milliseconds);
}

/** Blocks the event loop, then fires each due timer once. */
function block(milliseconds: number): Promise<unknown> {
  blocked += milliseconds;
  return pass(21);
}

const stepOf = (interval: number, timeout: number) =>
  Math.max(20, Math.min(interval, timeout - interval) / 8);

describe('a silent peer', () => {
  test.each([
    [1_000, 2_000],
    [1_000, 1_100],
    [50, 5_000],
    [30_000, 60_000],
    [200_000, 500_000],
  ])(
    'interval %d, timeout %d: is dead after the timeout, at most one step later',
    async (interval, timeout) => {
      const stream = new CountingStream();
      const start = performance.now();
      const { dead, late } = watch(stream, { interval, timeout });
      await pass(timeout - 1);
      expect(dead).toEqual([]);
      expect(stream.destroyed).toBe(false);
      await pass(stepOf(interval, timeout) + TICKS + 1);
      expect(dead).toHaveLength(1);
      // At the tick: there was no sign of life before.
      expect(dead[0]?.at).toBeLessThanOrEqual(start + timeout + TICKS);
      expect(stream.destroyed).toBe(true);
      expect(stream.errored).toMatchObject({
        name: 'HeartbeatTimeoutError',
        code: 'ETIMEDOUT',
        death: dead[0]?.death,
      });
      // 'late' is emitted once, between both.
      const step = stepOf(interval, timeout) + TICKS;
      expect(late).toHaveLength(1);
      expect(late[0]).toBeGreaterThanOrEqual(start + (interval + timeout) / 2);
      expect(late[0]).toBeLessThanOrEqual(start + (interval + timeout) / 2 + step);
    },
  );

  test('is dead in time if its stream has a highWaterMark of 0', async () => {
    const stream = new Duplex({ readableHighWaterMark: 0, read() {}, write() {} });
    stream.resume();
    const { dead } = watch(stream, { interval: 100, timeout: 300 });
    await pass(300 + 25 + TICKS);
    expect(dead).toHaveLength(1);
  });

  test('is dead in time if other code calls push(undefined)', async () => {
    const stream = new CountingStream();
    const { dead } = watch(stream, { interval: 100, timeout: 300 });
    await pass(100);
    stream.push(undefined);
    expect(stream.destroyed).toBe(false);
    await pass(200 + 25 + TICKS);
    expect(dead).toHaveLength(1);
  });

  test('the default timeout is twice the interval', async () => {
    const stream = new CountingStream();
    const { heartbeat, dead } = watch(stream, { interval: 1_000 });
    expect(heartbeat.timeout).toBe(2_000);
    await pass(1_999);
    expect(dead).toEqual([]);
    await pass(126 + TICKS);
    expect(dead).toHaveLength(1);
  });

  test("the reason is 'unknown' for a stream that is no socket", async () => {
    const stream = new CountingStream();
    const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    await pass(400);
    expect(dead[0]?.death).toEqual({
      reason: 'unknown',
      code: 'ETIMEDOUT',
      silence: expect.any(Number),
      unansweredPings: 3,
      skippedPings: 0,
      state: null,
      timeSinceLastDataReceived: null,
      timeSinceLastAckReceived: null,
      bytesInFlight: null,
      unsentBytes: null,
    });
    expect(dead[0]?.death.silence).toBeGreaterThanOrEqual(300);
  });

  test("onDead replaces the destruction of the stream, and runs after 'dead'", async () => {
    const stream = new CountingStream();
    const order: string[] = [];
    const { heartbeat } = watch(stream, {
      interval: 100,
      onDead: (death, dead) => order.push(`onDead ${death.reason} ${dead === stream}`),
    });
    heartbeat.on('dead', () => order.push(`event ${heartbeat.closed}`));
    await pass(300);
    expect(order).toEqual(['event true', 'onDead unknown true']);
    expect(stream.destroyed).toBe(false);
  });
});

describe('a living peer', () => {
  test("any bytes keep it alive, and each step emits one 'beat'", async () => {
    const stream = new CountingStream();
    const { dead, beats, late } = watch(stream, { interval: 100, timeout: 300 });
    for (let i = 0; i < 100; i++) {
      await pass(100);
      stream.receive('x');
    }
    expect([dead, late]).toEqual([[], []]);
    expect(beats).toHaveLength(99);
    expect(beats.every(({ rtt }) => rtt === null)).toBe(true);
    // Many chunks in one step emit one 'beat'.
    const before = beats.length;
    for (let i = 0; i < 50; i++) stream.receive('x');
    await pass(60);
    expect(beats.length - before).toBe(1);
  });

  test("'activity' and recordActivity() equal 'beat' and beat()", async () => {
    const { heartbeat, beats, dead } = watch(new CountingStream(), {
      ...{ interval: 100, timeout: 300, isAlive: false },
    });
    const activities: unknown[] = [];
    heartbeat.on('activity', ({ rtt }) => activities.push({ at: performance.now(), rtt }));
    for (let i = 0; i < 10; i++) {
      await pass(100);
      if (i % 2 === 0) heartbeat.recordActivity();
      else heartbeat.beat();
    }
    await pass(60);
    expect(activities).toEqual(beats);
    expect(beats).toHaveLength(10);
    expect(dead).toEqual([]);
    // A listener of the first event may end it: no event comes after close().
    heartbeat.on('beat', () => heartbeat.close());
    heartbeat.recordActivity();
    await pass(60);
    expect([beats.length, activities.length]).toEqual([11, 10]);
  });

  test("'activity' is emitted without a listener for 'beat'", async () => {
    const heartbeat = new Heartbeat(new CountingStream(), { interval: 100, timeout: 300 });
    heartbeats.push(heartbeat);
    let reported = 0;
    heartbeat.on('activity', () => reported++);
    heartbeat.recordActivity();
    await pass(60);
    expect(reported).toBe(1);
  });

  test("'late' is emitted once in each silence", async () => {
    const stream = new CountingStream();
    const { dead, late, beats } = watch(stream, { interval: 100, timeout: 300 });
    for (let i = 0; i < 5; i++) {
      await pass(270);
      stream.receive('x');
    }
    await pass(50);
    expect(dead).toEqual([]);
    expect(late).toHaveLength(5);
    expect(beats).toHaveLength(5);
  });

  test("'late' is emitted in each silence without a listener for 'beat'", async () => {
    const stream = new CountingStream();
    const heartbeat = new Heartbeat(stream, { interval: 100, timeout: 300 });
    heartbeats.push(heartbeat);
    let late = 0;
    heartbeat.on('late', () => late++);
    for (let i = 0; i < 5; i++) {
      await pass(270);
      stream.receive('x');
    }
    expect(late).toBe(5);
  });

  test("'beat' is emitted within a step, also if an answer arrives before", async () => {
    const stream = new CountingStream();
    const { beats } = watch(stream, { interval: 8_000, timeout: 20_000, send: 'ping' });
    while (stream.sent.length === 0) await pass(10);
    // Shortly before the next ping: the answer comes before the report, which is due half a step later at the earliest.
    await pass(7_800);
    stream.receive('x');
    const at = performance.now();
    while (stream.sent.length === 1) await pass(10);
    await pass(10);
    stream.receive('pong');
    await pass(2_000);
    expect(beats).toHaveLength(1);
    expect(beats[0]?.at).toBeLessThanOrEqual(at + 1_000 + 20);
    expect(beats[0]?.rtt).not.toBeNull();
  });

  test('isAlive decides which chunks count, and the program reads every chunk', async () => {
    const stream = new CountingStream();
    const read: string[] = [];
    stream.on('data', (chunk) => read.push(String(chunk)));
    const seen: string[] = [];
    const { dead, beats } = watch(stream, {
      interval: 100,
      timeout: 300,
      isAlive: (chunk) => {
        seen.push(String(chunk));
        return chunk.includes('alive');
      },
    });
    stream.receive('I am alive');
    await pass(250);
    stream.receive('noise');
    expect(beats).toHaveLength(1);
    await pass(100);
    expect(dead).toHaveLength(1);
    expect(seen).toEqual(['I am alive', 'noise']);
    expect(read).toEqual(seen);
    expect(Object.hasOwn(stream, 'push')).toBe(false);
  });

  test.each(['older', 'newer'])(
    'with two on a stream, one continues when the %s is closed',
    async (which) => {
      const stream = new CountingStream();
      const told = [1, 2].map(() =>
        watch(stream, { interval: 100, timeout: 300, isAlive: () => true }),
      );
      const [closed, left] = which === 'older' ? told : [...told].reverse();
      closed?.heartbeat.close();
      for (let i = 0; i < 5; i++) {
        await pass(200);
        stream.receive('x');
      }
      await pass(50);
      expect(left?.dead).toEqual([]);
      expect(left?.beats).toHaveLength(5);
      left?.heartbeat.close();
      expect(Object.hasOwn(stream, 'push')).toBe(false);
    },
  );

  test('1000 calls of beat() do not hide bytes that bypass push()', async () => {
    const stream = new CountingStream();
    const { heartbeat, dead } = watch(stream, { interval: 100, timeout: 300 });
    for (let i = 0; i < 1_000; i++) heartbeat.beat();
    await pass(250);
    stream.bytesRead += 5;
    await pass(250);
    expect(dead).toEqual([]);
  });

  test('bytes that bypass push() keep it alive, but not those before the start', async () => {
    const stream = new CountingStream();
    stream.bytesRead = 1_000;
    const { dead, beats } = watch(stream, { interval: 100, timeout: 300 });
    for (let i = 0; i < 5; i++) {
      await pass(250);
      stream.bytesRead += 5;
    }
    await pass(50);
    expect(dead).toEqual([]);
    expect(beats).toHaveLength(5);
    await pass(330 + TICKS);
    expect(dead).toHaveLength(1);
    const silent = new CountingStream();
    silent.bytesRead = 1_000;
    const other = watch(silent, { interval: 100, timeout: 300 });
    await pass(300 + TICKS);
    expect(other.dead).toHaveLength(1);
  });

  test('bytes that bypass push() are no answer, because their time is unknown', async () => {
    const stream = new CountingStream();
    const { heartbeat, beats } = watch(stream, { interval: 400, timeout: 600, send: 'ping' });
    while (stream.sent.length === 0) await pass(10);
    stream.bytesRead += 5;
    await pass(590);
    expect(beats.map(({ rtt }) => rtt)).toEqual([null]);
    expect(heartbeat.rtt).toBeNull();
  });

  test('the round trip is measured during other traffic', async () => {
    const stream = new CountingStream();
    const { beats, heartbeat } = watch(stream, { interval: 400, timeout: 1_000, send: 'ping' });
    for (let i = 0; i < 200; i++) {
      await pass(10);
      stream.receive('x');
    }
    expect(heartbeat.pings).toBeGreaterThanOrEqual(4);
    const measured = beats.filter(({ rtt }) => rtt !== null);
    expect(measured.length).toBeGreaterThanOrEqual(4);
    expect(measured.length).toBeLessThanOrEqual(heartbeat.pings);
    expect(heartbeat.rtt).toBe(measured.at(-1)?.rtt);
    for (const { rtt } of measured) expect(rtt).toBeLessThanOrEqual(10);
  });

  test('with isAlive: false, only beat() counts', async () => {
    const stream = new CountingStream();
    const { heartbeat, dead, beats } = watch(stream, {
      interval: 100,
      timeout: 300,
      isAlive: false,
    });
    for (let i = 0; i < 10; i++) {
      await pass(100);
      stream.receive('noise');
      heartbeat.beat();
    }
    expect(beats).toHaveLength(9);
    for (let i = 0; i < 4; i++) {
      await pass(100);
      stream.receive('noise');
    }
    expect(dead).toHaveLength(1);
  });

  test('chunks count on a stream without bytesRead', async () => {
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    stream.resume();
    const { dead, beats } = watch(stream, { interval: 100, timeout: 300 });
    for (let i = 0; i < 10; i++) {
      await pass(100);
      stream.push('x');
    }
    expect([dead.length, beats.length]).toEqual([0, 9]);
    await pass(400);
    expect(dead).toHaveLength(1);
    expect(Object.hasOwn(stream, 'push')).toBe(false);
  });
});

describe('pings', () => {
  test('leave once in each interval', async () => {
    const stream = new CountingStream();
    const start = performance.now();
    const { heartbeat } = watch(stream, { interval: 1_000, timeout: null, send: 'ping' });
    await pass(20_000);
    const times = [start, ...stream.sent.map(({ at }) => at)];
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_000);
    // The first ping may leave early.
    expect(new Set(gaps.slice(1))).toEqual(new Set([1_000]));
    expect(heartbeat.pings).toBe(stream.sent.length);
  });

  test.each([400, 533, 1_021, 9_999])(
    'leave in time although the program writes between two steps: %d ms',
    async (interval) => {
      for (const share of [0.05, 0.33, 0.5, 0.71, 0.98]) {
        const stream = new CountingStream();
        watch(stream, { interval, timeout: null, send: 'ping' });
        const times: number[] = [];
        for (let i = 0; i < 20; i++) {
          await pass(interval * (1 + share));
          stream.write('data');
        }
        for (const { at } of stream.sent) times.push(at);
        const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
        expect(Math.max(...gaps)).toBeLessThanOrEqual(interval);
      }
    },
  );

  test.each([
    [0, 980],
    [0.999_999, 520],
  ])(
    'the first one leaves in the second half of an interval: with Math.random() at %d, after %d ms',
    async (chance, at) => {
      vi.spyOn(Math, 'random').mockReturnValue(chance);
      const stream = new CountingStream();
      watch(stream, { interval: 1_000, timeout: null, send: 'ping' });
      await pass(1_000);
      expect(stream.sent.map((ping) => ping.at)).toEqual([at]);
    },
  );

  test('a ping that is late by more than a step delays the next one', async () => {
    const stream = new CountingStream();
    watch(stream, { interval: 1_000, timeout: null, send: 'ping' });
    while (stream.sent.length === 0) await pass(10);
    stream.hold();
    stream.write('data');
    await pass(1_700);
    stream.letGo();
    await pass(1_500);
    const times = stream.sent.filter(({ text }) => text === 'ping').map(({ at }) => at);
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(gaps[0]).toBeGreaterThanOrEqual(1_700);
    expect(gaps[1]).toBeGreaterThanOrEqual(1_000 - 125 - 20);
    expect(gaps[1]).toBeLessThanOrEqual(1_000);
  });

  test('leave while only this side writes, if an answer is expected', async () => {
    const stream = new CountingStream();
    const { heartbeat, dead } = watch(stream, { interval: 1_000, timeout: 3_000, send: 'ping' });
    stream.on('data', () => {});
    for (let i = 0; i < 100; i++) {
      stream.write('data');
      await pass(100);
      if (stream.sent.at(-1)?.text === 'ping') stream.receive('pong');
    }
    expect(dead).toEqual([]);
    expect(heartbeat.pings).toBeGreaterThanOrEqual(9);
    expect(heartbeat.pings).toBeLessThanOrEqual(13);
  });

  test.each([
    ['bytes', Buffer.from('ping')],
    ['text', 'ping'],
  ])('%s', async (_kind, send) => {
    const stream = new CountingStream();
    watch(stream, { interval: 100, send });
    await pass(150);
    expect(stream.sent[0]?.text).toBe('ping');
  });

  test('a send function gets the stream', async () => {
    const stream = new CountingStream();
    watch(stream, { interval: 100, send: (to) => to.write('called') });
    await pass(150);
    expect(stream.sent[0]?.text).toBe('called');
  });

  test('the round trip ends when the answer is read, not at the next step', async () => {
    const stream = new CountingStream();
    const { heartbeat, beats } = watch(stream, { interval: 8_000, timeout: 20_000, send: 'ping' });
    while (stream.sent.length === 0) await pass(10);
    const sentAt = stream.sent[0]?.at as number;
    await pass(30);
    stream.receive('pong');
    const answeredAt = performance.now();
    await pass(1_100);
    expect(beats).toEqual([{ at: expect.any(Number), rtt: answeredAt - sentAt }]);
    expect(heartbeat.rtt).toBe(answeredAt - sentAt);
    // More bytes keep it alive, but are no answer.
    stream.receive('more');
    await pass(1_100);
    expect(beats.at(-1)?.rtt).toBeNull();
    expect(heartbeat.rtt).toBe(answeredAt - sentAt);
  });

  test('after the first call of answer(), only answer() measures the round trip', async () => {
    const stream = new CountingStream();
    const { heartbeat, beats } = watch(stream, { interval: 400, timeout: 1_000, send: 'ping' });
    const answered = new Set<number>();
    for (let i = 0; i < 300; i++) {
      await pass(10);
      stream.receive('news');
      heartbeat.beat();
      for (const { at } of stream.sent) {
        if (answered.has(at) || performance.now() < at + 90) continue;
        answered.add(at);
        heartbeat.answer();
      }
    }
    const [first, ...rest] = beats.filter(({ rtt }) => rtt !== null);
    // Before the first call of answer(), the first bytes after a ping are its answer.
    expect(first?.rtt).toBeLessThanOrEqual(10);
    expect(rest.length).toBe(answered.size - 1);
    expect(rest.length).toBeGreaterThanOrEqual(5);
    for (const { rtt } of rest) {
      expect(rtt).toBeGreaterThanOrEqual(90);
      expect(rtt).toBeLessThanOrEqual(101);
    }
  });

  test('after the first call of answer(), bytes that bypass push() are no answer', async () => {
    const stream = new CountingStream();
    const { heartbeat, beats } = watch(stream, { interval: 400, timeout: 600, send: 'ping' });
    heartbeat.answer();
    while (stream.sent.length === 0) await pass(10);
    const sentAt = stream.sent[0]?.at as number;
    await pass(100);
    stream.bytesRead += 5;
    // The next step notices them when the peer would be late.
    await pass(450);
    expect(beats.at(-1)?.rtt).toBeNull();
    heartbeat.answer();
    const rtt = performance.now() - sentAt;
    await pass(60);
    expect(beats.at(-1)?.rtt).toBeCloseTo(rtt);
  });

  test('with isAlive: false, answer() keeps the peer alive and measures the round trip', async () => {
    const stream = new CountingStream();
    const { heartbeat, beats, dead } = watch(stream, {
      ...{ interval: 400, timeout: 1_000, send: 'ping', isAlive: false },
    });
    // Without a ping, answer() keeps the peer alive and measures no round trip.
    heartbeat.answer();
    await pass(60);
    expect(beats).toEqual([{ at: expect.any(Number), rtt: null }]);
    for (let pings = 1; pings < 10; pings++) {
      while (stream.sent.length < pings) await pass(10);
      await pass(70);
      heartbeat.answer();
    }
    await pass(60);
    expect(dead).toEqual([]);
    expect(beats.slice(1)).toHaveLength(9);
    for (const { rtt } of beats.slice(1)) expect(rtt).toBeGreaterThanOrEqual(70);
  });

  test('an answer belongs to the first of several unanswered pings', async () => {
    const stream = new CountingStream();
    const { heartbeat, beats } = watch(stream, {
      interval: 1_000,
      timeout: 10_000,
      send: 'ping',
      isAlive: false,
    });
    while (stream.sent.length < 3) {
      await pass(20);
      stream.receive('no answer');
    }
    const [first] = stream.sent;
    heartbeat.beat();
    const rtt = performance.now() - (first?.at as number);
    await pass(200);
    expect(beats[0]?.rtt).toBeCloseTo(rtt);
  });

  test('a full queue skips pings, and data that the peer takes keeps it alive', async () => {
    const stream = new CountingStream();
    const { heartbeat, dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.hold();
    for (let i = 0; i < 100; i++) stream.write('data');
    await pass(290);
    expect(stream.sent).toEqual([]);
    expect(heartbeat.skippedPings).toBe(1);
    expect(heartbeat.pings).toBe(0);
    // The queue empties, then the ping leaves and has time to be answered.
    stream.letGo();
    await pass(150);
    expect(dead).toEqual([]);
    expect(stream.sent.at(-1)?.text).toBe('ping');
    stream.receive('pong');
    await pass(250);
    expect(dead).toEqual([]);
    expect(heartbeat.pings).toBeGreaterThanOrEqual(2);
  });

  test('a peer that takes data of a long queue is alive until it has taken all', async () => {
    const stream = new CountingStream();
    const { heartbeat, dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.hold();
    for (let i = 0; i < 1_000; i++) stream.write('data');
    for (let i = 0; i < 20; i++) {
      await pass(90);
      stream.letOneGo();
    }
    expect(dead).toEqual([]);
    expect(heartbeat.pings).toBe(0);
    expect(heartbeat.skippedPings).toBe(1);
    // Dead within the timeout plus an interval after it took the last data.
    await pass(400 + 13 + TICKS);
    expect(dead).toHaveLength(1);
    expect(dead[0]?.death.skippedPings).toBe(1);
  });

  test.each([90, 130, 170, 210, 250, 290])(
    'data taken of a full queue %d ms after the last bytes is the last sign of life',
    async (at) => {
      const stream = new CountingStream();
      const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
      const asked = vi.spyOn(require('../../dist/index.bundle.js'), 'readTcpInfos');
      stream.hold();
      for (let i = 0; i < 10; i++) stream.write('data');
      await pass(at);
      stream.letOneGo();
      // Data that it took before the first query is unknown.
      const soonest = at === 90 ? 300 - at : 300;
      await pass(soonest - 1);
      expect(dead).toEqual([]);
      await pass(400 + 13 + TICKS - soonest + 1);
      expect(dead[0]?.death).toMatchObject({ unansweredPings: 0, skippedPings: 1 });
      // One query in each interval, and one for the verdict.
      expect(asked.mock.calls.length).toBeLessThanOrEqual(8);
    },
  );

  test('a ping that left late has time to be answered', async () => {
    const stream = new CountingStream();
    const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.hold();
    stream.write('data');
    await pass(250);
    stream.letGo();
    await pass(190);
    expect(stream.sent.map(({ text }) => text)).toContain('ping');
    expect(dead).toEqual([]);
    await pass(80);
    expect(dead).toHaveLength(1);
  });

  test('a skipped ping does not shorten the timeout after the last sign of life', async () => {
    const stream = new CountingStream();
    const { dead, heartbeat } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.hold();
    stream.write('data');
    while (heartbeat.skippedPings === 0) await pass(10);
    stream.receive('x');
    stream.letGo();
    await pass(299);
    expect(heartbeat.pings).toBeGreaterThanOrEqual(2);
    expect(dead).toEqual([]);
    await pass(13 + TICKS);
    expect(dead).toHaveLength(1);
  });

  test('a waiting ping does not query the kernel if timeout is null', async () => {
    const stream = new CountingStream();
    const asked = vi.spyOn(require('../../dist/index.bundle.js'), 'readTcpInfos');
    const { heartbeat } = watch(stream, { interval: 100, timeout: null, send: 'ping' });
    stream.hold();
    stream.write('data');
    await pass(2_000);
    expect(heartbeat.skippedPings).toBe(1);
    expect(asked).not.toHaveBeenCalled();
  });

  test('skippedPings includes a ping that was skipped before the last sign of life', async () => {
    const stream = new CountingStream();
    const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.hold();
    stream.write('data');
    await pass(150);
    stream.receive('x');
    await pass(400);
    expect(dead[0]?.death.skippedPings).toBe(1);
  });

  test("a listener of 'late' that closes the heartbeat stops a waiting ping", async () => {
    const stream = new CountingStream();
    const options = { interval: 100, timeout: 300, send: 'ping' };
    const { heartbeat, late, dead } = watch(stream, options);
    stream.hold();
    stream.write('data');
    heartbeat.on('late', () => {
      stream.letGo();
      heartbeat.close();
    });
    await pass(500);
    expect(late).toHaveLength(1);
    expect(stream.sent.map(({ text }) => text)).toEqual(['data']);
    expect([heartbeat.pings, heartbeat.closed, dead]).toEqual([0, true, []]);
  });

  test('a peer that sends while its queue is full causes no query of the kernel', async () => {
    const stream = new CountingStream();
    const { heartbeat } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    const asked = vi.spyOn(require('../../dist/index.bundle.js'), 'readTcpInfos');
    stream.hold();
    stream.write('data');
    for (let i = 0; i < 100; i++) {
      await pass(13);
      stream.receive('x');
    }
    expect(heartbeat.skippedPings).toBe(1);
    expect(asked).not.toHaveBeenCalled();
  });

  test('a queue that does not shrink does not keep a peer alive', async () => {
    const stream = new CountingStream();
    const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.hold();
    for (let i = 0; i < 100; i++) stream.write('data');
    await pass(300 + 13 + TICKS);
    expect(dead[0]?.death).toMatchObject({ unansweredPings: 0, skippedPings: 1 });
  });

  test('end() stops pings, and a silent peer is still dead in time', async () => {
    const stream = new CountingStream();
    const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.end();
    await pass(250);
    expect(stream.sent).toEqual([]);
    expect(dead).toEqual([]);
    await pass(150);
    expect(dead).toHaveLength(1);
  });
});

/** Waits on the real clock, so that Node reports uncaught errors. */
async function settled(): Promise<void> {
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Returns a value that is no boolean. Created late: an unhandled rejection would fail the test. */
const WRONG_ANSWERS: [string, () => unknown][] = [
  ['an instance of Promise', () => Promise.resolve(true)],
  ['an instance of Promise', () => Promise.reject(new Error('rejected'))],
  ['undefined', () => undefined],
  ['null', () => null],
  ['type number (1)', () => 1],
  ["type string ('yes')", () => 'yes'],
  ['an instance of Boolean', () => Object(true)],
];

describe('an isAlive that fails destroys its stream', () => {
  test.each(WRONG_ANSWERS)('with ERR_INVALID_RETURN_VALUE if it returns %s', (got, answer) =>
    withUncaught(async (thrown) => {
      const stream = new CountingStream();
      const read: string[] = [];
      stream.on('data', (chunk) => read.push(String(chunk)));
      const { heartbeat, beats, dead } = watch(stream, {
        ...{ interval: 100, timeout: 300, send: 'ping' },
        isAlive: answer as () => boolean,
      });
      stream.receive('noise');
      expect(heartbeat.closed).toBe(true);
      await pass(0);
      // After the chunk was read.
      expect(read).toEqual(['noise']);
      expect(stream.errored).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_RETURN_VALUE',
        message: `Expected a boolean to be returned from the "isAlive" function but got ${got}. It must answer at once: for asynchronous work use isAlive: false, and call recordActivity() when it is done.`,
      });
      expect(Object.hasOwn(stream, 'push')).toBe(false);
      await pass(1_000);
      expect([beats, dead]).toEqual([[], []]);
      await settled();
      expect(thrown).toEqual([]);
    }),
  );

  test('with the error that it throws, after the program has read the chunk', () =>
    withUncaught(async (thrown) => {
      const stream = new CountingStream();
      const read: string[] = [];
      stream.on('data', (chunk) => read.push(String(chunk)));
      const wrong = new Error('from isAlive');
      watch(stream, {
        interval: 100,
        isAlive: () => {
          throw wrong;
        },
      });
      expect(() => stream.receive('x')).not.toThrow();
      await pass(0);
      expect(read).toEqual(['x']);
      expect(stream.errored).toBe(wrong);
      await settled();
      expect(thrown).toEqual([]);
    }));
});

describe('a send function that fails destroys its stream', () => {
  const wrong = new Error('from send');
  const FAILING: [string, () => unknown][] = [
    [
      'it throws',
      () => {
        throw wrong;
      },
    ],
    ['it is rejected', () => Promise.reject(wrong)],
  ];

  test.each(FAILING)('%s: with that error, and does not count the ping', (_how, send) =>
    withUncaught(async (thrown) => {
      const stream = new CountingStream();
      const { heartbeat, dead } = watch(stream, { interval: 100, timeout: 5_000, send });
      const other = new CountingStream();
      watch(other, { interval: 100, timeout: null, send: 'ping' });
      await pass(1_000);
      expect(stream.errored).toBe(wrong);
      expect(stream.destroyed).toBe(true);
      expect(heartbeat.closed).toBe(true);
      expect(heartbeat.pings).toBe(0);
      expect(dead).toEqual([]);
      expect(other.sent.length).toBeGreaterThanOrEqual(9);
      await settled();
      expect(thrown).toEqual([]);
    }),
  );

  test.each(FAILING)('%s: the heartbeat emits that error if it has a listener', (_how, send) =>
    withUncaught(async (thrown) => {
      const stream = new CountingStream();
      const { heartbeat } = watch(stream, { interval: 100, send });
      const errors: unknown[] = [];
      heartbeat.on('error', (error) => errors.push([error, heartbeat.closed]));
      await pass(1_000);
      expect(errors).toEqual([[wrong, true]]);
      expect(stream.destroyed).toBe(true);
      expect(stream.errored).toBeNull();
      await settled();
      expect(thrown).toEqual([]);
    }),
  );

  test.each([undefined, null, 'text', 5])(
    'it throws %s: the error of the stream has it as cause',
    async (value) => {
      const stream = new CountingStream();
      const send = () => {
        throw value;
      };
      watch(stream, { interval: 100, send });
      await pass(200);
      expect(stream.errored).toMatchObject({
        name: 'Error',
        message: 'The "send" function threw a value that is not an Error: see the cause',
        cause: value,
      });
    },
  );

  test('but not if it rejects after close()', () =>
    withUncaught(async (thrown) => {
      const stream = new CountingStream();
      let reject = (_error: Error) => {};
      const send = () => new Promise<void>((_resolve, no) => (reject = no));
      const { heartbeat } = watch(stream, { interval: 100, send });
      await pass(150);
      expect(heartbeat.pings).toBe(1);
      heartbeat.close();
      reject(wrong);
      await settled();
      expect(stream.destroyed).toBe(false);
      expect(thrown).toEqual([]);
    }));

  test('but not if its promise resolves, which counts as a ping', async () => {
    const stream = new CountingStream();
    const send = async () => void stream.write('ping');
    const { heartbeat } = watch(stream, { interval: 100, timeout: null, send });
    await pass(1_000);
    expect(heartbeat.pings).toBe(stream.sent.length);
    expect(heartbeat.pings).toBeGreaterThanOrEqual(9);
  });
});

describe('an onDead that fails destroys its stream', () => {
  const wrong = new Error('from onDead');
  const FAILING: [string, () => unknown][] = [
    [
      'it throws',
      () => {
        throw wrong;
      },
    ],
    ['it is rejected', () => Promise.reject(wrong)],
  ];

  test.each(FAILING)('%s', (_how, fail) =>
    withUncaught(async (thrown) => {
      const rhythm = { interval: 100, timeout: 300 };
      const streams = Array.from({ length: 3 }, () => new CountingStream());
      const told = streams.map((stream, index) =>
        watch(stream, { ...rhythm, onDead: (index === 1 ? fail : () => {}) as () => void }),
      );
      await pass(400);
      expect(told.map(({ dead }) => dead.length)).toEqual([1, 1, 1]);
      expect(streams.map(({ errored }) => errored)).toEqual([null, wrong, null]);
      expect(streams.map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
      await settled();
      expect(thrown).toEqual([]);
    }),
  );

  test.each(FAILING)(
    '%s after it destroyed the stream: emits a process warning',
    async (_how, fail) => {
      const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
      const stream = new CountingStream();
      const onDead = () => {
        stream.destroy();
        return fail() as undefined;
      };
      watch(stream, { interval: 100, timeout: 300, onDead });
      await pass(400);
      expect(warned.mock.calls).toEqual([[wrong]]);
    },
  );
});

describe('the error of a listener is uncaught and interrupts nothing', () => {
  const wrong = new Error('from a listener');
  const fail = () => {
    throw wrong;
  };

  test('beat', () =>
    withUncaught(async (thrown) => {
      const stream = new CountingStream();
      const { heartbeat } = watch(stream, { interval: 1_000, timeout: 3_000, send: 'ping' });
      heartbeat.on('beat', fail);
      const start = performance.now();
      for (let i = 0; i < 1_000; i++) {
        await pass(10);
        stream.receive('x');
      }
      const times = [start, ...stream.sent.map(({ at }) => at)];
      const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
      expect(stream.sent.length).toBeGreaterThanOrEqual(9);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(1_000);
      await settled();
      expect(new Set(thrown)).toEqual(new Set([wrong]));
    }));

  test('late and dead', () =>
    withUncaught(async (thrown) => {
      const stream = new CountingStream();
      const { heartbeat, dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
      heartbeat.on('late', fail).on('dead', fail);
      await pass(300 + TICKS);
      expect(dead[0]?.death.unansweredPings).toBe(3);
      expect(stream.errored).toMatchObject({ code: 'ETIMEDOUT' });
      await settled();
      expect(thrown).toEqual([wrong, wrong]);
    }));
});

describe('silence that the peer does not cause', () => {
  test('a process that was stopped for longer than the timeout reports no peer as dead', async () => {
    const streams = Array.from({ length: 50 }, () => new CountingStream());
    const told = streams.map((stream) => watch(stream, { interval: 1_000, timeout: 3_000 }));
    await pass(500);
    await block(9_000);
    // Waiting data is read in the next turn.
    for (const stream of streams) stream.receive('x');
    await pass(2_900);
    expect(told.flatMap(({ dead }) => dead)).toEqual([]);
    await pass(600);
    expect(told.flatMap(({ dead }) => dead)).toHaveLength(50);
  });

  test('after a stop, pings leave before a verdict and have time to be answered', async () => {
    const stream = new CountingStream();
    const { dead, heartbeat } = watch(stream, { interval: 1_000, timeout: 3_000, send: 'ping' });
    await pass(100);
    for (let i = 0; i < 5; i++) await block(9_000);
    expect(dead).toEqual([]);
    await pass(1_000);
    expect(heartbeat.pings).toBeGreaterThanOrEqual(1);
    stream.receive('pong');
    await pass(2_900);
    expect(dead).toEqual([]);
  });

  test.each([
    ['push()', (stream: CountingStream) => stream.receive('x')],
    ['onread', (stream: CountingStream) => (stream.bytesRead += 1)],
  ])('waiting data of a suspect is read before the verdict, by %s', async (_how, receive) => {
    const stream = new CountingStream();
    const { dead, beats } = watch(stream, { interval: 100, timeout: 300 });
    // The order of an event loop: timers, received data, immediates.
    const turn = vi.spyOn(globalThis, 'setImmediate');
    await pass(280);
    while (turn.mock.calls.length === 0) {
      vi.advanceTimersToNextTimer();
      if (performance.now() > 10_000) throw new Error('no suspicion');
    }
    receive(stream);
    await pass(100);
    expect(dead).toEqual([]);
    expect(beats).toHaveLength(1);
  });

  test('a suspect causes no ping and no second query before its verdict', async () => {
    const stream = new CountingStream();
    const { dead, heartbeat } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    const asked = vi.spyOn(require('../../dist/index.bundle.js'), 'readTcpInfos');
    const turns: (() => void)[] = [];
    vi.spyOn(globalThis, 'setImmediate').mockImplementation(((turn: () => void) =>
      turns.push(turn)) as never);
    await pass(200 + TICKS);
    expect(turns).toHaveLength(1);
    const { pings } = heartbeat;
    await pass(1_000);
    expect([turns.length, heartbeat.pings, asked.mock.calls.length]).toEqual([1, pings, 0]);
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn();
    expect(asked).toHaveBeenCalledTimes(1);
    expect(dead).toHaveLength(1);
  });

  test('a suspect that the program destroys before the verdict is not reported as dead', async () => {
    const stream = new Duplex({ emitClose: false, read() {}, write() {} });
    const { dead, heartbeat } = watch(stream.resume(), { interval: 100, timeout: 300 });
    const turn = vi.spyOn(globalThis, 'setImmediate');
    await pass(280);
    while (turn.mock.calls.length === 0) vi.advanceTimersToNextTimer();
    stream.destroy();
    await pass(100);
    expect(dead).toEqual([]);
    expect(heartbeat.closed).toBe(true);
  });

  test('jumps of the system time have no effect', async () => {
    const stream = new CountingStream();
    const { dead } = watch(stream, { interval: 1_000, timeout: 3_000 });
    for (const days of [1_000, -2_000, 40_000]) {
      vi.setSystemTime(Date.now() + days * 86_400_000);
      await pass(900);
    }
    expect(dead).toEqual([]);
    await pass(1_000);
    expect(dead).toHaveLength(1);
  });

  test('a connecting stream gets no ping and is not dead', async () => {
    const stream = Object.assign(new CountingStream(), { pending: true });
    const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    await pass(2_000);
    expect(dead).toEqual([]);
    expect(stream.sent).toEqual([]);
    stream.pending = false;
    await pass(400);
    expect(stream.sent.length).toBeGreaterThan(0);
    expect(dead).toHaveLength(1);
  });

  test('the time of connecting is no silence', async () => {
    const stream = Object.assign(new CountingStream(), { pending: true });
    const { dead, late } = watch(stream, { interval: 100, timeout: 300 });
    await pass(190);
    stream.pending = false;
    await pass(299);
    expect(dead).toEqual([]);
    expect(late).toHaveLength(1);
    await pass(1 + 13 + TICKS);
    expect(dead).toHaveLength(1);
  });

  test('a peer is not late or dead while the program does not read', async () => {
    const stream = new CountingStream();
    const { dead, late } = watch(stream, { interval: 100, timeout: 300 });
    stream.pause();
    await pass(2_000);
    expect([dead, late]).toEqual([[], []]);
    stream.resume();
    await pass(700);
    expect(dead).toHaveLength(1);
  });

  test('with isAlive: false, a peer with unread data is not late or dead', async () => {
    const stream = new CountingStream();
    stream.pause();
    // Reads one message at a time, as `for await` does, with long work on each.
    stream.on('readable', () => {});
    const options = { interval: 100, timeout: 300, isAlive: false } as const;
    const { heartbeat, dead, late } = watch(stream, options);
    for (let i = 0; i < 10; i++) stream.receive('x');
    for (let i = 0; i < 10; i++) {
      await pass(600);
      stream.read(1);
      heartbeat.beat();
    }
    expect([dead, late]).toEqual([[], []]);
    expect(stream.readableLength).toBe(0);
    await pass(300 + 13 + TICKS);
    expect(dead).toHaveLength(1);
  });

  test('with isAlive, unread data does not keep the peer alive', async () => {
    const stream = new CountingStream();
    stream.pause();
    stream.on('readable', () => {});
    const { dead } = watch(stream, { interval: 100, timeout: 300, isAlive: () => false });
    stream.receive('x');
    await pass(300 + TICKS);
    expect(dead).toHaveLength(1);
  });

  test('a full read buffer keeps the peer alive, and an empty one does not', async () => {
    const full = new CountingStream();
    full.pause();
    full.receive('x'.repeat(full.readableHighWaterMark));
    full.on('readable', () => {});
    const waiting = new CountingStream();
    waiting.on('readable', () => {});
    const first = watch(full, { interval: 100, timeout: 300 });
    const second = watch(waiting, { interval: 100, timeout: 300 });
    await pass(1_000);
    expect(first.dead).toEqual([]);
    expect(second.dead).toHaveLength(1);
  });

  test("a destroyed stream that emits no 'close' closes its heartbeat", async () => {
    const stream = new Duplex({ emitClose: false, read() {}, write() {} });
    const { dead, heartbeat } = watch(stream.resume(), { interval: 100, timeout: 300 });
    stream.destroy();
    await pass(250);
    expect(heartbeat.closed).toBe(true);
    await pass(500);
    expect(dead).toEqual([]);
    // Also without a timeout.
    const other = new Duplex({ emitClose: false, read() {}, write() {} });
    const sender = watch(other, { interval: 100, timeout: null, send: 'ping' });
    other.destroy();
    await pass(150);
    expect(sender.heartbeat.closed).toBe(true);
  });

  test('with timeout: null, a heartbeat sends for years', async () => {
    const stream = new CountingStream();
    const { dead, late, heartbeat } = watch(stream, {
      interval: 2 ** 31 - 1,
      timeout: null,
      send: 'ping',
    });
    // A timer waits at most 10.24 s.
    for (let i = 0; i < 120; i++) {
      blocked += 2 ** 29;
      await pass(10_300);
    }
    expect([dead, late]).toEqual([[], []]);
    expect(heartbeat.closed).toBe(false);
    expect(stream.sent.length).toBeGreaterThanOrEqual(10);
  });

  test('a peer that ended its side is not late or dead, and still gets pings', async () => {
    const stream = new CountingStream();
    const { dead, late } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.push(null);
    await pass(2_000);
    expect(stream.readableEnded).toBe(true);
    expect([dead, late]).toEqual([[], []]);
    expect(stream.sent.length).toBeGreaterThan(10);
  });
});

describe('many heartbeats', () => {
  test('share one timer, which ends when all are closed', async () => {
    const made = Array.from({ length: 1_000 }, () => {
      const { heartbeat } = watch(new CountingStream(), { interval: 10_000 });
      return heartbeat;
    });
    expect(vi.getTimerCount()).toBe(1);
    await pass(5_000);
    expect(vi.getTimerCount()).toBe(1);
    for (const heartbeat of made) heartbeat.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('spread their pings, also after a long stop', async () => {
    let perTick = new Map<number, number>();
    const count = () => {
      const at = Math.floor(performance.now() / 20);
      perTick.set(at, (perTick.get(at) ?? 0) + 1);
    };
    const made = Array.from({ length: 10_000 }, () => {
      const stream = new CountingStream();
      return watch(stream, { interval: 8_000, timeout: null, send: count }).heartbeat;
    });
    await pass(40_000);
    // Spread over at least half an interval, which is 200 ticks.
    expect(Math.max(...perTick.values())).toBeLessThan(2 * (10_000 / 200));
    await block(20_000);
    perTick = new Map();
    await pass(40_000);
    expect(Math.max(...perTick.values())).toBeLessThan(10_000 / 6);
    for (const heartbeat of made) heartbeat.close();
  });

  test.each([
    [80, 20],
    [1_000, 60],
    // The longest pace limits how late a stopped process is noticed.
    [200_000, 10_240],
  ])(
    'an interval of %d ms: a single heartbeat wakes up every %d ms only',
    async (interval, pace) => {
      const timers = vi.spyOn(globalThis, 'setTimeout');
      watch(new CountingStream(), { interval, timeout: 21 * interval });
      timers.mockClear();
      await pass(10 * interval);
      expect(timers).toHaveBeenCalledTimes(Math.floor((10 * interval) / pace));
    },
  );

  describe('are checked', () => {
    /** Counts the checks of a heartbeat: each reads stream.destroyed. */
    function counted() {
      const stream = new CountingStream();
      const counter = { stream, looks: 0 };
      Object.defineProperty(stream, 'destroyed', { get: () => void counter.looks++ });
      return counter;
    }

    test.each([0, 7])('once for each ping; messages per ping: %d', async (messages) => {
      const counter = counted();
      const options = { interval: 1_000, timeout: 3_000, isAlive: false } as const;
      const heartbeat = new Heartbeat(counter.stream, {
        ...options,
        send: () => heartbeat.answer(),
      });
      heartbeats.push(heartbeat);
      counter.looks = 0;
      for (let i = 0; i < 100 * (messages + 1); i++) {
        await pass(1_000 / (messages + 1));
        if (i % (messages + 1) !== 0) heartbeat.beat();
      }
      expect(heartbeat.pings).toBeGreaterThanOrEqual(99);
      expect(counter.looks).toBe(heartbeat.pings);
    });

    test('every step while a ping waits', async () => {
      const counter = counted();
      counter.stream.hold();
      counter.stream.write('data');
      watch(counter.stream, { interval: 8_000, timeout: null, send: 'ping' });
      await pass(8_000);
      counter.looks = 0;
      await pass(80_000);
      expect(counter.looks).toBeGreaterThanOrEqual(78);
      expect(counter.looks).toBeLessThanOrEqual(81);
    });

    test('rarely while the program does not read', async () => {
      const counter = counted();
      watch(counter.stream, { interval: 1_000, timeout: 3_000 });
      counter.stream.pause();
      await pass(10);
      counter.looks = 0;
      await pass(30_000);
      // From 2 to 3 s of each 3 s: every step, with a query of the kernel in most, and once for the verdict.
      expect(counter.looks).toBeGreaterThanOrEqual(9 * 8);
      expect(counter.looks).toBeLessThanOrEqual(10 * 15);
    });

    test('every step while the peer is late, until it is back', async () => {
      const counter = counted();
      const heartbeat = new Heartbeat(counter.stream, { interval: 8_000, timeout: 80_000 });
      heartbeats.push(heartbeat);
      counter.looks = 0;
      await pass(44_000);
      expect(counter.looks).toBe(1);
      await pass(30_000);
      expect(counter.looks).toBeGreaterThanOrEqual(29);
      expect(counter.looks).toBeLessThanOrEqual(31);
      heartbeat.beat();
      await pass(1_000);
      counter.looks = 0;
      await pass(42_000);
      expect(counter.looks).toBe(0);
    });
  });

  test('a heartbeat that a listener of another one closes emits nothing', async () => {
    const streams = Array.from({ length: 3 }, () => new CountingStream());
    const made = streams.map((stream) => watch(stream, { interval: 100 }).heartbeat);
    const dead: number[] = [];
    made.forEach((heartbeat, index) => {
      heartbeat.on('dead', () => {
        dead.push(index);
        for (const other of made) other.close();
      });
    });
    await pass(1_000);
    expect(dead).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('with different intervals keep their own', async () => {
    const intervals = [50, 70, 333, 1_000, 7_777, 60_000, 120_000];
    const made = intervals.map((interval) => {
      const stream = new CountingStream();
      return { interval, stream, ...watch(stream, { interval, timeout: null, send: 'ping' }) };
    });
    await pass(360_000);
    for (const { interval, stream, heartbeat } of made) {
      const expected = 360_000 / interval;
      expect(stream.sent.length, `${interval}`).toBeGreaterThanOrEqual(Math.floor(expected));
      expect(stream.sent.length, `${interval}`).toBeLessThanOrEqual(expected * 1.7 + 1);
      heartbeat.close();
    }
  });
});

describe('the kernel’s information on a suspect', () => {
  /** From now on, the kernel reports these values for each socket. */
  const tell = (known: Record<string, number>) =>
    vi
      .spyOn(require('../../dist/index.bundle.js'), 'readTcpInfos')
      .mockImplementation(((sockets: readonly unknown[], fields: readonly string[]) =>
        Object.fromEntries(
          fields.map((field) => [field, sockets.map(() => known[field] ?? Number.NaN)]),
        )) as never);
  const ESTABLISHED = 4;

  // The ping leaves 30 to 90 ms after the begin, the verdict comes after 300.
  test.each([
    [
      'an acknowledgement since the ping',
      { timeSinceLastAckReceived: 150, bytesInFlight: 4 },
      true,
      'silent',
    ],
    [
      'no acknowledgement since the ping',
      { timeSinceLastAckReceived: 260, bytesInFlight: 4 },
      true,
      'vanished',
    ],
    ['no acknowledgement at all', { bytesInFlight: 4 }, true, 'vanished'],
    [
      'everything is acknowledged at an unknown time',
      { bytesInFlight: 0, unsentBytes: 0 },
      true,
      'silent',
    ],
    ['unacknowledged segments without a count of bytes', { unackedSegments: 1 }, true, 'vanished'],
    ['unsent bytes', { bytesInFlight: 0, unsentBytes: 4 }, true, 'vanished'],
    ['no information', {}, true, 'unknown'],
    ['no data was sent', { bytesInFlight: 0, timeSinceLastAckReceived: 5_000 }, false, 'unknown'],
    [
      'a keepalive probe was answered',
      { bytesInFlight: 0, timeSinceLastAckReceived: 200 },
      false,
      'silent',
    ],
    [
      'a ping was acknowledged, and others are retransmitted',
      { timeSinceLastAckReceived: 150, bytesInFlight: 4, consecutiveTimeouts: 2 },
      true,
      'vanished',
    ],
    [
      'one ping was retransmitted',
      { timeSinceLastAckReceived: 150, bytesInFlight: 4, consecutiveTimeouts: 1 },
      true,
      'silent',
    ],
    [
      'its window is closed',
      { timeSinceLastAckReceived: 280, unsentBytes: 400, sendWindow: 0, probes: 1 },
      true,
      'silent',
    ],
    [
      'its window is closed, and probes are not answered',
      { timeSinceLastAckReceived: 280, unsentBytes: 400, sendWindow: 0, probes: 2 },
      true,
      'vanished',
    ],
    [
      'an acknowledgement within one clock tick of the start',
      { bytesInFlight: 0, timeSinceLastAckReceived: 296 },
      false,
      'unknown',
    ],
    ['probes are not answered', { probes: 2, timeSinceLastAckReceived: 5_000 }, false, 'vanished'],
  ] as const)('reports a reason by: %s', async (_what, known, pings, reason) => {
    const asked = tell({ state: ESTABLISHED, ...known });
    const { dead } = watch(new CountingStream(), {
      ...{ interval: 100, timeout: 300, isAlive: false },
      // Two pings leave in time: the first is the one that counts.
      ...(pings ? { send: 'ping' } : {}),
    });
    await pass(360);
    expect(dead[0]?.death).toMatchObject({
      ...{ reason, state: 'ESTABLISHED' },
      bytesInFlight: 'bytesInFlight' in known ? known.bytesInFlight : null,
      unsentBytes: 'unsentBytes' in known ? known.unsentBytes : null,
    });
    // One query when it was late, if it was pinged, and one for the verdict.
    expect(asked).toHaveBeenCalledTimes(pings ? 2 : 1);
  });

  test.each([
    [0, 'vanished'],
    [1, 'vanished'],
    [2, 'silent'],
    [3, 'silent'],
  ])('uses the last acknowledged one of four unanswered pings: ping %d', async (last, reason) => {
    const stream = new CountingStream();
    const { dead, heartbeat } = watch(stream, { interval: 400, timeout: 1_700, send: 'ping' });
    const [ACK, WAIT] = [40, 5];
    while (dead.length === 0) {
      await pass(WAIT);
      const { [last]: acknowledged = stream.sent.at(-1), length } = stream.sent;
      tell({
        state: ESTABLISHED,
        timeSinceLastAckReceived: performance.now() - (acknowledged?.at ?? 0) - ACK + WAIT,
        bytesInFlight: 4 * Math.max(0, length - 1 - last),
        consecutiveTimeouts: length - 1 > last ? 1 : 0,
      });
    }
    expect(heartbeat.pings).toBe(4);
    expect(dead[0]?.death.reason).toBe(reason);
  });

  test('unread bytes in the kernel keep the peer alive until they are as old as the timeout', async () => {
    const stream = new CountingStream();
    const { dead } = watch(stream, { interval: 100, timeout: 300 });
    tell({ state: ESTABLISHED, timeSinceLastDataReceived: 200 });
    await pass(350);
    expect(dead).toEqual([]);
    tell({ state: ESTABLISHED, timeSinceLastDataReceived: 310 });
    await pass(150);
    expect(dead[0]?.death.timeSinceLastDataReceived).toBe(310);
  });

  test.each([
    ['never sent', (rest: number) => ({ unsentBytes: rest })],
    ['sent', (rest: number) => ({ bytesInFlight: rest })],
  ])(
    'a shrinking queue in the kernel (%s) is a sign of life, and the pings behind it are not',
    async (_, queued) => {
      const stream = new CountingStream();
      const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
      let acked = 1_000;
      const take = (bytes: number, rest: number) => {
        acked += bytes;
        tell({
          state: ESTABLISHED,
          bytesAcked: acked,
          ...queued(rest),
          timeSinceLastAckReceived: 1,
        });
      };
      take(0, 4_000);
      for (let rest = 3_800; rest >= 0; rest -= 200) {
        await pass(100);
        take(200, rest);
      }
      expect(dead).toEqual([]);
      // The peer has all data. Its kernel still acknowledges pings, but its program is silent.
      const last = performance.now();
      while (dead.length === 0 && performance.now() < last + 2_000) {
        await pass(50);
        take(2, 0);
      }
      expect(dead[0]?.death.reason).toBe('silent');
      expect(dead[0]?.at).toBeGreaterThanOrEqual(last + 200);
      expect(dead[0]?.at).toBeLessThanOrEqual(last + 300 + 2 * 100 + 13 + TICKS + 50);
    },
  );

  test('a queue that is always full keeps the peer alive while bytes are acknowledged', async () => {
    const stream = new CountingStream();
    const { dead, heartbeat } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    stream.hold();
    stream.write('data');
    for (let acked = 1_000; acked < 1_200; acked += 4) {
      tell({ state: ESTABLISHED, bytesAcked: acked, unsentBytes: 0, timeSinceLastAckReceived: 1 });
      await pass(90);
      stream.write('data');
      stream.letOneGo();
    }
    expect(heartbeat.pings).toBe(0);
    expect(dead).toEqual([]);
  });

  test('a queue that was in this program at the first query is a sign of life when it shrinks', async () => {
    const stream = new CountingStream();
    const options = { interval: 1_000, timeout: 3_000, send: 'ping' };
    const { dead, heartbeat } = watch(stream, options);
    let acked = 1_000;
    const known = (rest: number) => ({
      ...{ state: ESTABLISHED, bytesAcked: acked, bytesInFlight: 0, unsentBytes: rest },
      timeSinceLastAckReceived: 1,
    });
    const asked = tell(known(0));
    const answer = asked.getMockImplementation() as (...args: unknown[]) => never;
    asked.mockImplementationOnce(((...args: unknown[]) => {
      stream.hold();
      stream.write('x'.repeat(4_000));
      return answer(...args);
    }) as never);
    while (asked.mock.calls.length === 0) await pass(5);
    // The kernel takes the data at once, so no ping has to wait.
    tell(known(4_000));
    stream.letGo();
    for (let rest = 3_800; rest >= 0; rest -= 200) {
      await pass(500);
      acked += 200;
      tell(known(rest));
    }
    expect(heartbeat.skippedPings).toBe(0);
    expect(dead).toEqual([]);
  });

  test('bytes acknowledged before the last sign of life do not count in the next silence', async () => {
    const stream = new CountingStream();
    const { dead, late } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    tell({ state: ESTABLISHED, bytesAcked: 1_000, unsentBytes: 4_000 });
    while (late.length === 0) await pass(10);
    await pass(20);
    stream.receive('x');
    const last = performance.now();
    tell({ state: ESTABLISHED, bytesAcked: 6_000, unsentBytes: 0, timeSinceLastAckReceived: 1 });
    await pass(300 + 13 + TICKS);
    expect(dead).toHaveLength(1);
    expect(dead[0]?.at).toBeGreaterThanOrEqual(last + 300);
  });

  test('with isAlive: false, received bytes in the kernel do not keep the peer alive', async () => {
    const { dead } = watch(new CountingStream(), { interval: 100, timeout: 300, isAlive: false });
    tell({ state: ESTABLISHED, timeSinceLastDataReceived: 5 });
    await pass(350);
    expect(dead).toHaveLength(1);
  });

  test('a paused socket is dead if its data is not acknowledged', async () => {
    const stream = new CountingStream();
    stream.pause();
    const { dead } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    tell({ state: ESTABLISHED, bytesInFlight: 0 });
    await pass(1_000);
    expect(dead).toEqual([]);
    tell({ state: ESTABLISHED, bytesInFlight: 4, timeSinceLastAckReceived: 5_000 });
    await pass(350);
    expect(dead[0]?.death.reason).toBe('vanished');
  });

  describe('while the program cannot hear the peer', () => {
    const IDLE = { state: ESTABLISHED, bytesInFlight: 0, unackedSegments: 0, unsentBytes: 0 };
    const ways = [
      ['paused', (stream: CountingStream) => void stream.pause()],
      ['half-closed by the peer', (stream: CountingStream) => void stream.push(null)],
    ] as const;

    test.each(ways)(
      '%s: is dead if three probes are unanswered, not two',
      async (_how, prepare) => {
        const stream = new CountingStream();
        prepare(stream);
        const { dead } = watch(stream, { interval: 100, timeout: 300 });
        const silent = { ...IDLE, timeSinceLastAckReceived: 5_000 };
        tell({ ...silent, probes: 2 });
        await pass(3_000);
        expect(dead).toEqual([]);
        tell({ ...silent, probes: 3 });
        await pass(700 + TICKS);
        expect(dead[0]?.death).toMatchObject({ reason: 'vanished', code: 'ETIMEDOUT' });
      },
    );

    test.each(ways)('%s: is alive while its system answers', async (_how, prepare) => {
      const stream = new CountingStream();
      prepare(stream);
      const { dead, heartbeat } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
      tell({
        ...{ ...IDLE, bytesInFlight: 4, consecutiveTimeouts: 2, probes: 2 },
        timeSinceLastAckReceived: 250,
      });
      await pass(5_000);
      expect(dead).toEqual([]);
      expect(heartbeat.pings).toBeGreaterThan(40);
    });

    test.each(ways)('%s: data has time to be acknowledged', async (_how, prepare) => {
      const stream = new CountingStream();
      prepare(stream);
      const { dead } = watch(stream, { interval: 1_000, timeout: 3_000 });
      const path = { rtt: 400, rttVariance: 25, timeSinceLastAckReceived: 5_000 };
      tell({ ...IDLE, ...path });
      await pass(2_900);
      const written = performance.now();
      tell({ ...IDLE, ...path, bytesInFlight: 4 });
      await pass(500);
      expect(dead).toEqual([]);
      while (dead.length === 0) await pass(10);
      expect(dead[0]?.at).toBeGreaterThanOrEqual(written + 540);
      expect(dead[0]?.at).toBeLessThanOrEqual(written + 540 + 125 + 2 * TICKS);
    });
  });

  const CLOSED = tcpStates.indexOf('CLOSED');

  test.each([
    ['paused', (stream: CountingStream) => void stream.pause()],
    ['half-closed by its peer', (stream: CountingStream) => void stream.push(null)],
    [
      'not read',
      (stream: CountingStream) => {
        stream.pause();
        stream.receive('x');
      },
    ],
    ['read', () => {}],
  ])('a connection that the kernel closed is dead at once: %s', async (_how, prepare) => {
    for (const [known, reason] of [
      [{}, 'unknown'],
      [{ bytesInFlight: 0, unsentBytes: 0 }, 'unknown'],
      [{ timeSinceLastAckReceived: 5 }, 'unknown'],
      [{ probes: 1 }, 'vanished'],
      [{ consecutiveTimeouts: 1 }, 'vanished'],
      [{ unackedSegments: 1 }, 'vanished'],
    ] as const) {
      const stream = new CountingStream();
      prepare(stream);
      const { dead } = watch(stream, { interval: 100, timeout: 300 });
      const asked = tell({ state: ESTABLISHED });
      await pass(250);
      asked.mockRestore();
      tell({ state: CLOSED, ...known });
      await pass(50 + TICKS);
      expect(dead[0]?.death).toMatchObject({ reason, state: 'CLOSED' });
      expect(stream.errored).toMatchObject({
        code: 'ETIMEDOUT',
        message: expect.stringMatching(/, and the kernel has closed the connection$/),
      });
      vi.restoreAllMocks();
    }
  });

  test('a late check finds a connection that the kernel closed before the timeout', async () => {
    const stream = new CountingStream();
    const { dead, late } = watch(stream, { interval: 100, timeout: 1_000, send: 'ping' });
    tell({ state: CLOSED });
    await pass(550 + 13 + TICKS);
    expect(late).toHaveLength(1);
    expect(dead).toHaveLength(1);
  });

  test('a connection that both sides ended is not dead while its data is unread', async () => {
    const stream = new CountingStream();
    stream.pause();
    stream.receive('the rest');
    stream.push(null);
    stream.end();
    const { dead } = watch(stream, { interval: 100, timeout: 300 });
    tell({ state: CLOSED, bytesInFlight: 0 });
    await pass(1_000);
    expect(dead).toEqual([]);
    expect(String(stream.read())).toBe('the rest');
  });

  test.each([
    ['the kernel measured the path', { rtt: 300, rttVariance: 75 }, 640],
    ['the kernel reports no variance', { rtt: 400 }, 440],
  ])('a long path leaves the first ping time for an answer; %s', async (_how, path, most) => {
    const stream = new CountingStream();
    const { dead, heartbeat } = watch(stream, { interval: 1_000, timeout: 1_150, send: 'ping' });
    tell({ state: ESTABLISHED, ...path });
    let answered = 0;
    for (let i = 0; i < 2_000; i++) {
      await pass(10);
      const { [answered]: next } = stream.sent;
      if (next === undefined || performance.now() < next.at + 300) continue;
      answered++;
      stream.receive('pong');
    }
    expect(dead).toEqual([]);
    expect(answered).toBeGreaterThanOrEqual(18);
    // Without an answer, it is dead as soon as an answer was possible.
    await pass(2_000);
    const due = (stream.sent[answered]?.at ?? Number.NaN) + most;
    expect(dead[0]?.at).toBeGreaterThanOrEqual(due);
    expect(dead[0]?.at).toBeLessThanOrEqual(due + 2 * TICKS);
    expect(heartbeat.closed).toBe(true);
  });

  test('a path longer than the interval: is dead at the tick after an answer was possible', async () => {
    tell({ state: ESTABLISHED, rtt: 12_000 });
    const streams = Array.from({ length: 20 }, () => new CountingStream());
    const options = { interval: 8_000, timeout: 16_000, send: 'ping' };
    const told = streams.map((stream) => watch(stream, options));
    await pass(22_000);
    told.forEach(({ dead }, index) => {
      const due = (streams[index]?.sent[0]?.at ?? Number.NaN) + 12_040;
      expect(dead[0]?.at).toBeGreaterThanOrEqual(Math.max(16_000, due));
      expect(dead[0]?.at).toBeLessThanOrEqual(Math.max(16_000, due) + TICKS);
    });
  });

  test('a delayed ping has as much time for its answer as the last one took', async () => {
    const stream = new CountingStream();
    const { dead, heartbeat } = watch(stream, { interval: 1_000, timeout: 1_100, send: 'ping' });
    const isSent = async (count: number) => {
      while (stream.sent.filter(({ text }) => text === 'ping').length < count) {
        expect(dead).toEqual([]);
        await pass(10);
      }
    };
    for (const [answered, after] of [60, 120, 180, 240, 300].entries()) {
      await isSent(answered + 1);
      await pass(after);
      stream.receive('pong');
    }
    await pass(100);
    stream.hold();
    stream.write('data');
    await pass(950);
    expect(heartbeat.skippedPings).toBe(1);
    stream.letGo();
    await isSent(6);
    await pass(300);
    expect(dead).toEqual([]);
    stream.receive('pong');
    // The next ping has no answer: the peer is dead when the answer is overdue.
    await isSent(7);
    await pass(300 + 40 + 2 * TICKS);
    expect(dead).toHaveLength(1);
  });

  test('a listener cannot change the death that others get', async () => {
    const { heartbeat, dead } = watch(new CountingStream(), { interval: 100, timeout: 300 });
    heartbeat.prependListener('dead', (death) => Reflect.set(death, 'reason', 'changed'));
    await pass(300 + TICKS);
    expect(dead[0]?.death.reason).toBe('unknown');
    expect(heartbeat.socket.errored).toMatchObject({ death: { reason: 'unknown' } });
  });

  test('queries the kernel once for many suspects', async () => {
    const asked = tell({ state: ESTABLISHED });
    const told = Array.from({ length: 500 }, () => watch(new CountingStream(), { interval: 50 }));
    await pass(200);
    expect(told.flatMap(({ dead }) => dead)).toHaveLength(500);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(3);
    expect(asked.mock.calls.flatMap(([sockets]) => sockets as unknown[])).toHaveLength(500);
  });

  test('does not query the kernel while peers are alive', async () => {
    const asked = tell({});
    const stream = new CountingStream();
    watch(stream, { interval: 100, timeout: 300, send: 'ping' });
    for (let i = 0; i < 20; i++) {
      await pass(150);
      stream.receive('x');
    }
    expect(asked).not.toHaveBeenCalled();
  });
});

test('unansweredPings excludes pings of earlier silences', async () => {
  const stream = new CountingStream();
  const { dead, late, heartbeat } = watch(stream, { interval: 100, timeout: 300, send: 'ping' });
  const lateness: number[] = [];
  heartbeat.on('late', ({ unansweredPings }) => lateness.push(unansweredPings));
  for (let i = 0; i < 3; i++) {
    await pass(250);
    stream.receive('x');
  }
  await pass(400);
  expect(heartbeat.pings).toBeGreaterThan(7);
  expect(late).toHaveLength(4);
  expect(Math.max(...lateness)).toBeLessThanOrEqual(3);
  expect(dead[0]?.death.unansweredPings).toBeLessThanOrEqual(4);
});

test('a peer is never dead before its timeout, and always dead in time after it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        interval: fc.integer({ min: 50, max: 20_000 }),
        more: fc.integer({ min: 1, max: 40_000 }),
        pings: fc.boolean(),
        // Pauses as shares of the timeout.
        pauses: fc.array(fc.double({ min: 0.001, max: 0.999, noNaN: true }), { maxLength: 12 }),
      }),
      async ({ interval, more, pings, pauses }) => {
        const timeout = interval + more;
        const stream = new CountingStream();
        const { dead, heartbeat } = watch(stream, {
          ...{ interval, timeout },
          ...(pings ? { send: 'ping' } : {}),
        });
        let last = performance.now();
        for (const pause of pauses) {
          await pass(Math.floor(pause * timeout));
          expect(dead).toEqual([]);
          stream.receive('x');
          last = performance.now();
        }
        const step = stepOf(interval, timeout);
        await pass(step + TICKS);
        // The first ping of a silence has as much time as the last answer took.
        const answered = pings ? interval + (heartbeat.rtt ?? 0) + 40 : 0;
        await pass(Math.max(timeout, answered) + step + 20);
        expect(dead).toHaveLength(1);
        expect(dead[0]?.at).toBeGreaterThanOrEqual(last + timeout);
        expect(heartbeat.closed).toBe(true);
      },
    ),
    { numRuns: 150 },
  );
  // Each turn of the fake clock waits for a real one, which takes long in Wine.
}, 120_000);
