// npm run bench:docs: measures everything that docs/benchmarks.md shows, saves the results, and writes the page and its plots.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readResults, writePage } from './page.mjs';
import { runtime } from './programs.mjs';

const USAGE = `usage: npm run bench:docs -- [--rounds <number>] [--smoke]
       node bench/docs.mjs --from <folder>

  --rounds    how many rounds (41)
  --smoke     a few rounds and sockets, to see that everything runs; writes to a temporary folder
  --from      measures nothing: writes the page from results that were saved
`;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const SAVED = here('results');

const { smoke, from, rounds } = readArguments();
// A run that fails leaves the saved results as they are.
const folder = mkdtempSync(join(tmpdir(), 'socket-options-bench-'));
if (from === undefined) measure();
writePage(targets(), readResults(from ?? folder));
if (from === undefined && !smoke) cpSync(folder, SAVED, { recursive: true });
if (!smoke) rmSync(folder, { recursive: true });
console.log(smoke ? `written to ${folder}` : 'docs/benchmarks.md is written');

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string' },
        smoke: { type: 'boolean', default: false },
        from: { type: 'string' },
      },
    });
    const rounds = Number(values.rounds ?? (values.smoke ? 3 : 41));
    if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1');
    return { ...values, rounds, from: values.from && resolve(values.from) };
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function measure() {
  const save = (name, value) => {
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(value, shortened, 2)}\n`);
  };
  const nodes = ['20', '26'].map((major) => runtime(`node-${major}/bin/node`));
  const flags = ['--rounds', String(rounds), ...(smoke ? ['--smoke'] : [])];
  save('machine', machine(nodes));
  save('side-by-side', run(nodes[0], 'side-by-side.mjs', ['--json', '--rounds', String(rounds)]));
  save('series', run(nodes[0], 'series.mjs', smoke ? ['--smoke'] : []));
  for (const [index, node] of nodes.entries()) {
    save(`node-${index}`, run(node, 'run.mjs', ['--json', ...flags]));
  }
}

/** The JSON that a module of this folder prints. run.mjs exits with 1 if a budget is missed. */
function run(node, module, args) {
  const start = performance.now();
  const { status, stdout } = spawnSync(node, [here(module), ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const isMissed = module === 'run.mjs' && !smoke && status === 1 && stdout !== '';
  if (status !== 0 && !isMissed) throw new Error(`${module} ended with ${status}`);
  const seconds = Math.round((performance.now() - start) / 1_000);
  console.log(`${module}, Node ${versionOf(node)}: ${seconds} s`);
  return JSON.parse(stdout);
}

/** Five digits are more than any measurement has. */
function shortened(_key, value) {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}

function machine(nodes) {
  const git = (...args) => execFileSync('git', args, { cwd: here('.'), encoding: 'utf8' }).trim();
  const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
  return {
    cpu: cpus()[0].model,
    processors: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: /^\d+\.\d+\.\d+/.exec(release())[0],
    nodes: nodes.map(versionOf),
    date: new Date().toISOString().slice(0, 10),
    commit: `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`,
    rounds,
    smoke,
  };
}

function versionOf(node) {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
}

function targets() {
  const [page, images] = [here('../docs/benchmarks.md'), here('../docs/images')];
  if (!smoke) return { page, images };
  copyFileSync(page, join(folder, 'benchmarks.md'));
  mkdirSync(join(folder, 'images'));
  return { page: join(folder, 'benchmarks.md'), images: join(folder, 'images') };
}
