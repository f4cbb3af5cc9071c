// The errors of the real tools where the addon is missing, and what the package says then: docs/bundlers.md has each of them.

import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bun, type Moved, Workshop } from './project';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.remove());

const node = process.execPath;
const SYSTEM = `${process.platform}-${process.arch}`;
const docs = readFileSync(join(__dirname, '../../../docs/bundlers.md'), 'utf8');
const LINES = [
  'ERR_ADDON_NOT_FOUND',
  'esbuild: --loader:.node=copy',
  "webpack: module: { rules: [{ test: /\\.node$/, type: 'asset/resource' }] }",
  "Rollup, rolldown, Vite: external: ['socket-options']",
];

function expectLines(message: string, reason: string): void {
  expect(message).toContain(`socket-options cannot load its addon for ${SYSTEM}: ${reason}`);
  for (const line of LINES) expect(message).toContain(line);
}

describe('a tool without the line stops with the error in the docs', () => {
  test.each([
    ['esbuild', ['esbuild'], / --loader:.node=copy/, 'No loader is configured for ".node" files'],
    ['webpack', ['webpack'], / +module: \{ rules.*/, 'Module parse failed: Unexpected character'],
    [
      'Rollup',
      ['Rollup'],
      /copyAddons, |import.*copy-addons.*\n/g,
      "Unexpected character '\\u{7f}'",
    ],
    [
      'rolldown',
      ['rolldown'],
      /, plugins: \[copyAddons\]|import.*copy-addons.*\n/g,
      'stream did not contain valid UTF-8',
    ],
    ['Vite', ['Vite'], /, external: \['socket-options'\]/, 'stream did not contain valid UTF-8'],
  ])('%s', (_, headings, line, error) => {
    const change = (text: string) => text.replace(line, '');
    const { status, output } = workshop.project().try(headings, { change });
    expect(status, output).not.toBe(0);
    expect(output).toContain(error);
    expect(docs).toContain(`\`${error}\``);
  });
});

describe('a program without the addon names the lines to write', () => {
  test.each([
    [
      'esbuild with an empty file',
      'node=copy',
      'node=empty',
      'the bundler replaced this file by {}',
    ],
    [
      'esbuild with the addon external',
      '--loader:.node=copy',
      "'--external:*.node'",
      'the bundler did not copy this file',
    ],
  ])('%s', (_, from, to, reason) => {
    const change = (text: string) => text.replace(from, to);
    const moved = workshop.project().build(['esbuild'], { change });
    expectLines(moved.fails([node, 'program.cjs']), reason);
    moved.remove();
  });

  test('Rollup with the addon external, CommonJS and ES module', () => {
    const change = (text: string) =>
      text
        .replace('copyAddons, ', '')
        .replace(/import.*copy-addons.*\n/, '')
        .replace("input: 'program.mjs',", "input: 'program.mjs', external: [/\\.node$/],");
    const moved = workshop.project().build(['Rollup'], { change });
    for (const file of ['program.cjs', 'program.mjs']) {
      expectLines(moved.fails([node, file]), 'the bundler did not copy this file');
    }
    moved.remove();
  });

  test('esbuild whose files were not moved together', () => {
    const change = (text: string) => `${text}rm out/*.node\n`;
    const moved = workshop.project().build(['esbuild'], { change });
    expectLines(moved.fails([node, 'program.cjs']), "Cannot find module './socket-options-");
    moved.remove();
  });

  test('esbuild, ES module without the banner', () => {
    const change = (text: string) => text.replace(/ \\\n.*--banner.*/, '');
    const moved = workshop.project().build(['esbuild: ES modules'], { change });
    const message = moved.fails([node, 'program.mjs']);
    const [banner = ''] = /--banner:js=.*/.exec(docs) ?? [];
    expect(message).toContain(
      `socket-options needs require(), which esbuild does not have in ES modules. Add: ${banner}`,
    );
    moved.remove();
  });
});

test('a heartbeat works without the addon', () => {
  const change = (text: string) =>
    text.replace('node=copy', 'node=empty').replace('program.mjs', 'heartbeat.mjs');
  const moved = workshop.project().build(['esbuild'], { change });
  const { output } = moved.node('program.cjs');
  expect(JSON.parse(output)).toEqual({ code: 'ETIMEDOUT', reason: 'unknown' });
  moved.remove();
});

describe('an addon around a bundle that the bundler did not copy is not loaded', () => {
  /** Puts the addon where the path in the package would find it from the bundle. */
  function plant(moved: Moved): void {
    const planted = join(dirname(moved.folder), 'prebuilds', SYSTEM, 'socket-options.node');
    mkdirSync(dirname(planted), { recursive: true });
    copyFileSync(join(__dirname, '../../../prebuilds', SYSTEM, 'socket-options.node'), planted);
  }

  test.each([
    ['esbuild', "'--external:*.node'"],
    ['esbuild, minified', "'--external:*.node' --minify"],
  ])('%s', (_, flags) => {
    const change = (text: string) => text.replace('--loader:.node=copy', flags);
    const moved = workshop.project().build(['esbuild'], { change });
    plant(moved);
    expectLines(moved.fails([node, 'program.cjs']), 'the bundler did not copy this file');
    moved.remove();
  });

  test('Bun, which writes the path of the project into the bundle', ({ skip }) => {
    skip(SYSTEM !== 'linux-x64', `Bun is pinned for linux-x64, not ${SYSTEM}`);
    const project = workshop.project();
    const { folder } = project;
    const kept = `${folder}-kept`;
    cpSync(folder, kept, { recursive: true });
    const moved = project.build(['Bun'], { runtime: bun });
    renameSync(kept, folder);
    moved.worksAlone('program.js');
    rmSync(folder, { recursive: true });
    moved.remove();
  });
});
