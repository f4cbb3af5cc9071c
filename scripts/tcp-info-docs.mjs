// The tables of docs/tcp-state.md, made of the rows of lib/tcp-info/fields.ts and of the docs above them. Part
// of scripts/tcp-info.mjs.

import { readFileSync } from 'node:fs';
import ts from 'typescript';

const FIELDS = new URL('../lib/tcp-info/fields.ts', import.meta.url);
const SYSTEMS = { linux: 'Linux', darwin: 'macOS', win32: 'Windows', freebsd: 'FreeBSD' };
const SECTIONS = {
  life: 'State and signs of life',
  roundTrip: 'Round-trip time',
  sending: 'Sending, and what limits it',
  loss: 'Loss',
  listening: 'Listening sockets',
};

/** The page with its tables made again. `structures`: the members of each system. */
export function docsTables(page, fields, structures) {
  const docs = docsOfRows();
  for (const [name, field] of Object.entries(fields)) {
    checkDoc(name, docs.get(name)?.replaceAll(/\s+/g, ' '), field, structures);
  }
  const sections = Object.entries(SECTIONS).map(([section, heading]) => {
    const rows = Object.entries(fields)
      .filter(([, field]) => field.section === section)
      .map(([name, { normal, bad }]) => [
        `\`${name}\``,
        meaningOf(docs.get(name)),
        normal ?? '',
        bad ?? '',
      ]);
    return `## ${heading}\n\n${table(['Field', 'Meaning', 'Normal', 'A bad value means'], rows)}`;
  });
  const sources = Object.entries(fields).map(([name, field]) => [
    `**\`${name}\`**`,
    field.unit,
    ...Object.keys(SYSTEMS).map((system) => sourceCell(field[system])),
  ]);
  const text = replaced(page, 'fields', sections.join('\n\n'));
  return replaced(text, 'sources', table(['Field', 'Unit', ...Object.values(SYSTEMS)], sources));
}

/** The doc above each row. */
function docsOfRows() {
  const docs = new Map();
  const text = readFileSync(FIELDS, 'utf8');
  const visit = (node) => {
    const doc = ts.isPropertyAssignment(node) && ts.getJSDocCommentsAndTags(node)[0]?.comment;
    if (doc) docs.set(node.name.getText(), String(doc));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('fields.ts', text, ts.ScriptTarget.ES2022, true));
  return docs;
}

function membersOf({ from, times, of = [], zeroWhile }) {
  return [from, times, ...of, zeroWhile].filter((name) => name !== undefined);
}

/** A row names its sources twice: as data, and in its doc for those who read it in an editor. */
function checkDoc(name, doc, field, structures) {
  const fail = (what) => {
    throw new Error(`lib/tcp-info/fields.ts: the doc of ${name} ${what}`);
  };
  if (doc === undefined) fail('is missing');
  const mentioned = new Set([...doc.matchAll(/`(\w+)`/g)].map(([, word]) => word));
  const used = new Set();
  for (const [system, label] of Object.entries(SYSTEMS)) {
    if (!doc.includes(label)) fail(`does not mention ${label}`);
    const source = field[system];
    if (source === undefined) continue;
    for (const member of membersOf(source)) {
      used.add(member);
      if (!mentioned.has(member)) fail(`does not name ${member}`);
    }
    if (
      source.unit === 'us' &&
      !doc.includes(`\`${source.from}\` (µs`) &&
      !/Us$/.test(source.from)
    ) {
      fail(`does not say that ${source.from} is in µs`);
    }
    if (source.since !== undefined && !doc.includes(`(${source.since})`)) {
      fail(`does not say "(${source.since})"`);
    }
  }
  const members = new Set(structures.flatMap((structure) => Object.keys(structure)));
  const unused = [...mentioned].find((word) => members.has(word) && !used.has(word));
  if (unused !== undefined) fail(`names ${unused}, which the row does not use`);
}

/** The first paragraph: the second is about where each system has the field. */
function meaningOf(doc) {
  return doc.split('\n\n', 1)[0].replaceAll('\n', ' ').replace(/\.$/, '');
}

function sourceCell(source) {
  if (source === undefined) return '–';
  const { from, times, of, unit, since } = source;
  const names = (of ?? [from]).map((name) => `\`${name}\``).join(', ');
  const notes = [unit === 'us' ? 'µs' : [], since ?? []].flat();
  return [
    names,
    times === undefined ? '' : ` × \`${times}\``,
    notes.length === 0 ? '' : ` (${notes.join(', ')})`,
  ].join('');
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** The page with other text between two marks. */
function replaced(page, name, text) {
  const begin = `<!-- ${name}: made by scripts/tcp-info.mjs -->`;
  const end = `<!-- /${name} -->`;
  const [before, rest] = page.split(begin);
  if (rest === undefined || !rest.includes(end)) {
    throw new Error(`docs/tcp-state.md has no place for ${name}`);
  }
  return `${before}${begin}\n\n${text}\n\n${end}${rest.split(end)[1]}`;
}
