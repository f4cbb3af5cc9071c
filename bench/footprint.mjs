// Measures the costs before the first call: CPU time and memory to load the package, and the size of the addon.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, quartiles } from './median.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Loads the package and an empty addon in turn, each in a fresh process. The difference is reported: opening a
 * shared object costs the same for any addon, the rest is the package with its JavaScript.
 */
export function measureLoading(rounds) {
  const ours = [];
  const empty = [];
  for (let round = 0; round <= rounds; round++) {
    ours.push(loadAfresh(here('../dist/index.js')));
    empty.push(loadAfresh(here('build/Release/empty.node')));
    // The first round may include reads from the disk.
    if (round === 0) ours.length = empty.length = 0;
  }
  const compare = (unit, budget) => {
    const of = (runs) => median(runs.map((run) => run[unit]));
    const extras = ours.map((run, i) => run[unit] - empty[i][unit]);
    const extra = median(extras);
    const measured = { extra, quartiles: quartiles(extras), ours: of(ours), empty: of(empty) };
    return { unit, ...measured, better: 'lower', budget, ok: extra <= budget };
  };
  return { load: compare('ms', 4), rss: compare('MB', 1.5) };
}

function loadAfresh(path) {
  return JSON.parse(
    execFileSync(process.execPath, [here('require-cost.cjs'), path], { encoding: 'utf8' }),
  );
}

/** The size of the addon that this process has loaded, stripped as in the npm package. */
export function measureAddon() {
  const addon = Object.keys(createRequire(import.meta.url).cache).find(
    (path) => path.endsWith('.node') && path.startsWith(here('..')) && !path.startsWith(here('.')),
  );
  const directory = mkdtempSync(join(tmpdir(), 'socket-options-bench-'));
  try {
    const copy = join(directory, 'addon.node');
    copyFileSync(addon, copy);
    execFileSync('strip', [copy]);
    const kb = statSync(copy).size / 1000;
    return { prebuildKb: { unit: 'kB', ours: kb, better: 'lower', budget: 64, ok: kb <= 64 } };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
