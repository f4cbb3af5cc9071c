// Costs by the number of sockets, for the plots of docs/benchmarks.md: prints JSON. `--smoke` takes few sockets.

import { parseArgs } from 'node:util';
import { runInNamespace } from './namespace.mjs';
import { measureSupervisionOf } from './supervision.mjs';

const { values } = parseArgs({ options: { smoke: { type: 'boolean', default: false } } });
const { smoke } = values;

/** Of the descriptors of a process. More sockets are in several processes. */
const PER_PROCESS = 10_000;
const ROUNDS = smoke ? 3 : 9;

const counts = smoke ? [100, 200] : [1_000, 10_000, 50_000, 100_000];
const reads = counts.map((count) => {
  const args = [count, PER_PROCESS, ROUNDS];
  // Both ends of each connection are in the namespace.
  return {
    sockets: count,
    ...runInNamespace('series-reads.mjs', 'main', args, ['--expose-gc'], PER_PROCESS),
  };
});

// run.mjs measures 10,000 and 100,000.
const supervision = (smoke ? [100] : [1_000, 50_000]).map((connections) => {
  const { share } = measureSupervisionOf(connections, smoke);
  return { sockets: connections, percent: share };
});
console.log(JSON.stringify({ reads, supervision }));
