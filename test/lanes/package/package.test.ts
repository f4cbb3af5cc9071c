// The tarball: its content, its installation in an empty project, loading and types.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { name, version } from '../../../package.json';

const root = join(__dirname, '../../..');
let folder: string;
let project: string;
let installOutput: string;
const tarball = inject('tarball');
const packed = inject('packed');

function run(command: string, args: string[], cwd = project, env: NodeJS.ProcessEnv = {}): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, ...env } });
}

/** Runs code in the project that installed the package; returns the JSON that it prints. */
function evaluate(file: string, code: string, flags: string[] = []): unknown {
  writeFileSync(join(project, file), code);
  return JSON.parse(run(process.execPath, [...flags, file]));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'socket-options-package-'));
  project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "user", "private": true }');
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['install', '--foreground-scripts', '--no-audit', '--no-fund', tarball],
    { cwd: project, encoding: 'utf8' },
  );
  installOutput = stdout + stderr;
  expect(status, installOutput).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('contains the code, its types, the addon and its sources, and nothing else', () => {
    const unexpected = packed.filter(
      (path) =>
        ![
          /^dist\/(.+\.js|(index|heartbeat|metrics|register)\.d\.ts)$/,
          /^native\/((platform\/)?\w+\.(cc|h)|exports\.map|binding\.gyp)$/,
          /^prebuilds\/[\w-]+\/socket-options\.node$/,
          /^docs\/.+\.(md|svg|png)$/,
          /^examples\/(prometheus\/)?[\w.-]+\.(mjs|sh|md|json|yml)$/,
          /^([A-Z_]+\.md|LICENSE|package\.json)$/,
        ].some((expected) => expected.test(path)),
    );
    expect(unexpected).toEqual([]);
    const addons = ['darwin-arm64', 'darwin-x64', 'freebsd-x64', 'linux-arm', 'linux-arm64'];
    addons.push('linux-ppc64', 'linux-riscv64', 'linux-s390x', 'linux-x64');
    addons.push('win32-arm64', 'win32-x64');
    expect(packed.filter((path) => path.startsWith('prebuilds/')).sort()).toEqual(
      addons.map((system) => `prebuilds/${system}/${name}.node`),
    );
    expect(packed).toContain('LICENSE');
    expect(packed).toContain('native/binding.gyp');
    // Package managers treat a binding.gyp at the root as an install script.
    expect(packed).not.toContain('binding.gyp');
  });

  test('has no page with a link to a file that is not in it', async () => {
    const { isInternal, linksOf, resolveLink } = await import(
      join(root, 'scripts/markdown-links.mjs')
    );
    const pages = packed.filter((path) => path.endsWith('.md'));
    const links = pages.flatMap((page) =>
      linksOf(readFileSync(join(project, 'node_modules', name, page), 'utf8'))
        .filter(({ target }: { target: string }) => isInternal(target))
        .map(({ target }: { target: string }) => ({ page, ...resolveLink(page, target) })),
    );
    expect(links.length).toBeGreaterThan(100);
    expect(
      links.filter(
        ({ file }) => !packed.some((path) => path === file || path.startsWith(`${file}/`)),
      ),
    ).toEqual([]);
  });

  test('contains no path and no registry of the machine it was packed on', () => {
    for (const path of packed.filter((one) => !one.endsWith('.node'))) {
      const text = readFileSync(join(project, 'node_modules', name, path), 'utf8');
      expect(text, path).not.toContain(root);
      expect(text, path).not.toMatch(/https?:\/\/registry\./);
    }
  });

  test('installs without a script, a warning or a compiler', () => {
    const lines = installOutput
      .split('\n')
      // A warning about the configuration of the user who runs this.
      .filter((line) => line !== '' && !/Unknown (user|env) config/.test(line));
    expect(lines).toEqual([expect.stringMatching(/^added 2 packages/)]);
    const manifest = readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8');
    expect(JSON.parse(manifest)).not.toHaveProperty('scripts');
  });

  test('depends only on node-gyp-build', () => {
    const tree = JSON.parse(run('npm', ['ls', '--omit=dev', '--all', '--json'])) as {
      dependencies: Record<string, { dependencies: Record<string, object> }>;
    };
    const dependencies = tree.dependencies[name]?.dependencies ?? {};
    expect(dependencies).toEqual({
      // An optional peer dependency, which is not installed.
      '@types/node': {},
      'node-gyp-build': expect.not.objectContaining({ dependencies: expect.anything() }),
    });
    expect(
      readdirSync(join(project, 'node_modules')).filter((one) => !one.startsWith('.')),
    ).toEqual(['node-gyp-build', name]);
  });
});

