// A thread of run.mjs: runs a batch of histories, or prints one.

import { parentPort, workerData } from 'node:worker_threads';
import { isTooOften, runBatch } from './batch.ts';
import { check } from './checks.ts';
import { drawHistory } from './histories.ts';
import { simulate } from './simulate.ts';

const { first, count, most, show } = workerData;

if (show === undefined) {
  const summary = runBatch(first, count, most);
  const losses = Object.values(summary.losses).map((cell) => ({
    ...cell,
    isTooOften: isTooOften(cell),
  }));
  parentPort?.postMessage({ ...summary, losses });
} else {
  const drawn = drawHistory(show);
  const looks = [];
  const outcome = simulate(drawn.history, looks);
  console.dir(drawn, { depth: null });
  for (const [time, report] of looks)
    console.log(time.toFixed(0).padStart(8), JSON.stringify(report));
  console.dir({ ...outcome, findings: check(drawn, outcome) }, { depth: null });
  parentPort?.postMessage(undefined);
}
