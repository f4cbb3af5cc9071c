// Measures the package side by side with a loop in C and with its peers, in one process.
//
// Times are CPU time of this process, all of its threads: a machine shared with other work counts
// less, and garbage collection in the background is not free. Only loading is told by the clock.
// Every round runs every subject once, in random order; a ratio is taken within a round, and the
// median over the rounds is reported: whatever slows the machine down slows both sides of it.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { measureConnections } from './connections.mjs';
import { measureAddon, measureLoading } from './footprint.mjs';
import { median } from './median.mjs';
import { cases, subjectsOn } from './subjects.mjs';

const USAGE = `usage: npm run bench -- [--json] [--smoke] [--rounds <number>]

  --json      one JSON object instead of the table
  --smoke     a few rounds, to see that everything runs; budgets are not enforced
  --rounds    how many rounds (81)

Exits with 1 if a budget is missed, 2 for wrong arguments.
`;

const BATCH_MS = 6;
const WARM_UP_MS = 60;

const { json, smoke, rounds } = readArguments();
const results = {
  ...(await measureCalls()),
  ...(await measureConnections({ rounds, smoke })),
  ...measureLoading(rounds),
  ...measureAddon(),
};
results.tcpInfoReader.bytesPerRead = results.bytesPerRead.ours;
if (json) console.log(JSON.stringify(results));
else printTable();

if (smoke) checkNumbers();
else if (Object.values(results).some(({ ok }) => !ok)) process.exitCode = 1;

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        rounds: { type: 'string' },
      },
    });
    const rounds = Number(values.rounds ?? (values.smoke ? 3 : 81));
    if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1');
    return { ...values, rounds };
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function measureCalls() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect(server.address());
  await once(socket, 'connect');
  try {
    return compareCases(timeSubjects(subjectsOn(socket)));
  } finally {
    socket.destroy();
    server.close();
  }
}

/** Nanoseconds of CPU time per call of every subject, in every round. */
function timeSubjects(subjects) {
  const names = Object.keys(subjects);
  const counts = {};
  const times = {};
  for (const name of names) {
    subjects[name].check();
    times[name] = [];
  }
  // More than once: the first calls of one subject make the compiler think again about others.
  for (let pass = 0; pass < 3; pass++) {
    for (const name of names) counts[name] = warmUp(subjects[name].run);
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) {
      times[name].push((cpuMs(subjects[name].run, counts[name]) * 1e6) / counts[name]);
    }
  }
  for (const name of names) subjects[name].check();
  return times;
}

/** Runs for a while; returns how many calls make a batch, an even number. */
function warmUp(run) {
  let count = 2;
  let spent = 0;
  while (spent < WARM_UP_MS) {
    const ms = cpuMs(run, count);
    spent += ms;
    count = ms < BATCH_MS / 2 ? count * 2 : 2 * Math.ceil(((count / ms) * BATCH_MS) / 2);
  }
  return count;
}

function cpuMs(run, count) {
  const start = process.cpuUsage();
  run(count);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function shuffled(names) {
  const rest = [...names];
  for (let i = rest.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [rest[i], rest[j]] = [rest[j], rest[i]];
  }
  return rest;
}

function compareCases(times) {
  const compared = {};
  for (const { name, ours, floor, peer, better, budget } of cases) {
    const other = floor ?? peer;
    const ratios = times[ours].map((ns, round) => ns / times[other][round]);
    const ratio = better === 'lower' ? median(ratios) : 1 / median(ratios);
    const within = better === 'lower' ? ratio <= budget : ratio >= budget;
    compared[name] = {
      ratio,
      ns: median(times[ours]),
      [floor ? 'floorNs' : 'peerNs']: median(times[other]),
      better,
      budget,
      ok: budget === null || within,
    };
  }
  return compared;
}

function printTable() {
  const { version, arch } = process;
  console.log(`node ${version}, linux ${release()} ${arch}, ${rounds} rounds, CPU time\n`);
  printRow('case', 'ours', 'against', 'result', 'budget', '');
  for (const [name, result] of Object.entries(results)) {
    const { ours, against, outcome } = cellsOf(result);
    const limit = result.better === 'lower' ? '<=' : '>=';
    const budget = result.budget === null ? '' : `${limit} ${result.budget}`;
    printRow(name, ours, against, outcome, budget, result.ok ? 'ok' : 'MISSED');
  }
  console.log(`
ns per call against the floor's or the peer's: as a multiple (budget <=), or how
many times faster (budget >=). load and rss: what comes on top of an empty addon.`);
  if (smoke) console.log('A smoke run: budgets are not enforced.');
}

function cellsOf(result) {
  if ('ratio' in result) {
    const against = result.floorNs ?? result.peerNs;
    return {
      ours: `${result.ns.toFixed(0)} ns`,
      against: `${against.toFixed(0)} ns`,
      outcome: `${result.ratio.toFixed(3)} x`,
    };
  }
  const { ours, empty, extra, unit } = result;
  const digits = unit === 'kB' ? 1 : 2;
  return {
    ours: `${ours.toFixed(digits)} ${unit}`,
    against: empty === undefined ? '' : `${empty.toFixed(digits)} ${unit}`,
    outcome: `${(extra ?? ours).toFixed(digits)} ${unit}`,
  };
}

/** At most 80 columns. */
function printRow(name, ours, against, outcome, budget, verdict) {
  console.log(
    `${name.padEnd(27)}${ours.padStart(9)}${against.padStart(10)}${outcome.padStart(10)}` +
      `${budget.padStart(9)}  ${verdict}`.trimEnd(),
  );
}

/** What a smoke run is for. A difference between two processes may come out below zero. */
function checkNumbers() {
  for (const [name, result] of Object.entries(results)) {
    const { ratio, ns, floorNs, peerNs, ours, empty, extra = 0 } = result;
    const measured = [ratio, ns, floorNs, peerNs, empty].filter((n) => n !== undefined);
    const positive = measured.every((n) => Number.isFinite(n) && n > 0);
    if (positive && Number.isFinite(ours ?? 0) && Number.isFinite(extra)) continue;
    console.error(`${name}: not what a measurement gives`, result);
    process.exitCode = 1;
  }
}
