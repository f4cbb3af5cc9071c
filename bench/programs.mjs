// The programs of bench/side-by-side/ and how to start them. Each program whose compiler or runtime is missing has the reason.

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { installed } = createRequire(import.meta.url)('../test/support/cache.cjs');
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** The path of a runtime: a file in the packages that test/lanes/runtimes/package.json pins. */
export function runtime(path) {
  // --force, because some packages are for other processors.
  return join(installed('runtimes', here('../test/lanes/runtimes'), ['--force']), path);
}

/** Compilers and interpreters of Debian: what prints the version, and how a program is compiled to `output`. */
const LANGUAGES = {
  C: {
    file: 'loop.c',
    debian: 'gcc',
    version: ['gcc', '-dumpfullversion'],
    compile: (source, output) => ['gcc', '-O2', '-o', output, source],
  },
  Rust: {
    file: 'loop.rs',
    debian: 'rustc',
    version: ['rustc', '--version'],
    compile: (source, output) => ['rustc', '--edition', '2021', '-O', '-o', output, source],
  },
  Go: {
    file: 'loop.go',
    debian: 'golang-go',
    version: ['go', 'version'],
    compile: (source, output) => ['go', 'build', '-o', output, source],
  },
  Python: { file: 'loop.py', debian: 'python3', version: ['python3', '--version'] },
};

/** What the sum of a `get` after an odd number of `set` is: of idle, interval, count and the switch; or of a part of them. */
const ALL = 61 + 11 + 6 + 1;
const PART = 11 + 6;

/**
 * Returns { name, command, sum, only }: `sum` is what `get` must read, `only` names the operations of a program that has not
 * all three; or { name, skipped }, with the reason. The first one is the baseline. Compiles into `folder`.
 */
export function programsIn(folder) {
  const node20 = nodeProgram(runtime('node-20/bin/node'), 'Node');
  const node26 = nodeProgram(runtime('node-26/bin/node'), 'Node');
  const ffi = ['--experimental-ffi', '--disable-warning=ExperimentalWarning'];
  const bun = nodeProgram(runtime('bun/bin/bun'), 'Bun');
  const reads = { only: ['tcpInfo'] };
  return [
    node20('baseline', 'C loop inside'),
    ...Object.entries(LANGUAGES).map(([name, language]) => inLanguage(name, language, folder)),
    node20('ours', 'socket-options,'),
    node26('ours', 'socket-options,'),
    bun('ours', 'socket-options,'),
    node20('reader', '`TcpInfoReader`,', reads),
    node26('reader', '`TcpInfoReader`,', reads),
    bun('reader', '`TcpInfoReader`,', reads),
    node26('core', '`socket.setKeepAlive()`,', { only: ['set'] }),
    node20('koffi', `koffi ${versionOf('koffi')},`),
    node26('nodeFfi', '`node:ffi`,', { flags: ffi }),
    bun('bunFfi', '`bun:ffi`,'),
    node20('netKeepalive', `net-keepalive ${versionOf('net-keepalive')},`, {
      only: ['set', 'get'],
      sum: PART,
    }),
  ];
}

function versionOf(name) {
  return JSON.parse(readFileSync(here(`node_modules/${name}/package.json`), 'utf8')).version;
}

/** Returns a function that makes a program of a way (side-by-side/ways.mjs). */
function nodeProgram(binary, runtimeName) {
  const version = firstNumbers(execFileSync(binary, ['--version'], { encoding: 'utf8' }));
  return (way, title, { flags = [], sum = ALL, only } = {}) => ({
    name: `${title} ${runtimeName} ${version}`,
    command: [binary, ...flags, here('side-by-side/loop.mjs'), way],
    sum,
    only,
  });
}

function inLanguage(name, { file, debian, version, compile }, folder) {
  const [program, ...args] = version;
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) {
    return { name, skipped: `${program} is missing: apt-get install ${debian}` };
  }
  const title = `${name} (${program} ${firstNumbers(stdout)})`;
  const source = here(`side-by-side/${file}`);
  if (compile === undefined) return { name: title, command: [program, source], sum: ALL };
  const output = join(folder, name);
  const [compiler, ...words] = compile(source, output);
  execFileSync(compiler, words, { stdio: ['ignore', 'inherit', 'inherit'] });
  return { name: title, command: [output], sum: ALL };
}

function firstNumbers(text) {
  return /\d+(?:\.\d+)+/.exec(text)[0];
}
