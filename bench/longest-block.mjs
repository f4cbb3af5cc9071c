// How long the event loop is blocked while something runs. Times are without those in which this thread was ready to run
// and other programs had the processor: the kernel counts them (sched-stats of its documentation).

import { openSync, readSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

const schedstat = openSync('/proc/thread-self/schedstat');
const bytes = Buffer.alloc(64);

/** Milliseconds since the start of this process in which this thread waited for a processor. */
export function msWaited() {
  const length = readSync(schedstat, bytes, 0, bytes.length, 0);
  return Number(bytes.toString('latin1', 0, length).split(' ')[1]) / 1e6;
}

/** The longest time between two turns of the event loop, in milliseconds. */
export async function longestBlock(run) {
  return (await longestBlocks(run)).block;
}

/** The same; the longest time without the garbage collection in it; and the longest pause for garbage collection. */
export async function longestBlocks(run) {
  const blocks = [];
  const pauses = [];
  const record = (entries) => {
    for (const { startTime, duration } of entries) pauses.push([startTime, startTime + duration]);
  };
  const observer = new PerformanceObserver((list) => record(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  let last = performance.now();
  let waitedBefore = msWaited();
  let running = true;
  const turn = () => {
    const now = performance.now();
    const waited = msWaited();
    blocks.push([last, now, waited - waitedBefore]);
    last = now;
    waitedBefore = waited;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await run();
  running = false;
  // The last pauses are reported in a later turn.
  await new Promise((resolve) => setTimeout(resolve, 10));
  record(observer.takeRecords());
  observer.disconnect();
  const longest = (lengths) => lengths.reduce((most, length) => Math.max(most, length), 0);
  return {
    block: longest(blocks.map(([start, end, waited]) => end - start - waited)),
    blockWithoutGc: longest(
      blocks.map(([start, end, waited]) => end - start - waited - overlap(start, end, pauses)),
    ),
    gc: longest(pauses.map(([start, end]) => end - start)),
  };
}

/** How much of the time from `start` to `end` these spans take. */
function overlap(start, end, spans) {
  return spans.reduce(
    (total, [from, to]) => total + Math.max(0, Math.min(end, to) - Math.max(start, from)),
    0,
  );
}
