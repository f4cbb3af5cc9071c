// The text of the file that `import` and `require()` find: it names the exports of a bundle. `import` has to read the names from the
// text of the file before it runs, which takes 30 ms for a whole bundle on Node 20 and 22.

/** In an ES module, esbuild replaces `require()` by a function that throws. */
const ESBUILD = `socket-options needs require(), which esbuild does not have in ES modules. Add: --banner:js="import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"`;

/** Begins each file that a program can import. It says what is missing, and `require()` works after it. */
export const REQUIRE_CHECK = `try {
  require('node:fs');
} catch (cause) {
  if (/^Dynamic require/.test(cause.message)) throw new Error(${JSON.stringify(ESBUILD)}, { cause });
}
`;

/** `prepare` is the name of an export to call, if any. */
export function entryFile(file, names, prepare) {
  const load = prepare === undefined ? '' : `\n  bundle.${prepare}();`;
  return `'use strict';
${REQUIRE_CHECK}function load() {
  const bundle = require('./${file}');${load}
  return bundle;
}
const flags = process.execArgv.join();
if (/snapshot|sea/.test(flags) && require('node:v8').startupSnapshot.isBuildingSnapshot()) {
  // A snapshot cannot contain an addon: the bundle is loaded when the first export is used.
  for (const name of ${JSON.stringify(names)}) {
    Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] });
  }
} else {
  const bundle = load();
${names.map((name) => `  exports.${name} = bundle.${name};`).join('\n')}
}
`;
}
