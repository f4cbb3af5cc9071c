// Makes the table of docs/runtimes.md from the results of the lane.

import { readFileSync, writeFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/runtimes.md', import.meta.url);
const BEGIN = '<!-- runtimes: made by npm run test:runtimes -- --write -->';
const END = '<!-- /runtimes -->';

function around() {
  const text = readFileSync(PAGE, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error('docs/runtimes.md has no place for the table');
  return [text.slice(0, from + BEGIN.length), text.slice(from + BEGIN.length, to), text.slice(to)];
}

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
  return [['', ...titles], Array(titles.length + 1).fill('---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

export function inDocs(table) {
  return around()[1].trim() === table;
}

export function write(table) {
  const [before, , after] = around();
  writeFileSync(PAGE, `${before}\n\n${table}\n\n${after}`);
}

/** Requires that a lane ran exactly the checks that the page names. */
export function checkNames(outcomes) {
  const lines = around()[1].trim().split('\n').slice(2);
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
