// Examples of the docs, which tests run, and tables, which tests measure: written on request, never by
// the way.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(__dirname, '../..');

/** What examples import, and where it is for a file that lies elsewhere. */
const MODULES = {
  'socket-options': 'dist/index.js',
  'socket-options/heartbeat': 'dist/heartbeat/index.js',
  ws: 'node_modules/ws/wrapper.mjs',
};

/** The code of each example of a page, as modules that run from any folder. */
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

/** Replaces what stands between the markers of that name by a table; only with WRITE_DOCS=1. */
export function writeTable(
  file: string,
  name: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  if (process.env.WRITE_DOCS !== '1') return;
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no markers "${name}"`);
  const before = text.slice(0, from + begin.length);
  writeFileSync(path, `${before}\n\n${lines.join('\n')}\n\n${text.slice(to)}`);
}
