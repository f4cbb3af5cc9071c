// npm run test:musl: the suite of this lane on Bun's build for musl, with the same addon file as for glibc.
//
// npm has no Node for musl. Bun needs a C++ library for musl, which Debian does not have: it is linked here from the
// objects of Debian's own C++ library.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary, needs, runSuite, stop, versionOf, withProject } from './lane.mjs';
import { checkNames } from './table.mjs';

const output = (command, ...args) =>
  execFileSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // nm writes warnings about objects without symbols there.
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
const words = (line) => line.trim().split(/\s+/);
const compilerFile = (name) => output('gcc', `-print-file-name=${name}`);

/** Links a libstdc++.so.6 with only the parts that `program` uses: all of it would need all of glibc. */
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
  // Includes data symbols that the program defines itself: it has copies of them.
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

/** The loader that the program names. */
function loaderOf(program) {
  return /program interpreter: (\S+)\]/.exec(output('readelf', '--program-headers', program))?.[1];
}

needs('musl-gcc', 'musl-tools');
needs('readelf', 'binutils');
const bun = binary('bun-musl/bin/bun');
const loader = loaderOf(bun);
if (!/^\/lib\/ld-musl-/.test(loader)) stop(`Bun's build for musl needs ${loader}`);
const result = await withProject('linux-x64', (folder) => {
  linkCxxLibrary(bun, folder);
  // Only for this program: programs for glibc would break with it.
  const command = ['env', `LD_LIBRARY_PATH=${folder}`, bun];
  const title = `Bun ${versionOf(...command)} on musl (${loader})`;
  return runSuite(folder, title, command, { libc: 'musl' });
});
if (!result.passed) stop('failed');
checkNames(result.outcomes);
