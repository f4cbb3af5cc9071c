// Bundles and traced files, made by the real tools as docs/bundlers.md has it. Moved to an empty folder, they work on a real socket.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bun, type Moved, Workshop } from './project';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.remove());

const SYSTEM = `${process.platform}-${process.arch}`;
const pinned = SYSTEM === 'linux-x64' ? '' : `Bun is pinned for linux-x64, not ${SYSTEM}`;

describe('the moved output works on a real socket', () => {
  test.each([
    ['@vercel/nft', ['Tracers: @vercel/nft'], ['program.mjs']],
    ['ncc', ['ncc'], ['index.mjs']],
    ['esbuild, CommonJS', ['esbuild'], ['program.cjs']],
    ['esbuild, ES module', ['esbuild: ES modules'], ['program.mjs']],
    ['webpack, CommonJS', ['webpack'], ['program.cjs']],
    ['webpack, ES module', ['webpack: ES modules'], ['program.mjs']],
    ['webpack with node-loader', ['webpack: node-loader'], ['program.cjs']],
    ['Rollup', ['Rollup and rolldown', 'Rollup'], ['program.cjs', 'program.mjs']],
    ['Rollup, external', ['Rollup and rolldown: external'], ['program.mjs']],
    ['rolldown', ['Rollup and rolldown', 'rolldown'], ['program.cjs', 'program.mjs']],
    ['Vite', ['Vite'], ['program.mjs']],
  ])('%s', (_, headings, files) => {
    const moved = workshop.project().build(headings);
    for (const file of files) moved.worksAlone(file);
    moved.remove();
  });

  test('esbuild with the loader "file", minified', () => {
    const change = (text: string) => text.replace('node=copy', 'node=file --minify');
    const moved = workshop.project().build(['esbuild'], { change });
    moved.worksAlone('program.cjs');
    moved.remove();
  });

  test('esbuild for one system, without the other prebuilds', () => {
    const change = (text: string) =>
      text.replace('"linux"', `"${process.platform}"`).replace('"x64"', `"${process.arch}"`);
    const moved = workshop.project().build(['esbuild: one system'], { change });
    expect(readdirSync(moved.folder).filter((file) => file.endsWith('.node'))).toHaveLength(1);
    moved.worksAlone('program.cjs');
    moved.remove();
  });

  test('ncc, CommonJS', () => {
    const project = workshop.project();
    const esbuild = 'esbuild program.mjs --format=cjs --outfile=program.cjs\n';
    const change = (text: string) => esbuild + text.replace('program.mjs', 'program.cjs');
    const moved = project.build(['ncc'], { change });
    moved.worksAlone('index.cjs');
    moved.remove();
  });

  test('Bun', ({ skip }) => {
    skip(pinned !== '', pinned);
    const moved = workshop.project().build(['Bun'], { runtime: bun });
    moved.worksAlone('program.js');
    expect(moved.works([bun, 'program.js'])).toBeDefined();
    moved.remove();
  });
});

describe('all entry points in one program share one addon', () => {
  const change = (text: string) => text.replaceAll('program', 'entry-points');

  function expectAllToWork(moved: Moved, file: string): void {
    const { status, output } = moved.node(file);
    expect(status, output).toBe(0);
    const { metrics, addons, ...rest } = JSON.parse(output);
    expect(rest).toEqual({ noDelay: false, code: 'ETIMEDOUT', reason: 'silent' });
    expect(metrics).toMatch(/^tcp_connections_created_total 2$/m);
    expect(addons).toEqual([expect.stringContaining(`${moved.folder}/`)]);
    moved.remove();
  }

  test.each([
    ['@vercel/nft', ['Tracers: @vercel/nft'], 'entry-points.mjs'],
    ['esbuild, CommonJS', ['esbuild'], 'entry-points.cjs'],
    ['esbuild, ES module', ['esbuild: ES modules'], 'entry-points.mjs'],
    ['rolldown', ['Rollup and rolldown', 'rolldown'], 'entry-points.cjs'],
  ])('%s', (_, headings, file) => {
    expectAllToWork(workshop.project().build(headings, { change }), file);
  });
});

describe('without the prebuilds of other systems', () => {
  test.each([
    ['@vercel/nft', ['Tracers: @vercel/nft'], 'program.mjs'],
    ['esbuild', ['esbuild'], 'program.cjs'],
    ['webpack, which warns', ['webpack'], 'program.cjs'],
    ['Rollup', ['Rollup and rolldown', 'Rollup'], 'program.mjs'],
    ['rolldown', ['Rollup and rolldown', 'rolldown'], 'program.mjs'],
  ])('%s', (name, headings, file) => {
    const project = workshop.project();
    const prebuilds = join(project.folder, 'node_modules/socket-options/prebuilds');
    for (const system of readdirSync(prebuilds)) {
      if (system !== SYSTEM) rmSync(join(prebuilds, system), { recursive: true });
    }
    const moved = project.build(headings);
    expect(/warning/i.test(moved.printed)).toBe(name.includes('warns'));
    moved.worksAlone(file);
    moved.remove();
  });
});
