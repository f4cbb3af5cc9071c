// Measures lists of very many connections: wall time, memory above the start, and the longest block of the event loop.
// Each list has a process of its own. Opens the connections in a network namespace.
//
//   node bench/connection-lists.mjs [--connections 100000] [--rounds 5] [--cases 'async {},sync {}'] [folder of dist/ ...]
//
// Several folders are measured by turns: node bench/connection-lists.mjs ../main/dist dist

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { holdMany, PER_PROCESS } from './hold-many.mjs';
import { longestBlocks, msWaited } from './longest-block.mjs';
import { median } from './median.mjs';
import { runInNamespace } from './namespace.mjs';

const here = fileURLToPath(import.meta.url);
const FILTERS = ['{}', '{"tcpInfo":true}', '{"owners":true}', '{"problems":true}'];
const CASES = FILTERS.flatMap((filter) => [`async ${filter}`, `sync ${filter}`]);

if (process.argv[1] === here) {
  const [mode, ...args] = process.argv.slice(2);
  if (mode === 'inside') await measureAll(Number(args[0]), JSON.parse(args[1]));
  else if (mode === 'list') await list(...args);
  else report();
}

/**
 * For each case and each folder, the medians of `ms`, `megabytes`, `block`, `blockWithoutGc` and `gc` (the longest pause), and
 * `spread`, the least and the greatest of each.
 */
export function measureLists({ connections, rounds, cases, folders }) {
  const request = JSON.stringify({ rounds, cases, folders: folders.map((one) => resolve(one)) });
  return runInNamespace(
    'connection-lists.mjs',
    'inside',
    [connections, request],
    [],
    // Both ends of a connection are in the namespace.
    PER_PROCESS,
  );
}

function report() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      connections: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '5' },
      cases: { type: 'string' },
    },
  });
  const folders = positionals.length > 0 ? positionals : [fileURLToPath(distOfThis)];
  const measured = measureLists({
    connections: Number(values.connections),
    rounds: Number(values.rounds),
    cases: values.cases?.split(',') ?? CASES,
    folders,
  });
  for (const [name, results] of Object.entries(measured)) {
    for (const [index, result] of results.entries()) {
      const figure = (member, unit) => {
        const [least, greatest] = result.spread[member].map((value) => value.toFixed(1));
        return `${result[member].toFixed(1)} ${unit} (${least} to ${greatest})`.padEnd(30);
      };
      console.log(
        `${name.padEnd(24)} ${figure('ms', 'ms')}${figure('megabytes', 'MB')}block ${figure('block', 'ms')}without GC ${figure('blockWithoutGc', 'ms')}GC ${figure('gc', 'ms')}${folders[index]}`,
      );
    }
  }
}

const distOfThis = new URL('../dist', import.meta.url);

async function measureAll(connections, { rounds, cases, folders }) {
  const close = await holdMany(connections);
  const results = {};
  for (const name of cases) {
    const samples = folders.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [index, folder] of folders.entries()) samples[index].push(run(folder, name));
    }
    results[name] = samples.map((all) => summarize(all, connections));
  }
  close();
  process.stdout.write(JSON.stringify(results), () => process.exit());
}

function run(folder, name) {
  const output = execFileSync(process.execPath, [here, 'list', folder, ...name.split(' ')], {
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

function summarize(samples, connections) {
  for (const { count } of samples) {
    if (count < connections) throw new Error(`${count} of ${connections} connections were listed`);
  }
  const all = (member) => samples.map((sample) => sample[member]).sort((a, b) => a - b);
  const members = Object.keys(samples[0]);
  return {
    ...Object.fromEntries(members.map((member) => [member, median(all(member))])),
    spread: Object.fromEntries(
      members.map((member) => [member, [all(member)[0], all(member).at(-1)]]),
    ),
  };
}

/** Lists once, in this process. */
async function list(folder, form, filterText) {
  const { listConnections, listConnectionsAsync } = createRequire(here)(`${folder}/index.js`);
  const filter = JSON.parse(filterText);
  // The code is loaded and the addon is open. No connection has this port.
  listConnections({ localPort: 1 });
  await listConnectionsAsync({ localPort: 1 });
  // From here on, the kernel records the peak of the resident memory: proc_pid_clear_refs(5).
  writeFileSync('/proc/self/clear_refs', '5');
  const before = process.memoryUsage.rss();
  const clock = () => performance.now() - msWaited();
  const start = clock();
  let found;
  let ms = 0;
  const blocks = await longestBlocks(async () => {
    found = form === 'sync' ? listConnections(filter) : await listConnectionsAsync(filter);
    ms = clock() - start;
  });
  const megabytes = (process.resourceUsage().maxRSS * 1_024 - before) / 1e6;
  const count = found.filter(({ state }) => state === 'ESTABLISHED').length;
  process.stdout.write(JSON.stringify({ ms, megabytes, ...blocks, count }));
}