describe('loading', () => {
  const names = [
    'SocketOptionError',
    'TcpInfoReader',
    'bind',
    'connect',
    'constants',
    'destroyConnection',
    'diagnoseConnections',
    'explainDisconnect',
    'getDeadPeerBounds',
    'getKeepAlive',
    'getKernelTcpInfo',
    'getMptcpInfo',
    'getOption',
    'getOptions',
    'getRawOption',
    'getSysctl',
    'getSystemDefaults',
    'getTcpInfo',
    'isReusable',
    'isSupported',
    'listConnections',
    'listConnectionsAsync',
    'listen',
    'openSocket',
    'planDeadPeerTimeout',
    'readTcpInfos',
    'readTcpInfosAsync',
    'setDeadPeerTimeout',
    'setKeepAlive',
    'setOptions',
    'setRawOption',
    'supportedOptions',
    'tcpStates',
    'tuneSockets',
    'watchClosedConnections',
  ];

  test('by require()', () => {
    expect(
      evaluate('a.cjs', `console.log(JSON.stringify(Object.keys(require('${name}')).sort()))`),
    ).toEqual(names);
  });

  test('by named imports, with the same classes as by require()', () => {
    const code = `
      import { createRequire } from 'node:module';
      import { ${names.join(', ')} } from '${name}';
      const required = createRequire(import.meta.url)('${name}');
      console.log(JSON.stringify([
        [${names.join(', ')}].every((value) => value !== undefined),
        required.SocketOptionError === SocketOptionError,
        isSupported('userTimeout'),
      ]));`;
    expect(evaluate('a.mjs', code)).toEqual([true, true, true]);
  });

  const heartbeatNames = [
    'Heartbeat',
    'HeartbeatTimeoutError',
    'PeerRegistry',
    'PeerSupersededError',
  ];

  test('socket-options/heartbeat by require() and by named imports, with the same classes', () => {
    expect(
      evaluate(
        'heartbeat.cjs',
        `console.log(JSON.stringify(Object.keys(require('${name}/heartbeat')).sort()))`,
      ),
    ).toEqual(heartbeatNames);
    const code = `
      import { createRequire } from 'node:module';
      import { ${heartbeatNames.join(', ')} } from '${name}/heartbeat';
      const required = createRequire(import.meta.url)('${name}/heartbeat');
      const all = { ${heartbeatNames.join(', ')} };
      console.log(JSON.stringify(Object.entries(all).map(([key, one]) => one === required[key])));`;
    expect(evaluate('heartbeat.mjs', code)).toEqual(heartbeatNames.map(() => true));
  });

  test('socket-options/metrics by require() and by a named import, with the same class', () => {
    const code = `
      import { createRequire } from 'node:module';
      import { TcpMetrics } from '${name}/metrics';
      const required = createRequire(import.meta.url)('${name}/metrics');
      console.log(JSON.stringify([required.TcpMetrics === TcpMetrics, Object.keys(required)]));`;
    expect(evaluate('metrics.mjs', code)).toEqual([true, ['TcpMetrics']]);
  });

  test('socket-options/heartbeat loads no second addon when it asks the kernel', () => {
    const code = `
      const { Duplex } = require('node:stream');
      const { dlopen } = process;
      let opened = 0;
      process.dlopen = (module, path) => {
        opened++;
        dlopen(module, path);
      };
      const { Heartbeat, PeerRegistry } = require('${name}/heartbeat');
      const addons = () => [
        opened,
        process.report.getReport().sharedObjects.filter((file) => /socket.options/.test(file)).length,
      ];
      const stream = new Duplex({ read() {}, write: (chunk, encoding, done) => done() });
      stream.on('error', () => {}).resume();
      const registry = new PeerRegistry();
      registry.claim('a', stream);
      const heartbeat = new Heartbeat(stream, { interval: 50, timeout: 120, send: 'ping' }).ref();
      const before = addons();
      let late;
      heartbeat.on('late', () => { late = addons(); });
      heartbeat.on('dead', () => console.log(JSON.stringify({ before, late, dead: addons() })));`;
    expect(evaluate('lazy.cjs', code)).toEqual({ before: [1, 1], late: [1, 1], dead: [1, 1] });
  });

  test('in a worker thread', () => {
    const code = `
      const { Worker, isMainThread, parentPort } = require('node:worker_threads');
      const { supportedOptions } = require('${name}');
      if (isMainThread) new Worker(__filename).on('message', (n) => console.log(n));
      else parentPort.postMessage(supportedOptions().length);`;
    expect(evaluate('worker.cjs', code)).toBeGreaterThan(40);
  });

  test('the prebuilt addon', () => {
    const code = `
      require('${name}');
      const { sharedObjects } = process.report.getReport();
      console.log(JSON.stringify(sharedObjects.find((file) => file.includes('${name}'))));`;
    expect(evaluate('addon.cjs', code)).toMatch(
      new RegExp(`prebuilds/${process.platform}-${process.arch}/${name}\\.node$`),
    );
  });

  test('the command line', () => {
    const bin = join(project, 'node_modules/.bin/socket-options');
    expect(run(bin, ['--version'])).toBe(`${version}\n`);
    expect(JSON.parse(run(bin, ['defaults', '--json']))).toHaveProperty('keepAliveCount');
  });
});

