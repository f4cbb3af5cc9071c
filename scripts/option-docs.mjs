// What the catalogue has about each option, as text: for the table of options (generate-docs.mjs), and for its page on the site.

import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** The JSDoc of each row, by the option's name: `{ summary, text, systems, see }`. `text` begins with the summary. */
export function optionDocs() {
  return new Map(['tcp', 'socket', 'ip'].flatMap(docsOfFile));
}

function docsOfFile(file) {
  const source = readFileSync(new URL(`../lib/catalogue/${file}.ts`, import.meta.url), 'utf8');
  const docs = [];
  const visit = (node) => {
    const doc = ts.isPropertyAssignment(node) && ts.getJSDocCommentsAndTags(node)[0];
    if (doc) {
      const text = String(doc.comment);
      const summary = /^.*?[.;](?= |$)/.exec(text.replaceAll(/\s+/g, ' '))[0].slice(0, -1);
      const [systems, see] = ['systems', 'see'].map((name) => tagOf(doc, name, source));
      docs.push([node.name.getText(), { summary, text, systems, see }]);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true));
  return docs;
}

/** The text of a tag, as it is written: the compiler takes the first word of some tags for a name in the code. */
function tagOf(doc, name, source) {
  const tag = doc.tags?.find(({ tagName }) => tagName.text === name);
  return (
    tag &&
    source
      .slice(tag.tagName.end, tag.end)
      .replaceAll(/\s*\n\s*\*?\s*/g, ' ')
      .trim()
  );
}

const KINDS = {
  boolean: 'boolean',
  duration: 'ms',
  rate: 'bytes/s',
  dscp: 'integer',
  string: 'string',
  cookie: 'digits',
  linger: '{ enable, timeout }',
  portRange: '{ low, high }',
  credentials: '{ pid, uid, gid }',
  address: '{ address, port, family }',
  enum: 'name',
};

/** The kind of value, and how it is accessed: `ms`, `count, read only`. */
export function valueKind(row) {
  const value = row.kind === 'integer' ? row.measure.replace('number', 'integer') : KINDS[row.kind];
  if (row.access === 'open') return `${value}, when opening`;
  return row.access === 'read' ? `${value}, read only` : value;
}

/** The kernel's names of an option on one system. */
export function kernelNames(option) {
  if (option === null) return '–';
  const names = [option.name, option.ipv6 ?? []].flat().map((name) => `\`${name}\``);
  return `${names.join(', ')}${option.access === 'read' ? ' (read)' : ''}`;
}
