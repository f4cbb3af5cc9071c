// The installed package under unusual conditions: external to a bundle, without permissions, in folders with unusual names or
// without write permission, and on a system without a compiled addon. test/lanes/bundlers has bundles that contain it.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { name } from '../../../package.json';
import { node24 } from './managers';

const SMOKE = join(__dirname, 'smoke.mjs');
const SYSTEM = `${process.platform}-${process.arch}`;

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'socket-options-loading-')));
  install('project');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Creates a project that has installed the package; returns its folder. */
function install(title: string): string {
  const project = join(folder, title);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "user", "private": true }');
  cpSync(SMOKE, join(project, 'smoke.mjs'));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', inject('tarball')], {
    cwd: project,
    stdio: 'pipe',
  });
  return project;
}

interface Run {
  node?: string;
  uid?: number | undefined;
  env?: NodeJS.ProcessEnv;
}

function node(args: string[], cwd: string, { node = process.execPath, uid, env }: Run = {}) {
  const { status, stdout, stderr } = spawnSync(node, args, {
    cwd,
    uid,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, output: stdout + stderr };
}

/** Runs the smoke test, or a bundle of it, and expects success. */
function expectToWork(args: string[], cwd: string, options: Run = {}): void {
  const { status, output } = node(args, cwd, options);
  expect(status, output).toBe(0);
  expect(output).toContain('every option is as it was set');
}

/** A program that imports the package and makes a call, and prints the results of both. */
const ATTEMPT = `
  const { getOption, isSupported } = require('${name}');
  const supported = isSupported('keepAlive');
  try { getOption(0, 'keepAlive'); }
  catch ({ code, message }) { console.log(JSON.stringify({ supported, code, message })); }`;

/** A program with a heartbeat on a peer that reads but never answers. */
const SILENT_PEER = `
  const net = require('node:net');
  const { Heartbeat } = require('${name}/heartbeat');
  const server = net.createServer((socket) => socket.on('error', () => {}).resume());
  server.listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1', () => {
      let reason;
      const heartbeat = new Heartbeat(socket, { interval: 50, timeout: 200, send: 'ping' });
      heartbeat.on('dead', (death) => { reason = death.reason; });
      socket.on('error', ({ code }) => console.log(JSON.stringify({ code, reason })));
      socket.on('close', () => server.close());
      socket.resume();
    });
  });`;

/** Runs the program; returns its output. */
function silentPeer(args: string[], cwd: string): unknown {
  const { status, output } = node(args, cwd);
  expect(status, output).toBe(0);
  return JSON.parse(output);
}

interface Attempt {
  supported: boolean;
  code: string;
  message: string;
}

function attempt(args: string[], cwd: string, options: Run = {}): Attempt {
  const { status, output } = node(args, cwd, options);
  expect(status, output).toBe(0);
  return JSON.parse(output) as Attempt;
}

interface Bundle {
  entry: string;
  file: string;
  format: 'cjs' | 'esm';
  external: string[];
}
const bundlers = {
  esbuild: async ({ entry, file, format, external }: Bundle) => {
    const common = { bundle: true, platform: 'node', logLevel: 'silent' } as const;
    await esbuild({ ...common, entryPoints: [entry], outfile: file, format, external });
  },
  rolldown: async ({ entry, file, format, external }: Bundle) => {
    const { rolldown } = await import('rolldown');
    const bundle = await rolldown({ input: entry, platform: 'node', external });
    await bundle.write({ file, format });
    await bundle.close();
  },
};

describe('a bundle', () => {
  describe.each(['esbuild', 'rolldown'] as const)('of %s', (bundler) => {
    // The smoke test uses top-level await, so the bundle must be a module.
    test.each([
      ['esm', 'smoke.mjs'],
      ['cjs', 'external.cjs'],
    ] as const)('with the package external, as %s', async (format, source) => {
      const project = join(folder, 'project');
      writeFileSync(
        join(project, 'external.cjs'),
        `const { getSystemDefaults } = require('${name}');
         if (getSystemDefaults().keepAliveCount.value > 0) console.log('every option is as it was set');`,
      );
      const file = join(project, `${bundler}-external.${format === 'esm' ? 'mjs' : 'cjs'}`);
      await bundlers[bundler]({ entry: join(project, source), file, format, external: [name] });
      expectToWork([file], project);
    });
  });
});

test('a bundle with heartbeats and the package external asks the kernel', async () => {
  const project = join(folder, 'project');
  const entry = join(project, 'silent.cjs');
  writeFileSync(entry, SILENT_PEER);
  for (const bundler of ['esbuild', 'rolldown'] as const) {
    const file = join(project, 'out', bundler, 'silent.cjs');
    const external = [name, `${name}/heartbeat`];
    await bundlers[bundler]({ entry, file, format: 'cjs', external });
    expect(silentPeer([file], project)).toEqual({ code: 'ETIMEDOUT', reason: 'silent' });
  }
});

describe('under a permission model', () => {
  const elsewhere = `Node 24 is pinned for linux-x64, and this is ${SYSTEM}`;
  const models = [
    ['of Node 24', node24, '--permission', SYSTEM !== 'linux-x64' ? elsewhere : ''],
    ['of this Node', () => process.execPath, experimental(), ''],
  ] as const;

  /** The name of the flag in this version of Node. */
  function experimental(): string {
    return process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
  }

  describe.each(models)('%s', (_, program, flag, missing) => {
    const flags = [flag, '--allow-fs-read=*', '--no-warnings'];

    test('works with --allow-addons', ({ skip }) => {
      skip(missing !== '', missing);
      const project = join(folder, 'project');
      // Node 26 also requires --allow-net for sockets.
      const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];
      const here = program();
      const more = here === process.execPath ? net : [];
      expectToWork([...flags, ...more, '--allow-addons', 'smoke.mjs'], project, { node: here });
    });

    test('a call names the missing --allow-addons', ({ skip }) => {
      skip(missing !== '', missing);
      const project = join(folder, 'project');
      writeFileSync(join(project, 'permission.cjs'), ATTEMPT);
      const here = { node: program() };
      const { message, ...rest } = attempt([...flags, 'permission.cjs'], project, here);
      expect(rest).toEqual({ supported: false, code: 'ERR_DLOPEN_DISABLED' });
      expect(message).toMatch(/needs --allow-addons/);
    });
  });
});

