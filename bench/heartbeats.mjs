// What heartbeats over thousands of sockets cost: for a message, for a tick, in memory; and beside timers.

import { median } from './median.mjs';
import { runInNamespace } from './namespace.mjs';

/** Milliseconds between the heartbeats' ticks. */
const TICK = 20;

export function measureHeartbeats({ rounds, smoke }) {
  const count = smoke ? 500 : 10_000;
  // For how long ticks are watched each time, in seconds; and how fast pings come, to be counted.
  const [seconds, pingInterval] = smoke ? [0.1, 200] : [1, 2_000];
  const args = [rounds, seconds, pingInterval];
  const measured = runInNamespace('beats.mjs', count, args, ['--expose-gc']);
  const { bytes, messages, receiving, work, tick, silent, beating, reads, cpu } = measured;

  const figure = (unit, ours, { budget = null, ...rest } = {}) => {
    const ok = budget === null || ours <= budget;
    return { unit, ours, ...rest, better: 'lower', budget, ok };
  };
  const withTimer = median(work.timer);
  const beat = median(messages.beat);
  return {
    // Where a protocol says what counts. Where any bytes do: heartbeatReceive.
    heartbeatPerMessageNs: figure('ns', beat, { beside: median(messages.store), budget: 60 }),
    heartbeatReceive: {
      ratio: median(receiving.watched.map((ns, round) => ns / receiving.plain[round])),
      ns: median(receiving.watched),
      peerNs: median(receiving.plain),
      ...{ better: 'lower', budget: null, ok: true },
    },
    heartbeatTick10kUs: figure('us', median(tick), { budget: 20 }),
    heartbeatTickWokenUs: figure('us', median(silent), {
      beside: median(reads),
      mean: mean(silent),
      longest: Math.max(...silent),
      beating: median(beating),
    }),
    heartbeatIdleMsPerSecond: figure('ms', median(cpu.with), {
      beside: median(cpu.without),
      budget: 5,
    }),
    heartbeatVsTimers: {
      ratio: median(work.timer.map((ns, round) => ns / work.heartbeat[round])),
      ns: median(work.heartbeat),
      peerNs: withTimer,
      // Of the messages alone, without the looks.
      messages: withTimer / beat,
      ...{ better: 'higher', budget: null, ok: true },
    },
    heartbeatBytes: figure('B', bytes.heartbeat, { beside: bytes.timer, budget: 800 }),
    // Beside what it would be if they were spread over the whole interval.
    heartbeatPingsPerTick: figure('pings', Math.max(...measured.pingsPerTick), {
      beside: (count * TICK) / pingInterval,
    }),
  };
}

function mean(numbers) {
  return numbers.reduce((sum, one) => sum + one) / numbers.length;
}
