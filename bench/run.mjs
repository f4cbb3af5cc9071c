// Measures the package side by side with a loop in C and with its peers, in one process.
//
// Times are CPU time of this process, all of its threads: a machine shared with other work counts
// less, and garbage collection in the background is not free. Loading is CPU time.
// Every round runs every subject once, in random order; a ratio is taken within a round, and the
// median over the rounds is reported: whatever slows the machine down slows both sides of it.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { measureConnections } from './connections.mjs';
import { measureAddon, measureLoading } from './footprint.mjs';
import { measureHeartbeats } from './heartbeats.mjs';
import { median } from './median.mjs';
import { cases, subjectsOn } from './subjects.mjs';
import { timeByTurns } from './timing.mjs';

const USAGE = `usage: npm run bench -- [--json] [--smoke] [--rounds <number>]

  --json      one JSON object instead of the table
  --smoke     a few rounds, to see that everything runs; budgets are not enforced
  --rounds    how many rounds (81)

Exits with 1 if a budget is missed, 2 for wrong arguments.
`;

const { json, smoke, rounds } = readArguments();
const results = {
  ...(await measureCalls()),
  ...(await measureConnections({ rounds, smoke })),
  ...measureHeartbeats({ rounds, smoke }),
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
  const all = Object.entries(subjects);
  for (const [, { check }] of all) check();
  const runs = Object.fromEntries(all.map(([name, { run }]) => [name, run]));
  const times = timeByTurns(runs, rounds);
  for (const [, { check }] of all) check();
  return times;
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
  const { ours, empty, beside = empty, extra, unit } = result;
  const digits = { kB: 1, pings: 0 }[unit] ?? 2;
  return {
    ours: `${ours.toFixed(digits)} ${unit}`,
    against: beside === undefined ? '' : `${beside.toFixed(digits)} ${unit}`,
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
    const { ratio, ns, floorNs, peerNs, ours, empty, beside, extra = 0 } = result;
    const measured = [ratio, ns, floorNs, peerNs, empty, beside].filter((n) => n !== undefined);
    const positive = measured.every((n) => Number.isFinite(n) && n > 0);
    if (positive && Number.isFinite(ours ?? 0) && Number.isFinite(extra)) continue;
    console.error(`${name}: not what a measurement gives`, result);
    process.exitCode = 1;
  }
}
