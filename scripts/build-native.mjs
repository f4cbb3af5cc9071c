// Compiles the addon into build/ for this machine. `npm ci` and `npm run build:native` run it.
// On a machine without a compiler it chooses the prebuilt addon instead and says so, because work on
// TypeScript alone needs no compiler. An error of a compiler that is there stays an error.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { staleness } from './prebuilds/manifest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const { CXX = 'g++', MAKE = 'make' } = process.env;
const { NODE_GYP_FORCE_PYTHON, npm_config_python, PYTHON } = process.env;

function gyp(command) {
  const options = { cwd: root, stdio: 'inherit' };
  return spawnSync(process.execPath, [nodeGyp, command], options).status === 0;
}

function runs(program, ...args) {
  return spawnSync(program, [...args, '--version'], { stdio: 'ignore' }).status === 0;
}

function missingTools() {
  // On Windows only node-gyp knows where the tools are. It prints where it looked.
  if (process.platform === 'win32') return gyp('configure') ? [] : ['Visual Studio or no Python'];
  // The places where node-gyp looks for Python.
  const pythons = [NODE_GYP_FORCE_PYTHON, npm_config_python, PYTHON, 'python3', 'python'];
  const found = {
    // It may have arguments: CXX="ccache g++".
    'C++ compiler': runs(...CXX.split(' ')),
    make: runs(MAKE),
    Python: pythons.some((python) => python && runs(python)),
  };
  return Object.keys(found).filter((name) => !found[name]);
}

const missing = missingTools().join(', no ');
const prebuild = `prebuilds/${process.platform}-${process.arch}/socket-options.node`;
if (missing === '') {
  process.exitCode = gyp('rebuild') ? 0 : 1;
} else if (existsSync(join(root, prebuild))) {
  // The loader prefers build/, which may be of older sources.
  rmSync(join(root, 'build'), { recursive: true, force: true });
  const stale = staleness(root);
  console.log(`no ${missing} here: using ${prebuild}${stale ? ` (${stale})` : ''}`);
} else {
  console.error(`no ${missing} here, and no ${prebuild}: the addon cannot be had`);
  process.exitCode = 1;
}
