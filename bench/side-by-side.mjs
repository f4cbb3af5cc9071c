// Compares the same operations in other languages and runtimes: npm run bench:side-by-side [-- --json --rounds <number>].
//
// Each program is a process that waits for orders (side-by-side/loop.c has the protocol). In each round each program runs each
// operation once, in random order, while the others wait. A ratio is taken within a round, to the C loop inside Node.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { median, quartiles } from './median.mjs';
import { programsIn } from './programs.mjs';
import { shuffled } from './timing.mjs';

const OPERATIONS = ['set', 'get', 'tcpInfo'];
const BATCH_MS = 6;
/** Longer than a compiler of a runtime needs to see all that it compiles. */
const WARM_UP_MS = 150;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '81' },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('bench:side-by-side: --rounds takes a number from 1');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'socket-options-bench-'));
const children = [];
try {
  const programs = programsIn(folder);
  const started = programs.filter(({ skipped }) => skipped === undefined).map(start);
  for (const program of started) await warmUp(program);
  for (let round = 0; round < rounds; round++) await runRound(started);
  report(programs, started);
} finally {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true });
}

function start({ name, command: [program, ...args], sum, only = OPERATIONS }) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'close').then(([status, signal]) => {
    throw new Error(`${name} ended with ${signal ?? status}`);
  });
  ended.catch(() => {});
  /** Nanoseconds of CPU time for each of `count` operations. */
  const run = async (operation, count) => {
    child.stdin.write(`${operation} ${count}\n`);
    const [line] = await Promise.race([once(lines, 'line'), ended]);
    const [nanoseconds, read] = line.split(' ').map(Number);
    check(name, operation, read / count, sum);
    return nanoseconds / count;
  };
  const times = Object.fromEntries(only.map((operation) => [operation, []]));
  return { name, run, operations: only, counts: {}, times };
}

/** Each `set` has an even count, so that it ends with the odd values. A connection over loopback has a round-trip time. */
function check(name, operation, read, expected) {
  if (operation === 'set' || (operation === 'get' ? read === expected : read > 0)) return;
  throw new Error(`${name}: ${operation} read ${read}`);
}

async function warmUp({ run, operations, counts }) {
  for (const operation of operations) {
    let count = 2;
    for (let spent = 0; spent < WARM_UP_MS; ) {
      const ms = ((await run(operation, count)) * count) / 1e6;
      spent += ms;
      count = ms < BATCH_MS / 2 ? count * 2 : 2 * Math.ceil(((count / ms) * BATCH_MS) / 2);
    }
    counts[operation] = count;
  }
}

async function runRound(started) {
  for (const operation of OPERATIONS) {
    for (const { run, operations, counts, times } of shuffled(started)) {
      if (!operations.includes(operation)) continue;
      times[operation].push(await run(operation, counts[operation]));
    }
  }
}

function report(programs, [baseline, ...others]) {
  const results = { rounds, programs: [resultOf(baseline, baseline)] };
  for (const program of others) results.programs.push(resultOf(program, baseline));
  results.skipped = programs.flatMap(({ name, skipped }) => (skipped ? [{ name, skipped }] : []));
  if (values.json) console.log(JSON.stringify(results));
  else print(results);
}

function resultOf({ name, times }, baseline) {
  const operations = Object.entries(times).map(([operation, all]) => {
    const ratios = all.map((ns, round) => ns / baseline.times[operation][round]);
    return [operation, { ns: median(all), ratio: median(ratios), quartiles: quartiles(ratios) }];
  });
  return { name, ...Object.fromEntries(operations) };
}

function print({ programs, skipped }) {
  console.log(`${rounds} rounds, CPU time, to the C loop inside Node (quartiles)\n`);
  console.log(`${''.padEnd(38)}${OPERATIONS.map((name) => name.padEnd(20)).join('')}`);
  for (const program of programs) {
    const cells = OPERATIONS.map((operation) => {
      const { ratio, quartiles: [low, high] = [] } = program[operation] ?? {};
      if (ratio === undefined) return '-';
      return `${ratio.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
    });
    console.log(`${program.name.padEnd(38)}${cells.map((cell) => cell.padEnd(20)).join('')}`);
  }
  for (const { name, skipped: reason } of skipped) console.log(`skipped: ${name}: ${reason}`);
}
