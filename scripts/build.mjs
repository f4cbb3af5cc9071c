// lib/ -> dist/: one bundle for each entry point by rolldown, a file with its names, and its types. Runs with `npm ci` and before
// every test (`npm run build:ts`).

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { buildTypes } from './build-types.mjs';
import { entryFile, REQUIRE_CHECK } from './entry-file.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The entry points. The others load the first, which has the addon. */
const ENTRY_POINTS = ['index', 'heartbeat', 'metrics', 'register', 'cli/main'];
/** Those that export nothing. */
const PROGRAMS = ['register', 'cli/main'];
const INDEX = `${root}lib/index.ts`;
/** Exports that index.js does not name: for other entry points, which take them from the bundle, and for index.js itself. */
const INTERNAL = /^internal/;

// Comments go: they are 70 kB of what Node would compile. Names stay, for stack traces, and so do lines: Node
// prints the whole line that threw an uncaught error. Without whitespace loading takes 2 % less.
const minify = { compress: false, mangle: false, codegen: { removeWhitespace: false } };

rmSync(`${root}dist`, { recursive: true, force: true });
for (const entry of ENTRY_POINTS) {
  const isLibrary = !PROGRAMS.includes(entry);
  const file = isLibrary ? `${entry}.bundle.js` : `${entry}.js`;
  const bundle = await rolldown({
    input: `${root}lib/${entry}.ts`,
    external: [
      /^node:/,
      'node-gyp-build',
      /package\.json$|\.node$/,
      ...(entry === 'index' ? [] : [INDEX]),
    ],
    platform: 'node',
  });
  const { output } = await bundle.generate({
    format: 'cjs',
    exports: 'named',
    comments: false,
    minify,
    paths: { [INDEX]: entry.includes('/') ? '../index.bundle.js' : './index.bundle.js' },
  });
  await bundle.close();
  mkdirSync(dirname(`${root}dist/${file}`), { recursive: true });
  const check = entry === 'register' ? REQUIRE_CHECK : '';
  writeFileSync(`${root}dist/${file}`, check + ascii(output[0].code));
  if (isLibrary) {
    const names = output[0].exports.filter((name) => !INTERNAL.test(name));
    const prepare = entry === 'index' ? 'internalKeepConnect' : undefined;
    writeFileSync(`${root}dist/${entry}.js`, entryFile(file, names, prepare));
  }
}

await buildTypes(
  root,
  ENTRY_POINTS.filter((entry) => entry !== 'cli/main'),
);

/** V8 keeps two bytes of each character, in place of one, if any is not in Latin-1: 0.3 MB more, and 8 % of loading. */
function ascii(code) {
  return code.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
