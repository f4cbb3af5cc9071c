// npm run test:node-tests [-- --debian <release>] [<part of a name>...]: runs Node's own tests of net, tls, http, https,
// http2 and cluster with tuneSockets() in every process. Each must end as it does without.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installed } from '../../support/cache.cjs';
import { Runner, tuned } from './outcome.mjs';
import { nodeTests } from './sources.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const NAMES = /^test-(net|tls|https?|http2|cluster)[-.].*\.?m?js$/;
/** Tests in parallel/ run so many at a time, those in sequential/ alone. */
const JOBS = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    debian: { type: 'string', default: 'trixie' },
    jobs: { type: 'string', default: `${JOBS}` },
    inside: { type: 'boolean', default: false },
  },
});

const node = join(installed('node-tests', here), `node-${values.debian}/bin/node`);
const running = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
const { folder, version } = nodeTests(values.debian, running);

/** Runs this file again in new network and process namespaces, where nothing else listens, and nothing is left behind. */
function enterNamespaces() {
  const flags = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  if (process.getuid() !== 0) flags.push('--user', '--map-root-user');
  const command = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath];
  const args = [...flags, ...command, fileURLToPath(import.meta.url), '--inside'];
  const { status } = spawnSync('unshare', [...args, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const scratch = mkdtempSync(join(tmpdir(), 'socket-options-node-tests-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
const runner = new Runner({ node, folder, scratch });

function testsOf(directory) {
  return readdirSync(join(folder, 'test', directory))
    .filter((name) => NAMES.test(name))
    .map((name) => `${directory}/${name}`)
    .filter((test) => positionals.length === 0 || positionals.some((part) => test.includes(part)));
}

/** Calls `use` with each item and the number of a job, so many at a time. */
async function each(items, jobs, use) {
  const waiting = [...items];
  const job = async (slot) => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await use(item, slot);
    }
  };
  await Promise.all(Array.from({ length: jobs }, (_, slot) => job(slot)));
}

/** The verdicts on tests: name, verdict, reason, output. */
const results = [];
const durations = [];

async function first(test, slot, again) {
  const outcome = await runner.run(test, { env: tuned(), slot });
  durations.push([outcome.seconds, test]);
  if (outcome.kind === 'passed') results.push({ test, verdict: 'passed' });
  else again.push({ test, outcome });
}

async function main() {
  const start = performance.now();
  const again = [];
  await each(testsOf('parallel'), Number(values.jobs), (test, slot) => first(test, slot, again));
  for (const test of testsOf('sequential')) await first(test, 0, again);
  console.log(`first runs: ${Math.round((performance.now() - start) / 1000)} s, ${again.length} to judge`);
  for (const { test, outcome } of again) {
    const result = { test, ...(await runner.judge(test, outcome, { slot: 0 })) };
    results.push(result);
    console.log(`${result.verdict} ${test}: ${result.reason}\n${result.output ?? ''}`);
  }
  durations.sort(([a], [b]) => b - a);
  console.log(durations.slice(0, 25).map(([s, t]) => `${s.toFixed(1)} ${t}`).join('\n'));
  const count = (verdict) => results.filter((one) => one.verdict === verdict).length;
  console.log(`\n${Math.round((performance.now() - start) / 1000)} s`);
  console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  process.exitCode = count('failed') === 0 ? 0 : 1;
}

if (values.inside) await main();
else enterNamespaces();
