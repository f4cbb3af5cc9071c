// The modules of lib/ for scripts and tests that run without a build of their own and need more than
// what the package exports. Not run by itself.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { build } from 'esbuild';

const lib = fileURLToPath(new URL('../lib', import.meta.url));
const filename = fileURLToPath(import.meta.url);
const requireHere = createRequire(import.meta.url);
const REPLACED = 'replaced:';

/**
 * The exports of some modules of lib/, by their paths in it, as one object. They share no state with
 * dist/. `replaced` has exports to use instead of those of a module: a test double.
 *
 *     const { rows } = await source(['catalogue/catalogue']);
 */
export async function source(paths, replaced = {}) {
  const { outputFiles } = await build({
    stdin: {
      contents: paths.map((path) => `export * from './${path}';`).join('\n'),
      resolveDir: lib,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    external: ['node-gyp-build'],
    logLevel: 'error',
    plugins: [replacing(Object.keys(replaced))],
  });
  const module = { exports: {} };
  const require = (id) =>
    id.startsWith(REPLACED) ? replaced[id.slice(REPLACED.length)] : requireHere(id);
  compileFunction(
    outputFiles[0].text,
    ['module', 'exports', 'require', '__filename', '__dirname'],
    {
      filename,
    },
  )(module, module.exports, require, filename, dirname(filename));
  return module.exports;
}

/** Leaves the import of one of these modules to the bundle's `require`. */
function replacing(paths) {
  return {
    name: 'replacing',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const wanted = fileURLToPath(new URL(path, `file://${resolveDir}/`)).slice(lib.length + 1);
        return paths.includes(wanted) ? { path: REPLACED + wanted, external: true } : undefined;
      });
    },
  };
}
