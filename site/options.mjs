// A page for each option, from its row in the catalogue.

import { markdownTable } from '../scripts/marked-block.mjs';
import { kernelNames, optionDocs, valueKind } from '../scripts/option-docs.mjs';
import { source } from '../scripts/source.mjs';
import { linkSources } from './sources.mjs';

const SYSTEMS = { linux: 'Linux', darwin: 'macOS', win32: 'Windows', freebsd: 'FreeBSD' };
const UNITS = { s: 's', ms: 'ms', us: 'µs' };
const INT_MAX = 2_147_483_647;

/** The name and the Markdown of each page. */
export async function optionPages() {
  const { rows } = await source(['catalogue/catalogue']);
  const docs = optionDocs();
  return Object.entries(rows()).map(([name, row]) => [name, page(name, row, docs)]);
}

function page(name, row, docs) {
  const { summary, text, systems, see } = docs.get(name);
  const [first, ...rest] = linkOptions(text, name, docs).split('\n\n');
  return [
    `---\ndescription: ${JSON.stringify(summary)}\n---`,
    `# ${name}`,
    first,
    example(name, row),
    ...rest,
    markdownTable([['', ''], ...facts(row)]),
    '## Names in the kernel',
    markdownTable(namesAndRanges(row)),
    systems,
    see && `Sources: ${linkSources(see)}.`,
    'All options: [the table](../options.md).',
  ]
    .filter(Boolean)
    .join('\n\n')
    .concat('\n');
}

/** Names of other options become links to their pages. */
function linkOptions(text, self, docs) {
  return text.replaceAll(/`(\w+)`/g, (code, name) =>
    docs.has(name) && name !== self ? `[${code}](./${name}.md)` : code,
  );
}

function example(name, row) {
  const value = literal(row.example);
  const read = `getOption(socket, '${name}');`;
  const code = {
    read: `import { getOption } from 'socket-options';\n\n${read}`,
    open: `import { connect } from 'socket-options';\n\nconnect({ host, port, socketOptions: { ${name}: ${value} } });`,
    early: `import { ${row.before === 'listen' || row.side === 'server' ? 'listen' : 'connect'} } from 'socket-options';\n\n${early(name, value, row)}`,
    any: `import { getOption, setOptions } from 'socket-options';\n\nsetOptions(socket, { ${name}: ${value} });\n${read}`,
  };
  return `\`\`\`js\n${code[row.access ?? (row.before ? 'early' : 'any')]}\n\`\`\``;
}

function early(name, value, row) {
  const options = `socketOptions: { ${name}: ${value} }`;
  return row.before === 'listen' || row.side === 'server'
    ? `listen(server, { port, ${options} });`
    : `connect({ host, port, ${options} });`;
}

/** A value as a program writes it: 30_000. */
function literal(value) {
  if (typeof value === 'number') return String(value).replace(/\B(?=(\d{3})+$)/g, '_');
  if (typeof value !== 'object') return typeof value === 'string' ? `'${value}'` : String(value);
  return `{ ${Object.entries(value)
    .map(([key, member]) => `${key}: ${literal(member)}`)
    .join(', ')} }`;
}

const STATES = {
  bound: 'is bound',
  listening: 'listens',
  connecting: 'connects',
  connected: 'is connected',
};

function facts(row) {
  const values = row.values && Object.keys(row.values).map((value) => `\`'${value}'\``);
  return [
    ['Value', valueKind(row).replace(/^ms\b/, 'milliseconds')],
    ['Values', values?.join(', ')],
    ['Must be set', row.before && `before ${row.before}: ${BEFORE[row.before]}`],
    [
      'Too late',
      row.tooLate && `once the socket ${list(row.tooLate.map((state) => STATES[state]))}`,
    ],
    [
      'Acts',
      row.firstPacket &&
        'at any time, and on the handshake only if it is set [before it](../before-connect.md)',
    ],
    ['Side', row.side && `only on a ${row.side}`],
    ["`'system'`", row.system && "restores the system's default"],
    ['`null`', row.nullable && 'is returned for "none", or a value without a name'],
    ['Privilege', row.privilege],
    ...Object.entries(row.refusals ?? {}).map(([code, meaning]) => [`\`${code}\``, meaning]),
  ].filter(([, value]) => value);
}

const BEFORE = {
  bind: '`connect()`, `listen()`, `bind()`, `openSocket()` and `tuneSockets()` are [in time](../before-connect.md)',
  listen: '`listen()`, `openSocket()` and `tuneSockets()` are [in time](../before-connect.md)',
  connect: '`connect()`, `openSocket()` and `tuneSockets()` are [in time](../before-connect.md)',
};

function list(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function namesAndRanges(row) {
  const columns = Object.entries(SYSTEMS).map(([system, title]) => [title, row[system]]);
  const rows = columns.map(([title, option]) => [
    title,
    kernelNames(option),
    option ? range(row, option) : '',
  ]);
  const hasRanges = rows.some(([, , text]) => text !== '');
  return [['System', 'Name', 'Range'], ...rows].map((cells) => cells.slice(0, hasRanges ? 3 : 2));
}

/** What the kernel keeps, in its own unit. A text has a length. */
function range(row, { min, max, unit }) {
  if (min === undefined) return '';
  if (row.kind === 'string') return `up to ${max} characters`;
  const suffix = unit ? ` ${UNITS[unit]}` : '';
  const from = `${grouped(min)}${suffix}`;
  return max === undefined || max === INT_MAX
    ? `from ${from}`
    : `${from} to ${grouped(max)}${suffix}`;
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ' ');
}
