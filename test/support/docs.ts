// Examples of the docs, which tests run.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(__dirname, '../..');

/** What examples import, and where it is for a file that lies elsewhere. */
const MODULES = {
  'socket-options': 'dist/index.js',
  'socket-options/heartbeat': 'dist/heartbeat.js',
  'socket-options/metrics': 'dist/metrics.js',
  ws: 'node_modules/ws/wrapper.mjs',
};

/**
 * The code of each example of a page, as modules that run from any folder. An example that needs a library and its server is
 * marked by the library's name, "```js pg", and test/lanes/drivers runs it instead.
 */
export function examplesOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) =>
    Object.entries(MODULES).reduce(
      (example, [name, path]) =>
        example.replaceAll(`from '${name}'`, `from '${pathToFileURL(join(root, path))}'`),
      code as string,
    ),
  );
}

/** Replaces what is between the markers of that name by a table; only with WRITE_DOCS=1. */
export async function writeTable(
  file: string,
  name: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  if (process.env.WRITE_DOCS !== '1') return;
  const { markdownTable, writeBlock } = await import(join(root, 'scripts/marked-block.mjs'));
  writeBlock(file, name, markdownTable([head, ...rows]));
}
