// Text between two markers of a Markdown page: what a program writes there, and what is there now.
// scripts/generate-docs.mjs and the test lanes that measure something use it.
//
//     <!-- begin: options (npm run format writes this) -->
//     ...
//     <!-- end: options -->

import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);

function split(page, name) {
  const text = readFileSync(new URL(page, root), 'utf8');
  const markers = new RegExp(`(<!-- begin: ${name}\\b.*? -->\n)([^]*)(\n<!-- end: ${name} -->)`);
  const [all, begin, block, end] = text.match(markers) ?? [];
  if (all === undefined) throw new Error(`${page} has no markers "begin: ${name}", "end: ${name}"`);
  const from = text.indexOf(all);
  return {
    before: text.slice(0, from) + begin,
    block: block.trim(),
    after: end + text.slice(from + all.length),
  };
}

/** What is between the markers of that name. `page` is a path from the root of the repository. */
export function readBlock(page, name) {
  return split(page, name).block;
}

export function writeBlock(page, name, block) {
  const { before, after } = split(page, name);
  writeFileSync(new URL(page, root), `${before}\n${block}\n${after}`);
}

/** A Markdown table; the first row is its head. */
export function markdownTable([head, ...rows]) {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
