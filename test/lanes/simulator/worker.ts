// A thread of run.mjs: runs a batch of histories, or prints one.

import { parentPort, workerData } from 'node:worker_threads';
import { isTooOften, runBatch } from './batch';
import { check } from './checks';
import { drawHistory } from './histories';
import type { Look } from './history';
import { simulate } from './simulate';

const { first, count, most, show } = workerData as Readonly<Record<string, number>>;

if (show === undefined) {
  const summary = runBatch(first as number, count as number, most);
  const losses = Object.values(summary.losses).map((cell) => ({
    ...cell,
    isTooOften: isTooOften(cell),
  }));
  parentPort?.postMessage({ ...summary, losses });
} else {
  const drawn = drawHistory(show);
  const looks: Look[] = [];
  const outcome = simulate(drawn.history, looks);
  console.dir(drawn, { depth: null });
  for (const [time, report] of looks)
    console.log(time.toFixed(0).padStart(8), JSON.stringify(report));
  console.dir({ ...outcome, findings: check(drawn, outcome) }, { depth: null });
  parentPort?.postMessage(undefined);
}
