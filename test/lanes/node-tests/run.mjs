// npm run test:node-tests [-- --debian=<release>] [<part of a name>...]: runs Node's own tests of net, tls, http, https,
// http2 and cluster with tuneSockets() in every process. Each must end as it does without.
//
// A test runs with tuneSockets() first. If it does not pass, or takes long, it runs without, too; where they differ, with
// tuneSockets() again.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installed } from '../../support/cache.cjs';
import { Runner } from './outcome.mjs';
import { selfTest } from './self-test.mjs';
import { nodeTests } from './sources.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const NAMES = /^test-(net|tls|https?|http2|cluster)[-.].*m?js$/;
/** So many tests of parallel/ run at a time. Those of sequential/ run alone. */
const JOBS = 2;
/** Tests that take long only wait: more of them run at a time. */
const WAITING_JOBS = 6;
/** How much of the output of a failed test is shown. */
const SHOWN = 2_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    debian: { type: 'string', default: 'trixie' },
    inside: { type: 'boolean', default: false },
  },
});

function stop(reason) {
  console.error(reason);
  process.exit(1);
}

/** Node of npm, and the tests of the nearest version that Debian has. */
function prepare() {
  const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  const releases = Object.keys(dependencies).map((name) => name.replace('node-', ''));
  if (!releases.includes(values.debian)) {
    stop(`test:node-tests has the Debian releases ${releases.join(', ')}, not ${values.debian}`);
  }
  const node = join(installed('node-tests', here), `node-${values.debian}/bin/node`);
  const running = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  const { folder, version } = nodeTests(values.debian, running);
  const title = `Node ${running} of npm, tests of nodejs ${version} in Debian ${values.debian}`;
  const major = (text) => text.split('.')[0];
  if (major(version) !== major(running)) {
    stop(`${title}: change the version in test/lanes/node-tests/package.json`);
  }
  return { node, folder, title };
}

/**
 * Runs this file again in new network and process namespaces: nothing else listens there, and nothing is left behind.
 * Their first process is the shell, because it reaps orphans and Node does not.
 */
function enterNamespaces() {
  const flags = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  if (process.getuid() !== 0) flags.push('--user', '--map-root-user');
  const shell = ['sh', '-c', 'ip link set lo up && "$@"; exit $?', 'sh'];
  const again = [process.execPath, fileURLToPath(import.meta.url), '--inside'];
  const args = [...flags, ...shell, ...again, ...process.argv.slice(2)];
  const { status, error } = spawnSync('unshare', args, { stdio: 'inherit' });
  if (error !== undefined) console.error(`test:node-tests needs unshare: ${error.message}`);
  process.exit(status ?? 1);
}

/** Copies Node to a folder in which its tests find openssl(1), too. */
function placeNode(from, scratch) {
  const folder = join(scratch, 'bin');
  mkdirSync(folder);
  const node = join(folder, 'node');
  copyFileSync(from, node);
  const { status, stdout } = spawnSync('sh', ['-c', 'command -v openssl'], { encoding: 'utf8' });
  if (status === 0) symlinkSync(stdout.trim(), join(folder, 'openssl-cli'));
  return node;
}

/** Some tests need a name with addresses of both families. */
function nameLocalhost(scratch) {
  const hosts = join(scratch, 'hosts');
  writeFileSync(hosts, '127.0.0.1 localhost\n::1 localhost\n');
  execFileSync('mount', ['--bind', hosts, '/etc/hosts']);
}

function testsOf(folder, directory) {
  return readdirSync(join(folder, 'test', directory))
    .filter((name) => NAMES.test(name))
    .map((name) => `${directory}/${name}`)
    .filter((test) => positionals.length === 0 || positionals.some((part) => test.includes(part)));
}

/** Calls `use` with each item and the number of the job, `jobs` at a time. Resolves to the results. */
async function each(items, jobs, use) {
  const results = [];
  const waiting = [...items];
  const job = async (_, slot) => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      results.push(await use(item, slot));
    }
  };
  await Promise.all(Array.from({ length: jobs }, job));
  return results;
}

/** Runs and judges all tests. */
async function verdicts(runner, folder) {
  const first = (test, slot) => runner.first(test, { slot });
  const judge = (outcome, slot) => runner.judge(outcome, { slot });
  const outcomes = [
    ...(await each(testsOf(folder, 'parallel'), JOBS, first)),
    ...(await each(testsOf(folder, 'sequential'), 1, first)),
  ];
  const decided = outcomes.filter(({ verdict }) => verdict !== undefined);
  const open = outcomes.filter(({ verdict }) => verdict === undefined);
  // What failed runs again alone: it may only have been too slow.
  const mayShare = ({ kind, test }) => kind === 'passed' && test.startsWith('parallel/');
  console.log(`${outcomes.length} tests ran; ${open.length} run without tuneSockets(), too`);
  return [
    ...decided,
    ...(await each(open.filter(mayShare), WAITING_JOBS, judge)),
    ...(await each(
      open.filter((outcome) => !mayShare(outcome)),
      1,
      judge,
    )),
  ];
}

function report(results) {
  const of = (wanted) => results.filter(({ verdict }) => verdict === wanted);
  for (const { test, reason, attempt } of of('passed')) {
    if (attempt > 1) console.log(`passed at attempt ${attempt}: ${test}, ${reason}`);
  }
  for (const { test, reason } of of('skipped')) console.log(`skipped ${test}: ${reason}`);
  for (const { test, reason, output } of of('failed')) {
    console.log(`\nFAILED ${test}: ${reason}\n${output.slice(-SHOWN)}`);
  }
  const counts = ['passed', 'failed', 'skipped'].map((kind) => `${of(kind).length} ${kind}`);
  console.log(`\n${counts.join(', ')}`);
  return of('passed').length > 0 && of('failed').length === 0;
}

async function main({ node, folder, title }) {
  const start = performance.now();
  console.log(title);
  const scratch = mkdtempSync(join(tmpdir(), 'node-tests-'));
  try {
    nameLocalhost(scratch);
    const runner = new Runner({ node: placeNode(node, scratch), folder, scratch });
    const problems = positionals.length === 0 ? await selfTest(runner) : [];
    if (problems.length > 0) stop(`the lane cannot judge:\n${problems.join('\n')}`);
    const results = await verdicts(runner, folder);
    console.log(`${Math.round((performance.now() - start) / 1_000)} s`);
    if (!report(results)) process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const prepared = prepare();
if (values.inside) await main(prepared);
else enterNamespaces();
