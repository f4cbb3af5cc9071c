// Measures the package together with a loop in C and with its peers, in one process, and compares with budgets.
//
// Times are CPU time of all threads of this process: other programs disturb it less, and garbage collection in
// the background counts. Every round runs every case once, in random order. A ratio is taken within a round, and
// the median over the rounds is reported, so that whatever slows down the machine slows down both sides.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { casesOn, comparisons } from './benchmark-cases.mjs';
import { measureConnections } from './connections.mjs';
import { figuresWithoutRow } from './figures.mjs';
import { measureAddon, measureLoading } from './footprint.mjs';
import { measureHeartbeats } from './heartbeats.mjs';
import { median, quartiles } from './median.mjs';
import { measureMetrics } from './metrics.mjs';
import { measureSupervision } from './supervision.mjs';
import { timeByTurns } from './timing.mjs';
import { measureTuning } from './tuning.mjs';

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
  ...measureTuning({ rounds, smoke }),
  ...measureHeartbeats({ rounds, smoke }),
  ...measureSupervision({ smoke }),
  ...measureMetrics({ smoke }),
  ...measureLoading(rounds),
  ...measureAddon(),
};
results.tcpInfoReader.bytesPerRead = results.bytesPerRead.ours;
if (json) console.log(JSON.stringify(results));
else printTable();

for (const name of figuresWithoutRow(results)) {
  console.error(`${name}: no row in bench/figures.mjs`);
  process.exitCode = 1;
}
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
    return compare(timeCases(casesOn(socket)));
  } finally {
    socket.destroy();
    server.close();
  }
}

/** Nanoseconds of CPU time per call, for every case and round. */
function timeCases(cases) {
  const all = Object.entries(cases);
  for (const [, { check }] of all) check();
  const runs = Object.fromEntries(all.map(([name, { run }]) => [name, run]));
  const times = timeByTurns(runs, rounds);
  for (const [, { check }] of all) check();
  return times;
}

function compare(times) {
  const compared = {};
  for (const { name, ours, baseline, peer, better, budget } of comparisons) {
    const other = baseline ?? peer;
    const [above, below] = better === 'lower' ? [ours, other] : [other, ours];
    const ratios = times[above].map((ns, round) => ns / times[below][round]);
    const ratio = median(ratios);
    const within = better === 'lower' ? ratio <= budget : ratio >= budget;
    compared[name] = {
      ratio,
      quartiles: quartiles(ratios),
      ns: median(times[ours]),
      [baseline ? 'baselineNs' : 'peerNs']: median(times[other]),
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
  printRow('case', 'ours', 'against', 'result', 'spread', 'budget', '');
  for (const [name, result] of Object.entries(results)) {
    const { ours, against, outcome, spread } = cellsOf(result);
    const limit = result.better === 'lower' ? '<=' : '>=';
    const budget = result.budget === null ? '' : `${limit} ${result.budget}`;
    printRow(name, ours, against, outcome, spread, budget, result.ok ? 'ok' : 'MISSED');
  }
  console.log(`
ours and against: ns per call of the package and of the C baseline or a peer.
result: the multiple (budget <=), or how many times faster (budget >=). load,
loadImport, loadHeartbeat and rss: in addition to an empty addon. spread: half of
the rounds are within it.`);
  if (smoke) console.log('A smoke run: budgets are not enforced.');
}

function cellsOf(result) {
  const spread = spreadOf(result);
  if ('ratio' in result) {
    const against = result.baselineNs ?? result.peerNs;
    return {
      ours: `${result.ns.toFixed(0)} ns`,
      against: `${against.toFixed(0)} ns`,
      outcome: `${result.ratio.toFixed(3)} x`,
      spread,
    };
  }
  const { ours, empty, beside = empty, extra, unit } = result;
  const digits = { kB: 1, pings: 0 }[unit] ?? 2;
  return {
    ours: `${ours.toFixed(digits)} ${unit}`,
    against: beside === undefined ? '' : `${beside.toFixed(digits)} ${unit}`,
    outcome: `${(extra ?? ours).toFixed(digits)} ${unit}`,
    spread,
  };
}

/** How far the quartiles of the rounds are from each other, as a share of the median. */
function spreadOf({ ratio, extra, ours, quartiles: between }) {
  if (between === undefined) return '';
  const share = (between[1] - between[0]) / 2 / (ratio ?? extra ?? ours);
  return `+-${(share * 100).toFixed(0)}%`;
}

/** At most 80 columns. */
function printRow(name, ours, against, outcome, spread, budget, verdict) {
  console.log(
    `${name.padEnd(27)}${ours.padStart(9)}${against.padStart(10)}${outcome.padStart(10)}` +
      `${spread.padStart(6)}${budget.padStart(9)}  ${verdict}`.trimEnd(),
  );
}

/** Checks that every result is a number. Only a difference between two processes may be negative. */
function checkNumbers() {
  for (const [name, result] of Object.entries(results)) {
    const { ratio, ns, baselineNs, peerNs, ours, empty, beside, extra = 0 } = result;
    const measured = [ratio, ns, baselineNs, peerNs, empty, beside].filter((n) => n !== undefined);
    const positive = measured.every((n) => Number.isFinite(n) && n > 0);
    if (positive && Number.isFinite(ours ?? 0) && Number.isFinite(extra)) continue;
    console.error(`${name}: not a plausible measurement`, result);
    process.exitCode = 1;
  }
}
