// The modules of lib/ for scripts and tests that run without a build of their own and need more than
// what the package exports. Not run by itself.

import { Module } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const lib = fileURLToPath(new URL('../lib', import.meta.url));
const file = fileURLToPath(import.meta.url);

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
  const bundle = new Module(file);
  bundle.filename = file;
  bundle.replaced = replaced;
  bundle._compile(outputFiles[0].text, file);
  return bundle.exports;
}

/** Resolves an import of one of these modules to `module.replaced`. */
function replacing(paths) {
  return {
    name: 'replacing',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const wanted = fileURLToPath(new URL(path, `file://${resolveDir}/`)).slice(lib.length + 1);
        return paths.includes(wanted) ? { path: wanted, namespace: 'replaced' } : undefined;
      });
      onLoad({ filter: /.*/, namespace: 'replaced' }, ({ path }) => ({
        contents: `module.exports = module.replaced[${JSON.stringify(path)}];`,
      }));
    },
  };
}
