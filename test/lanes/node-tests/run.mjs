// npm run test:node-tests [-- --debian=<release> --mode=<name>] [<part of a name>...]: runs Node's own tests of net, dgram,
// tls, http, https, http2 and cluster with this package in every process: with tuneSockets(), and with connect(), listen() and
// bind() in the place of Node's. Each must end as it does without, or as differences.mjs lists it.
//
// A test runs with this package first. If it does not pass, or takes long, it runs without, too; where they differ, with this
// package again.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
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
import { MODES } from './modes.mjs';
import { Runner } from './outcome.mjs';
import { selfTest } from './self-test.mjs';
import { nodeTests } from './sources.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
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
    mode: { type: 'string' },
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

function testsOf(folder, mode, directory) {
  return readdirSync(join(folder, 'test', directory))
    .filter((name) => mode.tests.test(name))
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

/** Runs and judges all tests of a mode. */
async function verdicts(runner, mode, folder) {
  const first = (test, slot) => runner.first(mode, test, { slot });
  const judge = (outcome, slot) => runner.judge(mode, outcome, { slot });
  const outcomes = [
    ...(await each(testsOf(folder, mode, 'parallel'), JOBS, first)),
    ...(await each(testsOf(folder, mode, 'sequential'), 1, first)),
  ];
  const decided = outcomes.filter(({ verdict }) => verdict !== undefined);
  const open = outcomes.filter(({ verdict }) => verdict === undefined);
  // What failed runs again alone: it may only have been too slow.
  const mayShare = ({ kind, test }) => kind === 'passed' && test.startsWith('parallel/');
  console.log(`${outcomes.length} tests ran; ${open.length} run without this package, too`);
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

/** How often the preload of a mode was called, by the name of the function. Empties the file. */
function takeCalls(runner, mode) {
  const lines = existsSync(runner.calls) ? readFileSync(runner.calls, 'utf8').split('\n') : [];
  rmSync(runner.calls, { force: true });
  return mode.calls.map((name) => [name, lines.filter((line) => line === name).length]);
}

/** Returns how many tests have each verdict. */
function report(results) {
  const of = (wanted) => results.filter(({ verdict }) => verdict === wanted);
  for (const { test, reason, attempt } of of('passed')) {
    if (attempt > 1) console.log(`passed at attempt ${attempt}: ${test}, ${reason}`);
  }
  for (const { test, reason } of of('skipped')) console.log(`skipped ${test}: ${reason}`);
  for (const { test, reason } of of('different')) console.log(`different ${test}: ${reason}`);
  for (const { test, reason, output } of of('failed')) {
    console.log(`\nFAILED ${test}: ${reason}\n${output.slice(-SHOWN)}`);
  }
  const kinds = ['passed', 'different', 'failed', 'skipped'];
  return Object.fromEntries(kinds.map((kind) => [kind, of(kind).length]));
}

/** Runs all tests of a mode. Resolves to the numbers of tests, by verdict. */
async function runMode(runner, mode, folder) {
  const start = performance.now();
  const isWhole = positionals.length === 0;
  const problems = isWhole ? await selfTest(runner, mode) : [];
  if (problems.length > 0) stop(`the lane cannot judge:\n${problems.join('\n')}`);
  // Without those of the planted faults.
  takeCalls(runner, mode);
  const counts = report(await verdicts(runner, mode, folder));
  const calls = takeCalls(runner, mode);
  const seconds = Math.round((performance.now() - start) / 1_000);
  const counted = calls.map(([name, count]) => `, ${count} calls of ${name}`).join('');
  const { passed, different, failed, skipped } = counts;
  console.log(
    `${mode.title}: ${passed} passed, ${different} different as listed, ${failed} failed, ${skipped} skipped${counted}, ${seconds} s\n`,
  );
  const unused = calls.filter(([, count]) => count === 0).map(([name]) => name);
  if (isWhole && unused.length > 0)
    stop(`the lane proves nothing: no call of ${unused.join(', ')}`);
  return counts;
}

async function main({ node, folder, title }) {
  console.log(title);
  const modes = MODES.filter(({ name }) => values.mode === undefined || values.mode === name);
  if (modes.length === 0)
    stop(`no mode ${values.mode}: ${MODES.map(({ name }) => name).join(', ')}`);
  const scratch = mkdtempSync(join(tmpdir(), 'node-tests-'));
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
  nameLocalhost(scratch);
  const runner = new Runner({ node: placeNode(node, scratch), folder, scratch });
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const mode of modes) {
    const { passed, different, failed, skipped } = await runMode(runner, mode, folder);
    total.passed += passed + different;
    total.failed += failed;
    total.skipped += skipped;
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  if (total.passed === 0 || total.failed > 0) process.exitCode = 1;
}

const prepared = prepare();
if (values.inside) await main(prepared);
else enterNamespaces();
