// lib/ -> dist/: declarations by tsc, one bundle for each entry point by rolldown, and a file with its names. Runs with `npm ci`
// and before every test (`npm run build:ts`).

import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** The entry points. The others load the first, which has the addon. */
const ENTRY_POINTS = ['index', 'heartbeat', 'metrics', 'cli/main'];
const INDEX = `${root}lib/index.ts`;
/** Exports that index.js does not name: for the command line, which takes them from the bundle, and for index.js itself. */
const INTERNAL = /^internal/;

// Comments go: they are 70 kB of what Node would compile. Names stay, for stack traces, and so do lines: Node
// prints the whole line that threw an uncaught error. Without whitespace loading takes 0.3 of 6.2 ms less.
const minify = { compress: false, mangle: false, codegen: { removeWhitespace: false } };

rmSync(`${root}dist`, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' });
for (const entry of ENTRY_POINTS) {
  const isLibrary = entry !== 'cli/main';
  const file = isLibrary ? `${entry}.bundle.js` : `${entry}.js`;
  const bundle = await rolldown({
    input: `${root}lib/${entry}.ts`,
    external: [/^node:/, 'node-gyp-build', /package\.json$/, ...(entry === 'index' ? [] : [INDEX])],
    platform: 'node',
  });
  const { output } = await bundle.write({
    file: `${root}dist/${file}`,
    format: 'cjs',
    exports: 'named',
    comments: false,
    minify,
    paths: { [INDEX]: isLibrary ? './index.bundle.js' : '../index.bundle.js' },
  });
  await bundle.close();
  if (isLibrary) writeFileSync(`${root}dist/${entry}.js`, namesOf(file, output[0].exports));
}

/**
 * What `import` and `require()` find. `import` has to read the names of exports from the text of the file before
 * it runs, which takes 30 ms for a whole bundle on Node 20 and 22.
 */
function namesOf(file, names) {
  const named = names.filter((name) => !INTERNAL.test(name));
  const lines = named.map((name) => `exports.${name} = bundle.${name};`);
  const isIndex = names.includes('internalKeepConnect');
  return [
    "'use strict';",
    `const bundle = require('./${file}');`,
    ...(isIndex ? ['bundle.internalKeepConnect();'] : []),
    ...lines,
    '',
  ].join('\n');
}
