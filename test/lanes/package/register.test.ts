// The lines of docs/register.md that preload the installed package, from where it is installed and from elsewhere.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

/** A program that does not know the package. It connects to itself, and ends. */
const PROGRAM = `
const net = require('node:net');
const server = net.createServer((socket) => socket.end());
server.listen(0, '127.0.0.1', () => {
  net.connect(server.address().port, '127.0.0.1').resume().on('close', () => server.close());
});`;
/** In the package, as its manifest says. */
const REGISTER = 'node_modules/socket-options/dist/register.js';

let folder: string;
let local: string;
let global: string;
let elsewhere: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'socket-options-register-')));
  [local = '', global = '', elsewhere = ''] = ['my app', 'global', 'elsewhere'].map((name) =>
    join(folder, name),
  );
  for (const one of [local, global, elsewhere]) mkdirSync(one);
  for (const one of [local, elsewhere]) writeFileSync(join(one, 'program.cjs'), PROGRAM);
  writeFileSync(join(local, 'package.json'), '{ "name": "user", "private": true }');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', ...quiet, inject('tarball')], { cwd: local });
  const args = ['install', '--global', '--prefix', global, ...quiet, inject('tarball')];
  execFileSync('npm', args, { cwd: folder });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the program in a folder. Returns its exit code, and how many ends of connections were tuned. */
function run(cwd: string, flags: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stderr } = spawnSync(process.execPath, [...flags, 'program.cjs'], {
    cwd,
    encoding: 'utf8',
    env: {
      ...process.env,
      NODE_OPTIONS: undefined,
      SOCKET_OPTIONS: '20s',
      NODE_DEBUG: 'socket-options',
      ...env,
    },
  });
  return { status, tuned: stderr.match(/^SOCKET-OPTIONS \d+: tuned /gm)?.length ?? 0, stderr };
}

const tuned = { status: 0, tuned: 2 };

test.each([['--import'], ['--require']])(
  '%s socket-options/register, in the folder of the program',
  (flag) => {
    expect(run(local, [flag, 'socket-options/register'])).toMatchObject(tuned);
    const env = { NODE_OPTIONS: `${flag}=socket-options/register` };
    expect(run(local, [], env)).toMatchObject(tuned);
  },
);

test('--import socket-options/register is looked for in the working directory, and not beside the program', () => {
  const { status, stderr } = run(elsewhere, [
    '--import',
    'socket-options/register',
    join(local, 'program.cjs'),
  ]);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/ERR_MODULE_NOT_FOUND/)]);
});

test.each([['--import'], ['--require']])('%s with an absolute path, from everywhere', (flag) => {
  const path = join(global, 'lib', REGISTER);
  expect(run(elsewhere, [], { NODE_OPTIONS: `${flag}=${path}` })).toMatchObject(tuned);
  // With spaces in it.
  const spaced = join(local, REGISTER);
  expect(run(elsewhere, [], { NODE_OPTIONS: `${flag}="${spaced}"` })).toMatchObject(tuned);
});

test('--import with a URL, which Windows needs', () => {
  const { href } = pathToFileURL(join(local, REGISTER));
  expect(run(elsewhere, [], { NODE_OPTIONS: `--import=${href}` })).toMatchObject(tuned);
});

test('NODE_PATH is for --require, and not for --import', () => {
  const NODE_PATH = join(global, 'lib/node_modules');
  expect(run(elsewhere, ['--require', 'socket-options/register'], { NODE_PATH })).toMatchObject(
    tuned,
  );
  const { status, stderr } = run(elsewhere, ['--import', 'socket-options/register'], { NODE_PATH });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/ERR_MODULE_NOT_FOUND/)]);
});
