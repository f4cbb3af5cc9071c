// The addon of a program that a bundler made from this package: the file that the bundler copied, or what a single executable
// application has. The reasons are in docs/decisions/0023-literal-paths-to-the-addon.md.

import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { bundleError } from './load-failure';
import { isOurAddon, openAddon } from './open-addon';

/** The name of the asset in a single executable application, and of the file beside it. */
const FILE = 'socket-options.node';

/** Loads the addon in a bundle. Throws an error with the line to write for the bundler. */
export function bundledAddon(): unknown {
  const sea = process.getBuiltinModule?.('node:sea');
  return sea?.isSea() ? addonOfExecutable(sea) : prebuild();
}

/**
 * Loads the prebuilt addon of this system. Bundlers and tracers follow literal paths only. Inside of `try` they pass over a prebuild
 * that was removed. They leave out other systems if `process.platform` and `process.arch` are defined as constants.
 */
function prebuild(): unknown {
  try {
    if (isAsWritten(`${process.platform}-${process.arch}`)) {
      throw new Error('the bundler did not copy this file');
    }
    let found: unknown;
    if (process.platform === 'linux') {
      if (process.arch === 'x64') found = require('../../prebuilds/linux-x64/socket-options.node');
      if (process.arch === 'arm64')
        found = require('../../prebuilds/linux-arm64/socket-options.node');
      if (process.arch === 'arm') found = require('../../prebuilds/linux-arm/socket-options.node');
      if (process.arch === 'ppc64')
        found = require('../../prebuilds/linux-ppc64/socket-options.node');
      if (process.arch === 'riscv64')
        found = require('../../prebuilds/linux-riscv64/socket-options.node');
      if (process.arch === 's390x')
        found = require('../../prebuilds/linux-s390x/socket-options.node');
    }
    if (process.platform === 'darwin') {
      if (process.arch === 'arm64')
        found = require('../../prebuilds/darwin-arm64/socket-options.node');
      if (process.arch === 'x64') found = require('../../prebuilds/darwin-x64/socket-options.node');
    }
    if (process.platform === 'win32') {
      if (process.arch === 'x64') found = require('../../prebuilds/win32-x64/socket-options.node');
      if (process.arch === 'arm64')
        found = require('../../prebuilds/win32-arm64/socket-options.node');
    }
    if (process.platform === 'freebsd') {
      if (process.arch === 'x64')
        found = require('../../prebuilds/freebsd-x64/socket-options.node');
    }
    return addonOf(found);
  } catch (cause) {
    const isRestored = process.execArgv.some((flag) => flag.startsWith('--snapshot-blob'));
    throw bundleError(cause as NodeJS.ErrnoException, isRestored ? 'restored' : 'bundle');
  }
}

/**
 * Whether a path in the function above is as it is written there, because no bundler copied the file. It names the folder above a
 * bundle, which may belong to another user. A program that was compiled to bytecode has no text.
 */
function isAsWritten(system: string): boolean {
  const text = String(prebuild);
  return !text.includes('catch') || new RegExp(`["'\`](\\.\\./)+prebuilds/${system}/`).test(text);
}

/** Whether a bundler replaced the paths, whatever `__filename` says: Bun writes the path of the project into the bundle. */
export function isBundled(): boolean {
  return !isAsWritten('[^/]+');
}

/** Returns the addon that `require()` returned, or opens the file that it named: some plugins and loaders return a path or a URL. */
function addonOf(required: unknown): unknown {
  const found = Object(required).default ?? required;
  if (typeof found === 'string') {
    return openAddon(found.startsWith('file:') ? fileURLToPath(found) : join(__dirname, found));
  }
  if (isOurAddon(found)) return found;
  if (found === undefined) throw new Error('this system has no prebuild');
  throw new Error(`the bundler replaced this file by ${inspect(required)}`);
}

/** Loads the asset of the executable, or the file beside it. */
function addonOfExecutable(sea: typeof import('node:sea')): unknown {
  try {
    const file = besideExecutable();
    return file === undefined ? openAsset(sea.getRawAsset(FILE) as ArrayBuffer) : openAddon(file);
  } catch (cause) {
    throw bundleError(cause as NodeJS.ErrnoException, 'executable');
  }
}

/** Systems open an addon only from a file. The folder is new, and only this user may enter it. */
function openAsset(asset: ArrayBuffer): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-'));
  const file = join(folder, FILE);
  try {
    writeFileSync(file, new Uint8Array(asset));
    return openAddon(file);
  } finally {
    // Windows does not remove a file that is in use.
    if (process.platform !== 'win32') rmSync(folder, { recursive: true });
  }
}

/** The path of the file beside the executable, if both have the same owner: no other user can have put it there. */
function besideExecutable(): string | undefined {
  const file = join(dirname(process.execPath), FILE);
  const owner = lstatSync(file, { throwIfNoEntry: false })?.uid;
  return owner === lstatSync(process.execPath).uid ? file : undefined;
}
