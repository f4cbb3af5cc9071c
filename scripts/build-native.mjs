// Compiles the addon for this machine. Where there is nothing to compile with, the prebuilt one serves,
// and that is said: somebody who changes only TypeScript needs no compiler. An error of a compiler that
// is there is an error.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { staleness } from './prebuilds/manifest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** node-gyp's own search, which also looks where the user told it to. */
async function finds(search) {
  try {
    await search();
    return true;
  } catch {
    return false;
  }
}

function compilerIsThere() {
  if (process.platform === 'win32') {
    const { findVisualStudio } = require('node-gyp/lib/find-visualstudio');
    const [major, minor, patch] = process.versions.node.split('.').map(Number);
    const wanted = process.env.npm_config_msvs_version;
    return finds(() => findVisualStudio({ major, minor, patch }, wanted));
  }
  // It may have arguments.
  const [compiler, ...args] = (process.env.CXX ?? 'g++').split(' ');
  return runs(compiler, ...args, '--version');
}

/** What is not there of what node-gyp needs. */
async function missing() {
  const { findPython } = require('node-gyp/lib/find-python');
  const found = {
    'C++ compiler': await compilerIsThere(),
    // On Windows it is a part of the compiler's installation.
    make: process.platform === 'win32' || runs(process.env.MAKE ?? 'make', '--version'),
    Python: await finds(() => findPython(process.env.npm_config_python)),
  };
  return Object.keys(found).filter((name) => !found[name]);
}

function compile() {
  try {
    execFileSync(process.execPath, [require.resolve('node-gyp/bin/node-gyp.js'), 'rebuild'], {
      cwd: root,
      stdio: 'inherit',
    });
  } catch (error) {
    process.exitCode = error.status ?? 1;
  }
}

function usePrebuild(absent) {
  const what = absent.join(', no ');
  const prebuild = `prebuilds/${process.platform}-${process.arch}/socket-options.node`;
  if (!existsSync(join(root, prebuild))) {
    console.error(`no ${what} here, and no ${prebuild}: the addon cannot be had`);
    process.exitCode = 1;
    return;
  }
  // What was compiled before, of other sources perhaps, would be preferred.
  rmSync(join(root, 'build'), { recursive: true, force: true });
  const stale = staleness(root);
  console.log(`no ${what} here: using ${prebuild}${stale ? ` (${stale})` : ''}`);
}

const absent = await missing();
if (absent.length === 0) compile();
else usePrebuild(absent);
