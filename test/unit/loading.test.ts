// How the addon is found, and the error of the first call (not of the import) without one.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { onLinux } from '../support/platform';

const root = join(__dirname, '../..');
const { path: pathOf } = createRequire(__filename)('node-gyp-build') as {
  path: (root: string) => string;
};

/** A valid module for Node that is not the addon of this package. */
const REFERENCE = join(root, 'test/support/reference-addon/build/Release/reference_addon.node');
const NATIVE = 'native/build/Release/socket_options.node';
const BUILT = 'build/Release/socket_options.node';
const prebuilt = (system = `${process.platform}-${process.arch}`) =>
  `prebuilds/${system}/socket-options.node`;

/** A copy of the package without any addon. */
let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'socket-options-loading-')));
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(home, 'package.json'));
});
afterEach(() => rmSync(home, { recursive: true }));

function put(file: string, content?: string | Buffer): void {
  const target = join(home, file);
  mkdirSync(dirname(target), { recursive: true });
  if (content === undefined) cpSync(pathOf(root), target);
  else writeFileSync(target, content);
}

interface Report {
  addons: string[];
  supported: boolean;
  code?: string;
  message?: string;
  cause?: string;
}

/** Loads the copy in a new process. An import that throws fails the test. */
function load(
  flags: string[] = [],
  env: Record<string, string> = {},
  entry = 'dist/index.js',
  cwd = process.cwd(),
): Report {
  const code = `
    const { dlopen } = process;
    const addons = [];
    process.dlopen = (module, path) => {
      dlopen(module, path);
      addons.push(path.replace(/^[\\\\?]+/, ''));
    };
    const { getOption, isSupported } = require(${JSON.stringify(join(home, entry))});
    const report = { addons, supported: isSupported('keepAlive') };
    try {
      getOption(0, 'keepAlive');
    } catch ({ code, message, cause }) {
      Object.assign(report, { code, message, cause: cause?.code ?? cause?.message });
    }
    console.log(JSON.stringify(report));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', code], {
    cwd,
    encoding: 'utf8',
    // A lane may have sent this process to another addon.
    env: { ...process.env, PREBUILDS_ONLY: undefined, SOCKET_OPTIONS_PREBUILD: undefined, ...env },
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Report;
}

/** A module for --require that makes the process report another system. */
function otherSystem(platform: string, arch: string): string[] {
  put(
    'other.cjs',
    `for (const [key, value] of Object.entries(${JSON.stringify({ platform, arch })}))
       Object.defineProperty(process, key, { value });`,
  );
  return ['--require', join(home, 'other.cjs')];
}

describe('the addon', () => {
  test('compiled at installation is loaded first, then that of the repository, then the prebuilt', () => {
    for (const file of [prebuilt(), BUILT, NATIVE]) {
      put(file);
      expect(load()).toMatchObject({ addons: [join(home, file)], supported: true });
    }
  });

  test.each([
    [
      'SOCKET_OPTIONS_PREBUILD loads it from the given folder',
      'SOCKET_OPTIONS_PREBUILD',
      'elsewhere',
    ],
    ['PREBUILDS_ONLY loads the prebuilt before a compiled one', 'PREBUILDS_ONLY', ''],
  ])('%s', (_, variable, folder) => {
    put(BUILT);
    const file = join(folder, prebuilt());
    put(file);
    put(
      'node_modules/node-gyp-build/index.js',
      `module.exports = require(${JSON.stringify(join(root, 'node_modules/node-gyp-build'))})`,
    );
    expect(load([], { [variable]: join(home, folder) }).addons).toEqual([join(home, file)]);
  });
});

/** The package's own copy of node-gyp-build, for addons that are not in the usual places. */
function putLoader(): void {
  put(
    'node_modules/node-gyp-build/index.js',
    `module.exports = require(${JSON.stringify(join(root, 'node_modules/node-gyp-build'))})`,
  );
}

describe('an addon outside of the package', () => {
  const notFound = { addons: [], supported: false, code: 'ERR_ADDON_NOT_FOUND' };

  test.each([
    ['of a program', 'program'],
    ['that calls itself socket-options', 'socket-options'],
  ])('one level above a bundle is not loaded: a folder %s', (_, name) => {
    cpSync(join(home, 'dist'), join(home, 'bundle'), { recursive: true });
    put('package.json', JSON.stringify({ name }));
    for (const file of [prebuilt(), BUILT, NATIVE]) put(file);
    putLoader();
    for (const PREBUILDS_ONLY of [undefined, '1']) {
      const env = (PREBUILDS_ONLY ? { PREBUILDS_ONLY } : {}) as Record<string, string>;
      expect(load([], env, 'bundle/index.js')).toMatchObject(notFound);
    }
  });

  test('above a folder dist/ of another package is not loaded', () => {
    put('package.json', JSON.stringify({ name: 'program' }));
    for (const file of [prebuilt(), BUILT, NATIVE]) put(file);
    putLoader();
    expect(load()).toMatchObject(notFound);
  });

  test('in the working directory is not loaded where a bundler makes __filename relative to it', () => {
    put(prebuilt());
    const bundle = join(home, 'dist/index.bundle.js');
    const text = readFileSync(bundle, 'utf8');
    // webpack does this with `node: { __filename: true }`.
    writeFileSync(bundle, `var __filename = 'dist/index.bundle.js', __dirname = 'dist';\n${text}`);
    expect(load([], {}, 'dist/index.js', home)).toMatchObject(notFound);
  });

  test('beside the running program is not loaded', () => {
    putLoader();
    put(join('bin', prebuilt()));
    put(
      'moved.cjs',
      `Object.defineProperty(process, 'execPath', { value: ${JSON.stringify(join(home, 'bin/node'))} });`,
    );
    const report = load(['--require', join(home, 'moved.cjs')]);
    expect(report).toMatchObject(notFound);
    expect(report.cause).toMatch(/is outside of it and was not loaded/);
  });

  test('in the working directory is not loaded for an empty SOCKET_OPTIONS_PREBUILD', () => {
    put(BUILT);
    expect(load([], { SOCKET_OPTIONS_PREBUILD: '' }).addons).toEqual([join(home, BUILT)]);
  });
});

describe('after the import, no file of the package is read', () => {
  /** Calls every public function in a process that can no longer reach the package. */
  function callEverything(lose: string, env: Record<string, string> = {}) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(__dirname, '../fixtures/unreachable-package.cjs'), home, lose],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          PREBUILDS_ONLY: undefined,
          SOCKET_OPTIONS_PREBUILD: undefined,
          ...env,
        },
      },
    );
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout) as Record<string, string>;
  }

  test('every function works when the folder is gone', ({ skip }) => {
    skip(process.platform === 'win32', 'Windows does not rename a folder with a file in use');
    put(BUILT);
    const outcomes = callEverything('folder');
    expect(outcomes).toEqual(Object.fromEntries(Object.keys(outcomes).map((name) => [name, 'ok'])));
    expect(Object.keys(outcomes).length).toBeGreaterThan(25);
  });

  test('every function works after privileges are dropped', ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root can drop privileges');
    put(BUILT);
    chmodSync(home, 0o700);
    const outcomes = callEverything('privileges');
    expect(outcomes).toEqual(Object.fromEntries(Object.keys(outcomes).map((name) => [name, 'ok'])));
  });

  test('without free descriptors, errors are those of sockets, not of files', ({ skip }) => {
    skip(process.platform === 'win32', 'Windows has no such limit');
    put(BUILT);
    const outcomes = Object.values(callEverything('descriptors'));
    expect(outcomes.length).toBeGreaterThan(25);
    expect(outcomes.filter((outcome) => /MODULE|index\.js|require/.test(outcome))).toEqual([]);
  });
});

describe('without an addon', () => {
  const command = () =>
    `npm install --no-save node-gyp node-addon-api && npx node-gyp rebuild --directory "${join(home, 'native')}"`;

  test('the import works, and the first call reports the paths and the command to compile', () => {
    put(prebuilt('aix-ppc64'));
    const { message, ...rest } = load();
    expect(rest).toEqual({
      addons: [],
      supported: false,
      code: 'ERR_ADDON_NOT_FOUND',
      cause: 'MODULE_NOT_FOUND',
    });
    expect(message).toBe(
      `socket-options has no addon for ${process.platform}-${process.arch} here. Looked for:
  ${join(home, NATIVE)}
  ${join(home, BUILT)}
  ${join(home, prebuilt())}
To compile it, you need a C++ compiler and Python. Run in the folder of your project:
  ${command()}`,
    );
  });

  test.each([
    ['linux', 'riscv64'],
    ['sunos', 'x64'],
    ['android', 'arm64'],
  ])('the prebuilt of another system is not loaded on %s-%s', (platform, arch) => {
    put(prebuilt());
    const report = load(otherSystem(platform, arch));
    expect(report).toMatchObject({ addons: [], supported: false, code: 'ERR_ADDON_NOT_FOUND' });
    expect(report.message).toContain(`no addon for ${platform}-${arch} here`);
    expect(report.message).toContain(join(home, prebuilt(`${platform}-${arch}`)));
  });

  test('the error names the value of SOCKET_OPTIONS_PREBUILD', () => {
    const report = load([], { SOCKET_OPTIONS_PREBUILD: join(home, 'nowhere') });
    expect(report).toMatchObject({ code: 'ERR_ADDON_NOT_FOUND' });
    expect(report.message).toContain(`SOCKET_OPTIONS_PREBUILD=${join(home, 'nowhere')}`);
    expect(report.message).toContain('Correct or remove SOCKET_OPTIONS_PREBUILD');
  });

  test('of another package is rejected, and the import succeeds', (context) => {
    onLinux('the lane of Windows has no other addon for node.exe')(context);
    put(BUILT);
    const foreign = 'elsewhere/build/Release/other.node';
    putLoader();
    put(foreign, readFileSync(REFERENCE));
    const report = load([], { SOCKET_OPTIONS_PREBUILD: join(home, 'elsewhere') });
    expect(report).toMatchObject({
      addons: [join(home, foreign)],
      supported: false,
      code: 'ERR_DLOPEN_FAILED',
      cause: 'it is not the addon of this package',
    });
    expect(report.message).toContain('Correct or remove SOCKET_OPTIONS_PREBUILD');
  });

  test('the error in a bundle has a line for each bundler', () => {
    put('package.json', '{ "name": "program" }');
    const { code, message } = load();
    expect(code).toBe('ERR_ADDON_NOT_FOUND');
    expect(message).toMatch(/esbuild: --loader:\.node=copy/);
    expect(message).toMatch(/webpack: .*asset\/resource/);
    expect(message).toMatch(/Rollup.*: external: \['socket-options'\]/);
    expect(message).not.toContain('node-gyp rebuild');
  });

  test('the error for a broken addon has its path, the cause and the command to compile', () => {
    put(prebuilt(), 'no addon');
    const { message, ...rest } = load();
    expect(rest).toEqual({
      addons: [],
      supported: false,
      code: 'ERR_DLOPEN_FAILED',
      cause: 'ERR_DLOPEN_FAILED',
    });
    expect(message).toContain(`socket-options cannot load ${join(home, prebuilt())}: `);
    expect(message).toContain(command());
  });

  test('the error with --no-addons explains how to allow addons', () => {
    put(prebuilt());
    const report = load(['--no-addons']);
    expect(report).toMatchObject({ code: 'ERR_DLOPEN_DISABLED', cause: 'ERR_DLOPEN_DISABLED' });
    expect(report.message).toMatch(/--permission needs --allow-addons/);
    expect(report.message).not.toContain('node-gyp rebuild');
  });

  test('tuneSockets() throws it at once, and openSocket() blames nothing else', () => {
    const code = `
      const so = require(${JSON.stringify(join(home, 'dist/index.js'))});
      const codeOf = (call) => { try { call(); } catch ({ code }) { return code; } };
      console.log(JSON.stringify([
        codeOf(() => so.tuneSockets({ client: { deadPeerTimeout: 20_000 } })),
        codeOf(() => so.openSocket({ type: 'tcp4' })),
      ]));`;
    const { stdout } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual(['ERR_ADDON_NOT_FOUND', 'ERR_ADDON_NOT_FOUND']);
  });
});
