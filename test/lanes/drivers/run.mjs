// npm run test:drivers [-- --write]: real drivers on a real server that falls silent. With --write, they are also measured
// without tuneSockets(), and the times are written to docs/drivers.md if every test passed.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { page, write } from './table.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const wanted = process.argv.slice(2);
const writes = wanted.includes('--write');
if (wanted.some((argument) => argument !== '--write')) {
  console.error('test:drivers takes --write and nothing else');
  process.exit(1);
}

function run(command, args, env = {}) {
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } };
  return spawnSync(command, args, options).status ?? 1;
}

const folder = mkdtempSync(join(tmpdir(), 'socket-options-drivers-'));
const results = join(folder, 'results.json');
try {
  const installed = run('npm', [
    'ci',
    '--silent',
    '--prefix',
    'test/lanes/drivers',
    '--ignore-scripts',
  ]);
  process.exitCode =
    installed ||
    run('npx', ['vitest', 'run', '--config', 'test/lanes/drivers/vitest.config.mts'], {
      DRIVERS_RESULTS: results,
      ...(writes && { DRIVERS_FULL: '1' }),
    });
  const report = JSON.parse(readFileSync(results, 'utf8'));
  console.log(`\nWith tuneSockets${writes ? ' / without' : ''}.\n${page(report)}`);
  if (writes && process.exitCode === 0) write(report);
} catch (error) {
  // Nothing was measured if all tests were skipped; vitest has reported that.
  if (error.code !== 'ENOENT') throw error;
} finally {
  rmSync(folder, { recursive: true });
}
