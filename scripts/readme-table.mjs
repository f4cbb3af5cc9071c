// Writes the README's support table from the catalogue: names, kinds and kernel names from its
// rows, the words from the first sentence of each row's doc.
//
//   node scripts/readme-table.mjs           writes README.md
//   node scripts/readme-table.mjs --check   fails if README.md is not what this would write

import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { source } from './source.mjs';

const { rows } = await source(['catalogue/catalogue']);
const README = new URL('../README.md', import.meta.url);
const BEGIN = '<!-- options: made by scripts/readme-table.mjs -->';
const END = '<!-- /options -->';

const KINDS = {
  boolean: 'boolean',
  duration: 'ms',
  rate: 'bytes/s',
  dscp: 'integer',
  string: 'string',
  cookie: 'digits',
  linger: '{ enable, timeout }',
  enum: 'name',
};

/** The first sentence of the doc above each row. */
function sentences() {
  const docs = new Map();
  for (const file of ['tcp', 'socket', 'ip']) {
    const path = new URL(`../lib/catalogue/${file}.ts`, import.meta.url);
    const source = ts.createSourceFile(
      file,
      readFileSync(path, 'utf8'),
      ts.ScriptTarget.ES2022,
      true,
    );
    const visit = (node) => {
      const doc = ts.isPropertyAssignment(node) && ts.getJSDocCommentsAndTags(node)[0]?.comment;
      if (doc) {
        const text = String(doc).replaceAll(/\s+/g, ' ');
        docs.set(node.name.getText(), /^.*?[.;](?= |$)/.exec(text)[0].slice(0, -1));
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return docs;
}

function kind(row) {
  const value = row.kind === 'integer' ? row.measure.replace('number', 'integer') : KINDS[row.kind];
  return row.access === 'read' ? `${value}, read only` : value;
}

function cell(option) {
  if (option === null) return '–';
  const names = [option.name, option.ipv6 ?? []].flat().map((name) => `\`${name}\``);
  return `${names.join(', ')}${option.access === 'read' ? ' (read)' : ''}`;
}

function table() {
  const docs = sentences();
  const lines = Object.entries(rows).map(([name, row]) => {
    const { linux, darwin, win32, freebsd } = row;
    const cells = [linux, darwin, win32, freebsd].map(cell);
    return [`**\`${name}\`**<br>${docs.get(name)}`, kind(row), ...cells];
  });
  return [
    ['Option', 'Value', 'Linux', 'macOS', 'Windows', 'FreeBSD'],
    Array(6).fill('---'),
    ...lines,
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

const text = readFileSync(README, 'utf8');
const [before, rest] = text.split(BEGIN);
if (rest === undefined || !rest.includes(END))
  throw new Error('README.md has no place for the table');
const made = `${before}${BEGIN}\n\n${table()}\n\n${END}${rest.split(END)[1]}`;
if (!process.argv.includes('--check')) {
  writeFileSync(README, made);
} else if (made !== text) {
  console.error('README.md: the table of options is not that of the catalogue: npm run format');
  process.exitCode = 1;
}
