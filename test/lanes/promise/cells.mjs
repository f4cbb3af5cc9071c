// Runs cases, all at the same time, and prints how each ended: node cells.mjs <file with the request>. It needs a network
// namespace of its own.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cell } from './cell.mjs';
import { FAULTS, prepareFaults, takeLinkDown } from './faults.mjs';
import { makeHosts } from './hosts.mjs';
import { allowedFor, judge } from './in-time.mjs';
import { measureLateness } from './lateness.mjs';
import { SharedMoment } from './shared-moment.mjs';
import { STATES } from './states.mjs';
import { openTrace } from './trace.mjs';

/** The cases do not begin at the same moment: that would take the whole processor. */
const SPREAD = 20_000;
/** Until the state is reached, beyond three timeouts for a window that is closed. */
const PREPARED_WITHIN = 120_000;
/** A path without a rate of its own: enough for an upload, and never a burst that a host's queue drops. */
const RATE = 2_000_000;
const QUEUE_SECONDS = 0.2;

/** For how long a case is watched after it was due, to see how late it is. */
const extraTime = (timeout) => Math.min(Math.max(timeout / 2, 5_000), 15_000);
/** A peer that does not hear us may send again and again. */
const GIVE_UP = 3;

async function reach(cell, world) {
  const state = STATES[cell.state];
  const fault = FAULTS[cell.fault];
  const { rate = RATE, open, prepare, before, after } = state;
  for (const flow of cell.flows) {
    await world.path.set(flow, { delay: cell.rtt / 2_000, rate, queue: rate * QUEUE_SECONDS });
  }
  if (state.isLostFirst) {
    const begun = await fault.begin(cell, world);
    await open(cell, world);
    return Math.max(begun, cell.calledAt);
  }
  await open(cell, world);
  await prepare?.(cell);
  if (state.settles !== false) {
    await sleep(200 + cell.phase * Math.min(cell.timeout / 3, 5_000));
  }
  if (cell.told !== null) throw new Error(`ended before the fault: ${cell.code}`);
  before?.(cell);
  const begun = await fault.begin(cell, world);
  if (cell.told === null) await after?.(cell);
  return begun;
}

/** The bound that the plan names for the state, in milliseconds after the peer fell silent. */
function boundOf({ plan, state }) {
  // It ended before the call.
  return plan?.bounds[STATES[state].bound ?? 'busy'];
}

async function lastArrival({ flows }, { path }) {
  return Math.max(...(await Promise.all(flows.map((flow) => path.lastArrival(flow)))));
}

/** Waits until the socket fails, or until it is much too late. */
async function untilTold(cell, fault, world) {
  const { timeout } = cell;
  const allowed = allowedFor({ timeout, named: boundOf(cell) });
  const end = fault + GIVE_UP * allowed + extraTime(timeout);
  let due = fault + allowed + extraTime(timeout);
  while (cell.told === null && performance.now() < end) {
    if (performance.now() > due) {
      const arrived = await lastArrival(cell, world);
      due = arrived + allowed + extraTime(timeout);
      if (performance.now() > due) break;
    }
    await sleep(20);
  }
  return lastArrival(cell, world);
}

async function run(cell, world) {
  const { timeout, rtt, state, fault, congestion, way, slowStartAfterIdle } = cell;
  const report = { timeout, rtt, state, fault, congestion, way, slowStartAfterIdle };
  const { linkDown, lateness, missing, trace } = world;
  if (missing.includes(fault)) return { ...report, isRight: true, why: 'skipped' };
  await sleep(cell.phase * SPREAD);
  let begun;
  try {
    const limit = PREPARED_WITHIN + 3 * timeout;
    begun = await Promise.race([
      reach(cell, world),
      sleep(limit, undefined, { ref: false }).then(() => {
        throw new Error(`not prepared within ${limit} ms`);
      }),
    ]);
  } catch (error) {
    if (cell.link === 1) linkDown.leave();
    cell.socket?.destroy();
    trace.end(cell, {});
    // The package has refused the socket, or the state could not be reached.
    return { ...report, ...judge({ failure: `${error.code ?? ''} ${error.message}` }) };
  }
  const arrived = await untilTold(cell, begun, world);
  const { told, code, endedAt } = cell;
  const named = boundOf(cell);
  cell.socket.destroy();
  trace.end(cell, { fault: begun, lastArrival: arrived, told, code });
  const seen = { timeout, named, fault: begun, lastArrival: Math.min(arrived, told ?? arrived) };
  const { excused } = lateness;
  const isReset = FAULTS[fault].resets === true;
  return { ...report, code, named, ...judge({ ...seen, told, code, endedAt, excused, isReset }) };
}

async function main({
  relay,
  seed,
  slowStartAfterIdle,
  certificate,
  cells,
  isAgain,
  run: number,
  traceFile,
}) {
  const hosts = await makeHosts({ relay, seed, slowStartAfterIdle });
  await hosts.peer.ask('listen', certificate);
  const missing = await prepareFaults();
  const trace = openTrace(traceFile, number);
  let flow = 0;
  const all = cells.map((values) => {
    const { addresses = 1 } = STATES[values.state];
    const flows = Array.from({ length: addresses }, () => ++flow);
    return new Cell(values, flows, FAULTS[values.fault].link, trace);
  });
  const linkDown = new SharedMoment(all.filter(({ link }) => link === 1).length, takeLinkDown);
  const lateness = measureLateness({ isStrict: isAgain });
  const start = performance.now();
  const world = { ...hosts, trace, linkDown, lateness, missing };
  const results = await Promise.all(all.map((cell) => run(cell, world)));
  const report = {
    results,
    lateness: lateness.summary(),
    seconds: (performance.now() - start) / 1_000,
    cpuSeconds: hosts.cpuSeconds(),
  };
  process.stdout.write(JSON.stringify(report), () => process.exit(0));
}

await main(JSON.parse(readFileSync(process.argv[2], 'utf8')));
