// Measures `socket-options connections` with very many connections, beside ss(8): when the first bytes come, how long it
// takes, and the peak of memory. Opens the connections in a network namespace.
//
//   node bench/command-line.mjs [connections, 100000 by default]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { holdMany, PER_PROCESS } from './hold-many.mjs';
import { runInNamespace } from './namespace.mjs';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const peak = fileURLToPath(new URL('peak-memory.cjs', import.meta.url));
const cli = (...args) => [process.execPath, '-r', peak, main, 'connections', ...args];

const CASES = {
  'ss -tinH': ['ss', '-tinH'],
  table: cli(),
  '--json': cli('--json'),
  '--problems': cli('--problems'),
  '--sort alive --limit 20': cli('--sort', 'alive', '--limit', '20'),
  '--group-by peer': cli('--group-by', 'peer'),
};
/** What the command line keeps, in seconds and MB. */
const MOST = { first: 0.3, peak: 150 };
/** These print nothing before they have seen every connection. */
const COMPLETE_FIRST = ['--problems', '--sort alive --limit 20', '--group-by peer'];

const [mode, count] = process.argv.slice(2);
if (mode === 'inside') await measure(Number(count));
else report(Number(mode ?? 100_000));

function report(count) {
  // Both ends are in the namespace.
  const results = runInNamespace('command-line.mjs', 'inside', [count], [], PER_PROCESS);
  let isKept = true;
  for (const [name, { first, total, megabytes, bytes }] of Object.entries(results)) {
    const isFirstLate = first > MOST.first && !COMPLETE_FIRST.includes(name);
    if (name !== 'ss -tinH' && (isFirstLate || megabytes > MOST.peak)) isKept = false;
    const memory = megabytes === null ? '' : `, peak ${megabytes.toFixed(0)} MB`;
    console.log(
      `${name.padEnd(24)} first bytes ${first.toFixed(2)} s, all ${total.toFixed(2)} s, ${(bytes / 1e6).toFixed(1)} MB written${memory}`,
    );
  }
  process.exitCode = isKept ? 0 : 1;
}

async function measure(count) {
  const close = await holdMany(count);
  const results = {};
  for (const [name, command] of Object.entries(CASES)) results[name] = await run(command);
  close();
  process.stdout.write(JSON.stringify(results), () => process.exit());
}

async function run([program, ...args]) {
  const start = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  let first = null;
  let bytes = 0;
  let memory = '';
  child.stdout.on('data', ({ length }) => {
    first ??= performance.now() - start;
    bytes += length;
  });
  child.stdio[3].on('data', (text) => {
    memory += text;
  });
  await once(child, 'close');
  const total = performance.now() - start;
  const megabytes = memory === '' ? null : Number(memory) / 1_000;
  return { first: first / 1_000, total: total / 1_000, megabytes, bytes };
}
