// Single executable applications, startup snapshots and archives of Electron, as docs/bundlers.md has them.

import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bun, node26, Workshop } from './project';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.remove());

const SYSTEM = `${process.platform}-${process.arch}`;
const pinned =
  SYSTEM === 'linux-x64' ? '' : `Node 26 and Bun are pinned for linux-x64, not ${SYSTEM}`;
const SEA = 'Single executable applications';

describe('a single executable application', () => {
  test.each([
    ['of this Node', [SEA], process.execPath],
    ['of Node 26', [`${SEA}: Node 26`], node26],
  ])('%s opens its asset from a folder of its own, and removes it', (_, headings, runtime) => {
    const moved = workshop.project().build(headings, { runtime });
    const TMPDIR = join(moved.folder, 'tmp');
    mkdirSync(TMPDIR);
    const addon = moved.works([join(moved.folder, 'program')], { TMPDIR });
    expect(addon).toMatch(new RegExp(`^${TMPDIR}/socket-options-\\w{6}/socket-options\\.node`));
    expect(readdirSync(TMPDIR)).toEqual([]);
    moved.remove();
  });

  test('works with a snapshot', () => {
    const change = (text: string) =>
      text
        .replace('"main"', '"useSnapshot": true,\n  "main"')
        .replace('esbuild program.mjs', 'esbuild snapshot.mjs');
    const moved = workshop.project().build([`${SEA}: Node 26`], { change, runtime: node26 });
    moved.works([join(moved.folder, 'program')]);
    moved.remove();
  });

  test('opens the file beside it only if both have the same owner; the error has what to write', ({
    skip,
  }) => {
    skip(process.getuid?.() !== 0, 'only root can give a file to another user');
    const headings = [`${SEA}: Node 26`, `${SEA}: a file beside the executable`];
    const change = (text: string) => text.replace(/,\n {2}"assets": [^}]*\}/, '');
    const moved = workshop.project().build(headings, { change, runtime: node26 });
    const program = join(moved.folder, 'program');
    const beside = join(moved.folder, 'socket-options.node');
    expect(moved.works([program])).toBe(beside);
    chownSync(beside, 65_534, 65_534);
    const message = moved.fails([program]);
    expect(message).toContain('ERR_ADDON_NOT_FOUND');
    expect(message).toContain(
      `"assets": { "socket-options.node": "node_modules/socket-options/prebuilds/${SYSTEM}/socket-options.node" }`,
    );
    expect(message).toContain('Both must have the same owner');
    moved.remove();
  });

  test('of Bun contains the addon', ({ skip }) => {
    skip(pinned !== '', pinned);
    const moved = workshop.project().build(['Bun: single executable'], { runtime: bun });
    moved.works([join(moved.folder, 'program')]);
    moved.remove();
  });
});

describe('a startup snapshot', () => {
  test.each([
    ['of this Node', process.execPath],
    ['of Node 26', node26],
  ])('%s loads the addon when it runs', (_, runtime) => {
    const moved = workshop.project().build(['Startup snapshots'], { runtime });
    const command = [runtime, '--snapshot-blob', 'program.blob'];
    const addon = moved.works(command, { SOCKET_OPTIONS_PREBUILD: moved.folder });
    expect(addon).toBe(join(moved.folder, 'prebuilds', SYSTEM, 'socket-options.node'));
    const { status, output } = moved.run(command, { SOCKET_OPTIONS_PREBUILD: undefined });
    expect(status, output).not.toBe(0);
    expect(output).toContain('Set SOCKET_OPTIONS_PREBUILD to the folder that has prebuilds/');
    moved.remove();
  });

  test('that copies an export while it is built names the mistake', () => {
    const project = workshop.project();
    const change = (text: string) =>
      text.replace(
        'esbuild snapshot.mjs',
        `echo 'const { isSupported, getOption } = require("socket-options"); isSupported("ttl"); getOption(0, "ttl");' >copies.cjs\nesbuild copies.cjs`,
      );
    const { status, output } = project.try(['Startup snapshots'], { change });
    expect(status, output).not.toBe(0);
    expect(output).toContain('A snapshot cannot contain an addon');
  });
});

describe('an archive of @electron/asar', () => {
  test('has the addon beside it, and the JavaScript within', () => {
    const moved = workshop.project().build(['Electron']);
    const unpacked = join(moved.folder, 'app.asar.unpacked/node_modules/socket-options');
    expect(existsSync(join(unpacked, 'prebuilds', SYSTEM, 'socket-options.node'))).toBe(true);
    expect(existsSync(join(unpacked, 'dist'))).toBe(false);
    moved.remove();
  });

  test('is loaded by Electron', ({ skip }) => {
    skip(true, 'Electron comes from a server that is not a package registry');
  });
});
