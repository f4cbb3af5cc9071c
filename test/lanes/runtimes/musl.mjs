// npm run test:musl: on Bun's build for musl, the very file that glibc takes.
//
// No Node for musl is on npm, and Debian has no C++ library for musl, which Bun wants: it is linked here
// from the objects that Debian has of its own.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary, needs, runSuite, stop, versionOf, withProject } from './lane.mjs';
import { checkNames } from './table.mjs';

const output = (command, ...args) =>
  execFileSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // nm tells there of objects without symbols.
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
const words = (line) => line.trim().split(/\s+/);
const compilerFile = (name) => output('gcc', `-print-file-name=${name}`);

/** libstdc++.so.6 of what `program` takes of it, and no more: all of it would need all of glibc. */
function linkCxxLibrary(program, folder) {
  const all = compilerFile('libstdc++_pic.a');
  if (!all.startsWith('/')) stop('libstdc++_pic.a is missing: apt-get install libstdc++-12-pic');
  const listed = (...args) =>
    output('nm', ...args)
      .split('\n')
      .map(words);
  const offered = new Set(
    listed('--defined-only', '--extern-only', all).flatMap((line) =>
      line.length === 3 ? line[2] : [],
    ),
  );
  // Also what the program seems to have itself: of objects it has a copy.
  const names = listed('--dynamic', program).map((line) => line.at(-1));
  const taken = [...new Set(names)].filter((name) => offered.has(name));
  execFileSync(
    'musl-gcc',
    [
      ...['-shared', '-fPIC', '-Wall', '-Wextra', '-Werror'],
      ...['-Wl,-soname,libstdc++.so.6', '-o', join(folder, 'libstdc++.so.6')],
      ...taken.map((name) => `-Wl,-u,${name}`),
      fileURLToPath(new URL('musl_shim.c', import.meta.url)),
      ...[all, compilerFile('libgcc_eh.a'), compilerFile('libgcc.a')],
    ],
    { stdio: 'inherit' },
  );
}

/** The loader that the kernel starts the program with. */
function loaderOf(program) {
  return /program interpreter: (\S+)\]/.exec(output('readelf', '--program-headers', program))?.[1];
}

needs('musl-gcc', 'musl-tools');
needs('readelf', 'binutils');
const bun = binary('bun-musl/bin/bun');
const loader = loaderOf(bun);
if (!/^\/lib\/ld-musl-/.test(loader)) stop(`Bun's build for musl wants ${loader}`);
const result = await withProject('linux-x64', (folder) => {
  linkCxxLibrary(bun, folder);
  // For this program alone: what is compiled for glibc would break with it.
  const command = ['env', `LD_LIBRARY_PATH=${folder}`, bun];
  const title = `Bun ${versionOf(...command)} on musl (${loader})`;
  return runSuite(folder, title, command, { libc: 'musl' });
});
if (!result.passed) stop('failed');
checkNames(result.outcomes);
