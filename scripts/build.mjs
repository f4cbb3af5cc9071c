// lib/ -> dist/: types by tsc, code by rolldown. index.js loads the others at once: after
// the import nothing is read from disk.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** Of each file in dist/ what it requires at run time, and does not hold itself. */
const FILES = {
  index: ['node-gyp-build', './index.js', './load-failure.js'],
  'connections/index': [],
  'tcp-info/index': [],
  'dead-peer/index': [],
  'options/index': [],
  'system/index': [],
  'load-failure': [],
  'heartbeat/index': ['../index.js'],
  'cli/main': ['../index', '../options/index', '../../package.json'],
};

/** What there must be one of: lib/kit.ts hands it over. */
const ONCE = /\/lib\/(binding|error|socket)\.ts$/;

// Half of loading is compiling. Shorter names of local variables take a tenth off it; functions keep
// theirs and every statement its line, for stack traces and for people who read the code.
const minify = {
  compress: false,
  mangle: { toplevel: false, keepNames: true },
  codegen: { removeWhitespace: false },
};

rmSync(`${root}/dist`, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', `${root}/tsconfig.build.json`], { stdio: 'inherit' });
for (const [file, external] of Object.entries(FILES)) {
  const bundle = await rolldown({
    input: `${root}/lib/${file}.ts`,
    external: [/^node:/, ...external],
    platform: 'node',
  });
  const { output } = await bundle.write({
    ...{ file: `${root}/dist/${file}.js`, format: 'cjs', exports: 'named', minify },
  });
  const twice = output[0].moduleIds.find((id) => ONCE.test(id));
  if (file !== 'index' && twice) throw new Error(`${file}.js has a copy of ${twice}: lib/given.ts`);
  await bundle.close();
}
