// Living peers on paths that lose packets: counts how many are ended, and in how many hours of connections. node loss.mjs
// <file with the request>. It needs a network namespace of its own.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { planDeadPeerTimeout } from '../../../dist/index.js';
import { keepWriting } from './activities.mjs';
import { Cell } from './cell.mjs';
import { connect } from './connections.mjs';
import { makeHosts } from './hosts.mjs';
import { measureLateness } from './lateness.mjs';

/** The share of packets that are lost each way, and how many connections are watched: more where something can be seen. */
const LOSSES = [
  [0.05, 10],
  [0.1, 10],
  [0.2, 40],
  [0.3, 100],
];
const DELAY = 0.01;
const WRITES = 1_000;
const HOUR = 3_600_000;

/** Keeps one connection of a group open until `end`, and opens another in place of one that was ended. */
async function keepOpen(group, flow, end, path) {
  const { timeout, loss, isWriting } = group;
  const clean = { delay: DELAY, loss_up: 0, loss_down: 0 };
  while (performance.now() < end) {
    // Connecting has no part in this measurement.
    await path.set(flow, clean);
    const cell = new Cell({ timeout, way: 'setDeadPeerTimeout' }, [flow]);
    const socket = await connect(cell);
    if (isWriting) keepWriting(cell, WRITES);
    // The last segment of the handshake must arrive: the peer's system forgets a connection without it.
    await sleep(20_000 * DELAY);
    const start = await path.set(flow, { loss_up: loss, loss_down: loss });
    while (cell.told === null && performance.now() < end) await sleep(50);
    group.hours += ((cell.told ?? performance.now()) - start) / HOUR;
    if (cell.told !== null) {
      group.ended++;
      group.codes[cell.code] = (group.codes[cell.code] ?? 0) + 1;
    }
    socket.resetAndDestroy();
  }
}

/**
 * Per hour. The chance within an hour does not show it where it is certain. Then the values of the plan do for an idle
 * connection, and nothing is stated for a writing one.
 */
function statedRate(timeout, lossRate, isWriting) {
  const plan = planDeadPeerTimeout(timeout, { lossRate });
  const chance = isWriting ? plan.falseAlarmsPerHourWriting : plan.falseAlarmsPerHour;
  if (chance < 0.999 || isWriting) return -Math.log1p(-chance);
  const { keepAliveInitialDelay: first, keepAliveInterval: interval } = plan.options;
  const unanswered = 1 - (1 - lossRate) ** 2;
  const round = first + (interval * unanswered) / (1 - unanswered);
  return (HOUR / round) * -Math.log1p(-(unanswered ** plan.probes));
}

async function main({ relay, seed, certificate, timeouts, seconds }) {
  const hosts = await makeHosts({ relay, seed });
  await hosts.peer.ask('listen', certificate);
  const groups = timeouts.flatMap((timeout) =>
    LOSSES.flatMap(([loss, connections]) =>
      [false, true].map((isWriting) => {
        const counts = { hours: 0, ended: 0, codes: {} };
        const stated = statedRate(timeout, loss, isWriting);
        return { timeout, loss, connections, isWriting, stated, ...counts };
      }),
    ),
  );
  const lateness = measureLateness({ isStrict: true });
  const end = performance.now() + 1_000 * seconds;
  let flow = 0;
  const all = groups.flatMap((group) =>
    Array.from({ length: group.connections }, async () => {
      const own = ++flow;
      // They do not begin at the same moment.
      await sleep((own % 100) * 50);
      await keepOpen(group, own, end, hosts.path);
    }),
  );
  await Promise.all(all);
  const report = { groups, lateness: lateness.summary(), cpuSeconds: hosts.cpuSeconds() };
  process.stdout.write(JSON.stringify(report), () => process.exit(0));
}

await main(JSON.parse(readFileSync(process.argv[2], 'utf8')));
