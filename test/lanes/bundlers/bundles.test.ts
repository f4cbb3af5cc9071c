// Bundles and traced files, made by the real tools as docs/bundlers.md has it: moved to an empty folder, they work on a real socket.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Moved, type Output, Workshop } from './project';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.remove());

const SYSTEM = `${process.platform}-${process.arch}`;

/** Expects that the program worked on its connection, with an addon from the folder. */
function expectToWork({ status, output }: Output, { folder }: Moved): void {
  expect(status, output).toBe(0);
  const { keepAlive, state, addons } = JSON.parse(output);
  expect(keepAlive).toEqual({ enable: true, initialDelay: 30_000, interval: 5_000, count: 3 });
  expect(state).toBe('ESTABLISHED');
  expect(addons).toEqual([expect.stringContaining(`${folder}/`)]);
}

/** Expects that all entry points worked on their connection, with one addon from the folder. */
function expectAllToWork({ status, output }: Output, { folder }: Moved): void {
  expect(status, output).toBe(0);
  const { metrics, addons, ...rest } = JSON.parse(output);
  expect(rest).toEqual({ noDelay: false, code: 'ETIMEDOUT', reason: 'silent' });
  expect(metrics).toMatch(/^tcp_client_connections_opened_total\{.*\} 1$/m);
  expect(addons).toEqual([expect.stringContaining(`${folder}/`)]);
}

describe.each([
  ['Next.js standalone, Vercel, Netlify: @vercel/nft', 'program.mjs'],
  ['ncc', 'index.js'],
  ['esbuild', 'program.js'],
  ['esbuild: ES modules', 'program.mjs'],
  ['webpack', 'program.cjs'],
  ['Rollup', 'program.cjs'],
  ['rolldown', 'program.cjs'],
  ['Vite', 'program.mjs'],
])('%s', (heading, file) => {
  test('the moved output works on a real socket', () => {
    const project = workshop.project();
    const { status, output } = project.build(heading);
    expect(status, output).toBe(0);
    const moved = project.move();
    expectToWork(moved.node(file), moved);
    moved.remove();
  });
});
