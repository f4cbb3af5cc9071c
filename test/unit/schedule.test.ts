// The schedule of due times, on a fake clock.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DueQueue } from '../../lib/core/due-queue';
import { Schedule, ScheduleEntry, TICK } from '../../lib/core/schedule';
import { withUncaught } from '../support/uncaught';

class Recorder extends ScheduleEntry {
  readonly times: number[] = [];
  readonly act: () => void;

  constructor(act: () => void = () => {}) {
    super();
    this.act = act;
  }

  override onDue(): void {
    this.times.push(performance.now());
    this.act();
  }
}

/** Total milliseconds for which the event loop was blocked. */
let blocked: number;
const set: [Schedule, ScheduleEntry][] = [];

/** Is cancelled after the test. */
function add(schedule: Schedule, time: number, act?: () => void): Recorder {
  const entry = new Recorder(act);
  set.push([schedule, entry]);
  schedule.set(entry, time);
  return entry;
}

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  blocked = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + blocked);
});
afterEach(() => {
  for (const [schedule, entry] of set.splice(0)) schedule.cancel(entry);
  if (vi.isFakeTimers()) expect(vi.getTimerCount()).toBe(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('DueQueue', () => {
  test('first is the earliest entry after any additions, moves and deletions', () => {
    const steps = fc.array(fc.tuple(fc.nat(60), fc.option(fc.nat(50), { freq: 3 })), {
      minLength: 100,
      maxLength: 300,
    });
    fc.assert(
      fc.property(steps, (changes) => {
        const queue = new DueQueue();
        const entries = Array.from({ length: 61 }, () => ({ dueAt: 0, heapIndex: -1 }));
        const expected = new Map<object, number>();
        for (const [index, dueAt] of changes) {
          const entry = entries[index] as (typeof entries)[number];
          if (dueAt === null) queue.delete(entry);
          else queue.set(entry, dueAt);
          if (dueAt === null) expected.delete(entry);
          else expected.set(entry, dueAt);
          const least = expected.size === 0 ? undefined : Math.min(...expected.values());
          expect(queue.first?.dueAt).toBe(least);
        }
        const sorted = [...expected.values()].sort((a, b) => a - b);
        const drained: number[] = [];
        for (let first = queue.first; first !== undefined; first = queue.first) {
          drained.push(first.dueAt);
          queue.delete(first);
          expect(first.heapIndex).toBe(-1);
        }
        expect(drained).toEqual(sorted);
      }),
    );
  });
});

describe('an entry', () => {
  test.each([1, 19.5, 20, 20.1, 59, 60, 5_000])(
    'that is due at %d ms runs once, at that time or up to a tick later',
    async (time) => {
      const entry = add(new Schedule(1_000), time);
      await pass(Math.ceil(time) - 1);
      expect(entry.times).toEqual([]);
      await pass(10_000);
      expect(entry.times).toEqual([Math.ceil(time / TICK) * TICK]);
    },
  );

  test('that is already due runs at the next tick', async () => {
    const schedule = new Schedule(1_000);
    await pass(100);
    const entry = add(schedule, 5);
    await pass(TICK);
    expect(entry.times).toEqual([120]);
  });

  test.each([200, 600])('that is set again to %d ms runs only at the new time', async (time) => {
    const schedule = new Schedule(1_000);
    const entry = add(schedule, 400);
    schedule.set(entry, time);
    await pass(2_000);
    expect(entry.times).toEqual([time]);
  });

  test('that sets itself again runs once in each wake-up', async () => {
    const schedule = new Schedule(1_000);
    const entry: Recorder = add(schedule, 100, () => {
      if (entry.times.length < 3) schedule.set(entry, 0);
    });
    await pass(1_000);
    expect(entry.times).toEqual([100, 120, 140]);
  });

  test('that another entry cancels in the same wake-up does not run', async () => {
    const schedule = new Schedule(1_000);
    const both: Recorder[] = [];
    const cancelOther = (index: number) => () => schedule.cancel(both[index] as Recorder);
    both.push(add(schedule, 100, cancelOther(1)), add(schedule, 100, cancelOther(0)));
    await pass(1_000);
    expect(both.flatMap(({ times }) => times)).toEqual([100]);
  });

  test('that throws causes an uncaught exception, and the others run', () =>
    withUncaught(async (thrown) => {
      const wrong = new Error('from an entry');
      const schedule = new Schedule(1_000);
      const others = [1, 2].map(() => add(schedule, 100));
      add(schedule, 100, () => {
        throw wrong;
      });
      others.push(add(schedule, 100), add(schedule, 200));
      await pass(1_000);
      expect(others.map(({ times }) => times)).toEqual([[100], [100], [100], [200]]);
      vi.useRealTimers();
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(thrown).toEqual([wrong]);
    }));
});

describe('one timer', () => {
  test('serves all entries and ends with the last one', async () => {
    const schedule = new Schedule(640);
    const entries = Array.from({ length: 1_000 }, (_, index) => add(schedule, 5_000 + index));
    expect(vi.getTimerCount()).toBe(1);
    await pass(5_500);
    expect(vi.getTimerCount()).toBe(1);
    for (const entry of entries) schedule.cancel(entry);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('fires every pace, and when an entry is due', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const schedule = new Schedule(160);
    add(schedule, 70);
    add(schedule, 80);
    add(schedule, 1_000);
    timers.mockClear();
    // At 80, 240, 400, 560, 720, 880, 1 000.
    await pass(1_100);
    expect(timers).toHaveBeenCalledTimes(6);
  });

  test('does not fire again after the last entry', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    add(new Schedule(160), 70);
    await pass(10_000);
    expect(timers).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('keeps the process alive only while an entry holds it', () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const schedule = new Schedule(160);
    const [one, other] = [add(schedule, 1_000), add(schedule, 1_000)];
    const hasRef = () => timers.mock.results.at(-1)?.value.hasRef();
    expect(hasRef()).toBe(false);
    schedule.setRef(one, true);
    schedule.setRef(one, true);
    schedule.setRef(other, true);
    expect(hasRef()).toBe(true);
    schedule.setRef(one, false);
    expect(hasRef()).toBe(true);
    // Also for a timer created meanwhile.
    schedule.set(one, 40);
    expect(hasRef()).toBe(true);
    schedule.cancel(other);
    expect(hasRef()).toBe(false);
  });

  test('is created once in a wake-up in which 100 entries set themselves again', async () => {
    const schedule = new Schedule(1_000);
    for (let index = 0; index < 100; index++) {
      const entry: Recorder = add(schedule, 100, () => schedule.set(entry, performance.now() + 60));
    }
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await pass(1_000);
    expect(timers).toHaveBeenCalledTimes(16);
  });

  test('fires at ticks, also after a late wake-up', async () => {
    const schedule = new Schedule(100);
    add(schedule, 1e9);
    await pass(90);
    blocked += 13;
    await pass(10);
    expect(schedule.now).toBe(113);
    await pass(86);
    expect(schedule.now).toBe(113);
    await pass(1);
    expect(schedule.now).toBe(200);
  });

  test.each([0, 1_000])('runs at most 256 entries at once, after a block of %d ms', async (ms) => {
    const schedule = new Schedule(1_000);
    const order: number[] = [];
    const entries = Array.from({ length: 1_000 }, (_, index) =>
      add(schedule, ms === 0 ? 100 : 80 + 20 * (index % 2), () => order.push(index % 2)),
    );
    await pass(79);
    blocked += ms;
    await pass(50);
    const counts = new Map<number, number>();
    for (const { times } of entries) {
      expect(times).toHaveLength(1);
      counts.set(times[0] as number, (counts.get(times[0] as number) ?? 0) + 1);
    }
    expect([...counts.values()].sort((a, b) => a - b)).toEqual([232, 256, 256, 256]);
    if (ms > 0) expect(order).toEqual([...order].sort());
    const [first, ...rest] = [...counts.keys()].sort((a, b) => a - b) as [number, ...number[]];
    expect(rest).toEqual([first + 4, first + 8, first + 12]);
  });
});

describe('the schedule for a resolution', () => {
  test.each([
    [1, 20, 20],
    [39.9, 20, 20],
    [40, 40, 20],
    [79, 60, 20],
    [125, 120, 60],
    [179, 160, 80],
    [3_750, 3_200, 1_600],
    [25_000, 20_480, 10_240],
    [2 ** 28, 251_658_240, 10_240],
  ])('of %d ms equals that for %d ms, with a wake-up every %d ms', (resolution, shared, pace) => {
    expect(Schedule.for(resolution).pace).toBe(pace);
    expect(Schedule.for(resolution)).toBe(Schedule.for(shared));
    if (shared > TICK) expect(Schedule.for(shared - 0.1)).not.toBe(Schedule.for(shared));
  });

  test('counts the delay of a timer in full up to half the resolution and a tick', async () => {
    const schedule = Schedule.for(120);
    add(schedule, performance.now() + 1e9);
    await pass(30);
    blocked += 60 + TICK;
    await pass(120);
    expect(schedule.awake).toBe(schedule.now);
    blocked += 60 + TICK + 1;
    await pass(60);
    expect(schedule.awake).toBe(schedule.now - 1);
  });

  test('readAwake() is at most the resolution and a tick before latest, with any late timer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 20, max: 5_000 }),
        fc.array(fc.tuple(fc.nat(3_000), fc.nat(9_000)), { minLength: 1, maxLength: 10 }),
        async (resolution, steps) => {
          const schedule = Schedule.for(resolution);
          const entry = add(schedule, performance.now() + 1e9);
          for (const [wait, block] of steps) {
            await pass(wait);
            const { latestAwake: latest } = schedule;
            const happened = schedule.readAwake();
            expect(latest - happened).toBeGreaterThanOrEqual(0);
            expect(latest - happened).toBeLessThanOrEqual(resolution + TICK);
            blocked += block;
            await pass(schedule.pace);
            expect(schedule.awake).toBeGreaterThanOrEqual(happened);
            schedule.set(entry, performance.now() + 1e9);
          }
          schedule.cancel(entry);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('the clocks', () => {
  test('both have the time of the last wake-up', async () => {
    const schedule = new Schedule(100);
    add(schedule, 10_000);
    const start = schedule.now;
    await pass(1_050);
    expect([schedule.now - start, schedule.awake - start]).toEqual([1_000, 1_000]);
  });

  test('awake counts at most one pace of a late timer', async () => {
    const schedule = new Schedule(100);
    add(schedule, 1e9);
    await pass(200);
    // The timer of 300 ms fires at 5 200 ms.
    blocked += 4_900;
    await pass(100);
    expect(schedule.now).toBe(5_200);
    expect(schedule.awake).toBe(300 + 100);
    expect(schedule.whenAwake(1_000)).toBe(1_000 + 4_800);
  });

  test('awake counts a delay below one pace in full', async () => {
    const schedule = new Schedule(100);
    add(schedule, 1e9);
    await pass(200);
    for (let i = 0; i < 10; i++) {
      blocked += 99;
      await pass(100);
    }
    expect(schedule.awake).toBe(schedule.now);
    expect(schedule.now).toBeGreaterThanOrEqual(2_000);
  });

  test('awake counts all time without entries', async () => {
    const schedule = new Schedule(100);
    add(schedule, 50);
    await pass(100_000);
    expect(schedule.readAwake()).toBe(100_000);
    await pass(100_000);
    add(schedule, 1e9);
    expect(schedule.now).toBe(200_000);
    expect(schedule.readAwake()).toBe(200_000);
    expect(schedule.awake).toBe(200_000);
  });

  test('stop during a wake-up, also when its last entry is cancelled', async () => {
    const schedule = new Schedule(100);
    const clocks: number[][] = [];
    const entry: Recorder = add(schedule, 100, () => {
      schedule.cancel(entry);
      blocked += 5_000;
      schedule.set(entry, 1e9);
      clocks.push([schedule.now, schedule.awake]);
    });
    await pass(100);
    expect(clocks).toEqual([[100, 100]]);
    // The timer of 200 ms fires at 5 101 ms.
    await pass(1);
    expect([schedule.now, schedule.awake]).toEqual([5_101, 300]);
  });

  test('readAwake() is exact between wake-ups, and at most latest', async () => {
    const schedule = new Schedule(100);
    add(schedule, 1e9);
    await pass(230);
    expect([schedule.now, schedule.readAwake()]).toEqual([200, 230]);
    blocked += 5_000;
    expect(schedule.readAwake()).toBe(schedule.latestAwake);
    expect(schedule.latestAwake).toBe(300 + 100);
  });

  test('readAwake() is never later than `latest`, and at most two paces before it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(20, 40, 160),
        fc.array(fc.record({ wait: fc.nat(300), block: fc.nat(2_000), due: fc.nat(900) }), {
          maxLength: 20,
        }),
        async (pace, steps) => {
          const schedule = new Schedule(pace);
          const entry = add(schedule, performance.now() + 1e9);
          for (const { wait, block, due } of steps) {
            await pass(wait);
            schedule.set(entry, schedule.now + due);
            const { latestAwake: latest } = schedule;
            const happened = schedule.readAwake();
            expect(latest - happened).toBeGreaterThanOrEqual(0);
            expect(latest - happened).toBeLessThanOrEqual(2 * pace);
            blocked += block;
            await pass(pace);
            expect(schedule.awake).toBeGreaterThanOrEqual(happened);
            expect(schedule.awake).toBeLessThanOrEqual(Math.max(latest, schedule.latestAwake));
            schedule.set(entry, performance.now() + 1e9);
          }
          schedule.cancel(entry);
        },
      ),
      { numRuns: 100 },
    );
  });
});
