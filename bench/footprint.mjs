// Measures the costs before the first call: CPU time and memory to load the package, and the size of the addon.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, quartiles } from './median.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Loads an entry point and an empty addon in turn, each in a fresh process. The difference is reported: opening a shared object
 * costs the same for any addon, the rest is the package with its JavaScript.
 */
export function measureLoading(rounds, command = [process.execPath]) {
  const required = loadByTurns('require', 'index', rounds, command);
  const imported = loadByTurns('import', 'index', rounds, command);
  const heartbeat = loadByTurns('require', 'heartbeat', rounds, command);
  return {
    load: compare(required, 'ms', 4),
    loadImport: compare(imported, 'ms', 5),
    loadHeartbeat: compare(heartbeat, 'ms', null),
    rss: compare(required, 'MB', 1.5),
  };
}

/** How much more an entry point takes than an empty addon. */
function compare({ ours, empty }, unit, budget) {
  const of = (runs) => median(runs.map((run) => run[unit]));
  const extras = ours.map((run, i) => run[unit] - empty[i][unit]);
  const extra = median(extras);
  const measured = { extra, quartiles: quartiles(extras), ours: of(ours), empty: of(empty) };
  return { unit, ...measured, better: 'lower', budget, ok: budget === null || extra <= budget };
}

function loadByTurns(how, entry, rounds, command) {
  const ours = [];
  const empty = [];
  for (let round = 0; round <= rounds; round++) {
    ours.push(loadAfresh(how, here(`../dist/${entry}.js`), command));
    empty.push(loadAfresh(how, here('empty.cjs'), command));
    // The first round may include reads from the disk.
    if (round === 0) ours.length = empty.length = 0;
  }
  return { ours, empty };
}

function loadAfresh(how, path, [program, ...args]) {
  const all = [...args, here('load-cost.cjs'), how, path];
  return JSON.parse(execFileSync(program, all, { encoding: 'utf8' }));
}

/** The size of the addon that this process has loaded, stripped as in the npm package. */
export function measureAddon() {
  const addon = process.report
    .getReport()
    .sharedObjects.find(
      (path) =>
        path.endsWith('.node') && path.startsWith(here('..')) && !path.startsWith(here('.')),
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