describe('in a folder', () => {
  test('whose name has spaces and non-ASCII letters, the package works', () => {
    expectToWork(['smoke.mjs'], install('mein “Projekt” für 日本 & Ελλάδα'));
  });

  test('that is not writable, the package works', ({ skip }) => {
    skip(process.platform === 'win32', 'the mode of a folder does not stop writing on Windows');
    const project = install('read-only');
    execFileSync('chmod', ['-R', 'a-w,a+rX', project]);
    chmodSync(folder, 0o755);
    // root can write everywhere, so another user runs it.
    const uid = process.getuid?.() === 0 ? 65_534 : undefined;
    try {
      const touch = `require('node:fs').writeFileSync('node_modules/${name}/a', '')`;
      expect(node(['-e', touch], project, { uid }).output).toMatch(/EACCES/);
      expectToWork(['smoke.mjs'], project, { uid });
    } finally {
      execFileSync('chmod', ['-R', 'u+w', project]);
    }
  });
});

describe('for a system without a compiled addon', () => {
  let project: string;
  let home: string;
  const other = 'aix-ppc64';
  beforeAll(() => {
    project = install('other system');
    home = join(project, 'node_modules', name);
    for (const system of readdirSync(join(home, 'prebuilds'))) {
      if (system !== SYSTEM) rmSync(join(home, 'prebuilds', system), { recursive: true });
    }
    renameSync(join(home, 'prebuilds', SYSTEM), join(home, 'prebuilds', other));
    writeFileSync(join(project, 'attempt.cjs'), ATTEMPT);
  });

  test('importing works, and a call says what was searched and how to compile the addon', () => {
    const { message, ...rest } = attempt(['attempt.cjs'], project);
    expect(rest).toEqual({ supported: false, code: 'ERR_ADDON_NOT_FOUND' });
    expect(message).toContain(`no addon for ${SYSTEM} here`);
    expect(message).toContain(join(home, `prebuilds/${SYSTEM}/${name}.node`));
    expect(message).toMatch(/npm install --no-save .* node-gyp rebuild/);
  });

  test('a heartbeat detects a silent peer without a reason from the kernel', () => {
    writeFileSync(join(project, 'silent.cjs'), SILENT_PEER);
    const told = { code: 'ETIMEDOUT', reason: 'unknown' };
    expect(silentPeer(['silent.cjs'], project)).toEqual(told);
    // It does not need node-gyp-build either.
    const [loader, elsewhere] = ['node-gyp-build', 'elsewhere'].map((one) =>
      join(project, 'node_modules', one),
    ) as [string, string];
    renameSync(loader, elsewhere);
    try {
      expect(silentPeer(['silent.cjs'], project)).toEqual(told);
    } finally {
      renameSync(elsewhere, loader);
    }
  });

  test('a process of another architecture searches for the addon of that architecture', () => {
    const preload = join(project, 'preload.cjs');
    writeFileSync(
      preload,
      `Object.defineProperty(process, 'platform', { value: 'sunos' });
       Object.defineProperty(process, 'arch', { value: 'sparc' });`,
    );
    const { message, ...rest } = attempt(['--require', preload, 'attempt.cjs'], project);
    expect(rest).toEqual({ supported: false, code: 'ERR_ADDON_NOT_FOUND' });
    expect(message).toContain(join(home, `prebuilds/sunos-sparc/${name}.node`));
  });

  test('the command in the error message compiles the addon, which is then loaded', ({ skip }) => {
    const headers = join(dirname(process.execPath), '..');
    const node_h = existsSync(join(headers, 'include/node/node.h'));
    skip(!node_h, `this Node has no headers beside it, in ${headers}`);
    const { message } = attempt(['attempt.cjs'], project);
    const [command = ''] = message.match(/npm install .*/) ?? [];
    execFileSync(command, {
      cwd: project,
      shell: true,
      stdio: 'pipe',
      env: { ...process.env, npm_config_nodedir: headers },
    });
    expectToWork(['smoke.mjs'], project);
    const which = `require('${name}'); console.log(process.report.getReport().sharedObjects.filter((file) => /socket.options.node$/.test(file)).join())`;
    const { output } = node(['-e', which], project);
    expect(output.trim()).toBe(join(home, 'native/build/Release/socket_options.node'));
  });
});
