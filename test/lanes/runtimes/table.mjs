// Makes the table of docs/runtimes.md from the results of the lane.

import { markdownTable, readBlock, writeBlock } from '../../../scripts/marked-block.mjs';

const PLACE = ['docs/runtimes.md', 'runtimes'];

/** A column for each runtime, a row for each check. */
export function page(columns) {
  const names = Object.keys(columns[0].outcomes);
  const rows = names.map((name) => [
    name,
    ...columns.map(({ outcomes }) =>
      outcomes[name] === 'works' ? 'yes' : `\`${outcomes[name]}\``,
    ),
  ]);
  const titles = columns.map(({ title }) => title);
  return markdownTable([['', ...titles], ...rows]);
}

export function inDocs(table) {
  return readBlock(...PLACE) === table;
}

export function write(table) {
  writeBlock(...PLACE, table);
}

/** Requires that a lane ran exactly the checks that the page names. */
export function checkNames(outcomes) {
  const lines = readBlock(...PLACE)
    .split('\n')
    .slice(2);
  const named = lines.map((line) => line.split(' | ')[0].slice(2));
  const ran = Object.keys(outcomes);
  const missing = named.filter((name) => !ran.includes(name));
  const unknown = ran.filter((name) => !named.includes(name));
  if (named.length > 0 && missing.length === 0 && unknown.length === 0) return;
  const lists = `not run: ${missing.join('; ')}. Not in the page: ${unknown.join('; ')}`;
  throw new Error(
    `the checks are not those of docs/runtimes.md, which has ${named.length}. ${lists}`,
  );
}
