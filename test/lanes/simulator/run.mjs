// npm run test:simulator: a model of TCP runs random histories under the rule of supervision. No peer that answers in time
// may be ended, and each dead one must be told in time. --seed and --histories choose others, --workers=2 takes two cores.
// --show=SEED prints one history with everything that supervision saw.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { plants } from './planted-faults.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    histories: { type: 'string', default: '1000000' },
    workers: { type: 'string', default: '1' },
    show: { type: 'string' },
    plants: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const seed = Number(values.seed);
const histories = Number(values.histories);
const PER_PLANT = 150_000;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const rule = here('../../../lib/dead-peer/supervision/rule.ts');
const text = readFileSync(rule, 'utf8');
const folder = await mkdtemp(join(tmpdir(), 'simulator-'));

/** Bundles the simulator with a variant of the rule. */
async function bundle(name, contents) {
  const outfile = join(folder, `${name}.cjs`);
  const replaceRule = {
    name: 'rule',
    setup({ onLoad }) {
      onLoad({ filter: /supervision\/rule\.ts$/ }, () => ({ contents, loader: 'ts' }));
    },
  };
  await build({
    entryPoints: [here('worker.mjs')],
    bundle: true,
    platform: 'node',
    outfile,
    logLevel: 'error',
    // The rule calls nothing of the addon.
    loader: { '.node': 'empty' },
    plugins: [replaceRule],
  });
  return outfile;
}

async function run(file, workerData) {
  const worker = new Worker(file, { workerData });
  const [summary] = await once(worker, 'message');
  return summary;
}

let failures = 0;
function report(isRight, line) {
  if (!isRight) failures++;
  console.log(`${isRight ? 'ok  ' : 'FAIL'} ${line}`);
}

async function findPlants() {
  console.log(`planted faults, at most ${PER_PLANT} histories each:`);
  for (const [index, [name, from, to]] of plants.entries()) {
    if (!text.includes(from)) throw new Error(`rule.ts has no "${from}" for: ${name}`);
    const file = await bundle(`plant-${index}`, text.replaceAll(from, to));
    const { broken, losses, histories } = await run(file, {
      first: seed,
      count: PER_PLANT,
      most: 1,
    });
    const [first] = broken;
    const isFound = first !== undefined || losses.some(({ isTooOften }) => isTooOften);
    const how =
      first === undefined ? 'by the share of false alarms' : `${first.promise} (${first.what})`;
    report(isFound, `${name}: ${isFound ? `found after ${histories}, ${how}` : 'not found'}`);
  }
}

async function runAll(file) {
  const workers = Number(values.workers);
  const count = Math.ceil(histories / workers);
  const parts = await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      run(file, { first: seed + index * count, count, most: 100 }),
    ),
  );
  for (const part of parts) print(part);
}

function print({ histories, verdicts, broken, closest, losses }) {
  console.log(`\n${histories} histories:`, verdicts);
  for (const found of Object.values(closest).flat()) {
    console.log(
      `     closest, ${found.promise}: ${found.excess.toFixed(3)}, seed ${found.seed} (${found.what})`,
    );
  }
  for (const { name, histories, hours, ended, stated, isTooOften } of losses) {
    const line = `${name}: ${ended} of ${histories} ended in ${hours.toFixed(0)} h, stated ${stated.toFixed(1)}`;
    report(!isTooOften, line);
  }
  for (const { promise, excess, seed, what } of broken) {
    report(false, `${promise}: ${excess.toFixed(0)} beyond, --show=${seed} (${what})`);
  }
  report(broken.length === 0, `${broken.length} histories broke the promise`);
}

try {
  const file = await bundle('rule', text);
  if (values.show === undefined) {
    console.log(`seed ${seed}`);
    if (values.plants) await findPlants();
    const start = performance.now();
    await runAll(file);
    console.log(`${((performance.now() - start) / 1_000).toFixed(1)} s`);
  } else {
    await run(file, { show: Number(values.show) });
  }
} finally {
  await rm(folder, { recursive: true });
}
process.exitCode = failures > 0 ? 1 : 0;
