// What heartbeats over thousands of sockets cost: for a message, while nothing happens, in memory; and beside timers.

import { median, quartiles } from './median.mjs';
import { QUIET, runInNamespace } from './namespace.mjs';

export function measureHeartbeats({ rounds, smoke }) {
  const count = smoke ? 500 : 10_000;
  // Intervals: of the idle ones; and how fast pings come, to be counted.
  const [idleInterval, pingInterval] = smoke ? [600, 200] : [30_000, 2_000];
  const args = [rounds, idleInterval, pingInterval];
  const measured = runInNamespace('beats.mjs', count, args, QUIET);
  const { bytes, messages, receiving, work, idle, pingsPer20Ms } = measured;

  const figure = (unit, ours, { budget = null, ...rest } = {}) => {
    const ok = budget === null || ours <= budget;
    return { unit, ours, ...rest, better: 'lower', budget, ok };
  };
  const withTimer = median(work.timer);
  const beat = median(messages.beat);
  const receives = receiving.watched.map((ns, round) => ns / receiving.plain[round]);
  const gains = work.timer.map((ns, round) => ns / work.heartbeat[round]);
  return {
    // Where a protocol says what counts. Where any bytes do: heartbeatReceive.
    heartbeatPerMessageNs: figure('ns', beat, {
      quartiles: quartiles(messages.beat),
      beside: median(messages.store),
      budget: 60,
    }),
    heartbeatReceive: {
      ratio: median(receives),
      quartiles: quartiles(receives),
      ns: median(receiving.watched),
      peerNs: median(receiving.plain),
      ...{ better: 'lower', budget: null, ok: true },
    },
    // With their pings, each the call of a function.
    heartbeatIdleMsPerSecond: figure('ms', idle.called, { beside: idle.none, budget: 5 }),
    // With pings that are written: the stream and the system call of each.
    heartbeatPingingMsPerSecond: figure('ms', idle.written, { beside: idle.called }),
    heartbeatVsTimers: {
      ratio: median(gains),
      quartiles: quartiles(gains),
      ns: median(work.heartbeat),
      peerNs: withTimer,
      // Of the messages alone, without wake-ups and pings.
      messages: withTimer / beat,
      ...{ better: 'higher', budget: null, ok: true },
    },
    heartbeatBytes: figure('B', bytes.heartbeat, { beside: bytes.timer, budget: 800 }),
    // Beside what it would be if they were spread over the whole interval.
    heartbeatPingsPer20Ms: figure('pings', pingsPer20Ms, { beside: (count * 20) / pingInterval }),
  };
}
