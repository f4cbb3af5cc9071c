// Tables of the docs that tests measure: written on request, never by the way.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');

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