describe('types', () => {
  test.each([
    ['CommonJS', 'node16', 'node16', 'types.cts'],
    ['ES modules', 'node16', 'node16', 'types.mts'],
    ['nodenext', 'nodenext', 'nodenext', 'types.mts'],
    ['a bundler', 'esnext', 'bundler', 'types.ts'],
    // This mode ignores "exports" and uses "typesVersions".
    ['the resolution of old', 'commonjs', 'node10', 'types.ts'],
  ])('resolve for %s', (_, module, moduleResolution, file) => {
    writeFileSync(
      join(project, file),
      `import { getKeepAlive, getOption, type SocketLike, SocketOptionError, setOptions } from '${name}';
       import { Heartbeat, type PeerDeath, PeerRegistry } from '${name}/heartbeat';
       import { TcpMetrics, type TcpMetricsOptions } from '${name}/metrics';
       import '${name}/register';
       import { Socket } from 'node:net';
       declare const socket: SocketLike;
       setOptions(socket, { userTimeout: 30_000 });
       export const held: string = getOption(socket, 'cookie');
       export const delay: number | null = getKeepAlive(socket).initialDelay;
       export const code = (error: unknown) => error instanceof SocketOptionError && error.code;
       export const reason = (death: PeerDeath): 'silent' | 'vanished' | 'reset' | 'unknown' => death.reason;
       export const heartbeat = new Heartbeat(new Socket(), { interval: 1_000, send: 'ping' });
       heartbeat.on('beat', ({ rtt }) => rtt?.toFixed()).on('dead', reason);
       export const options: TcpMetricsOptions = { peer: ({ remoteAddress }) => remoteAddress ?? 'none' };
       export const text: string = new TcpMetrics(options).text({ format: 'openmetrics' });
       export const first: Socket | undefined = new PeerRegistry<number>().get(1)[0];
      `,
    );
    const program = ts.createProgram([join(project, file)], {
      ...ts.convertCompilerOptionsFromJson(
        {
          ...{ module, moduleResolution, target: 'es2022', strict: true, noEmit: true },
          ...{ types: ['node'], ignoreDeprecations: '6.0' },
        },
        project,
      ).options,
      typeRoots: [join(root, 'node_modules/@types')],
    });
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(problems).toEqual([]);
  });

  test.each([
    ['index', name],
    ['heartbeat', `${name}/heartbeat`],
    ['metrics', `${name}/metrics`],
    ['register', `${name}/register`],
  ])('of %s export the values that exist, and declare no others', (entry, specifier) => {
    const text = readFileSync(join(project, 'node_modules', name, `dist/${entry}.d.ts`), 'utf8');
    const exported = [...text.matchAll(/^export (type )?\{ ?(.*?) ?\};$/gm)].flatMap(
      ([, type, list = '']) =>
        list.split(', ').map((one) => ({
          name: one.replace(/^type /, ''),
          isType: type !== undefined || one.startsWith('type '),
        })),
    );
    const names = exported.map((one) => one.name);
    const values = exported.filter((one) => !one.isType && one.name !== '').map((one) => one.name);
    const code = `console.log(JSON.stringify(Object.keys(require('${specifier}'))))`;
    expect(values.sort()).toEqual((evaluate('values.cjs', code) as string[]).sort());
    const declared = [...text.matchAll(/^declare (?:class|function|const) (\w+)/gm)];
    expect(declared.map(([, one]) => one).filter((one) => !names.includes(one as string))).toEqual(
      [],
    );
  });

  test('publint and are-the-types-wrong report nothing', () => {
    expect(run('npx', ['--no-install', 'publint', '--strict', tarball], root)).toMatch(/All good!/);
    const { status, stdout } = spawnSync('npx', ['--no-install', 'attw', tarball], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/No problems found/);
    expect(status).toBe(0);
  });

  test('hovering over an option shows its unit, range, kernel names and source', () => {
    const file = join(project, 'hover.mts');
    const text = `import { setOptions, setKeepAlive, getOption } from '${name}';
      setOptions(3, { userTimeout: 1 });
      setKeepAlive(3, { initialDelay: 1 });
      getOption(3, 'ttl');`;
    writeFileSync(file, text);
    const service = ts.createLanguageService({
      getCompilationSettings: () => ({
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        target: ts.ScriptTarget.ES2022,
        typeRoots: [join(root, 'node_modules/@types')],
      }),
      getScriptFileNames: () => [file],
      getScriptVersion: () => '1',
      getScriptSnapshot: (path) =>
        ts.sys.fileExists(path)
          ? ts.ScriptSnapshot.fromString(ts.sys.readFile(path) ?? '')
          : undefined,
      getCurrentDirectory: () => project,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    });
    const hover = (word: string) => {
      const info = service.getQuickInfoAtPosition(file, text.lastIndexOf(word) + 1);
      const tags = info?.tags?.map(({ text: parts }) => ts.displayPartsToString(parts)) ?? [];
      return [ts.displayPartsToString(info?.documentation), ...tags].join('\n');
    };
    for (const words of [/milliseconds/, /0 to 2 147 483 647/, /TCP_USER_TIMEOUT/, /RFC 5482/]) {
      expect(hover('userTimeout')).toMatch(words);
    }
    expect(hover('initialDelay')).toMatch(/TCP_KEEPIDLE/);
    expect(hover('getOption(')).toMatch(/ENOPROTOOPT/);
  });
});
