// What the JSDoc of a public symbol must have. Part of scripts/check-jsdoc.mjs.

import ts from 'typescript';

/** The tags that the first doc of each kind must have, beside a summary and `@param` for each parameter. */
const REQUIRED = {
  function: ['example', 'returns', 'throws', 'systems', 'see'],
  class: ['example', 'systems', 'see'],
  constant: ['example', 'systems', 'see'],
  method: ['returns', 'throws'],
  constructor: ['throws'],
  overload: [],
  member: [],
  type: [],
};

const SYSTEMS = { linux: 'Linux', darwin: 'macOS', win32: 'Windows', freebsd: 'FreeBSD' };

/** A unit, a word for what a number without a unit is, or its values: `0 to 14`, `1: in use`. */
const UNIT =
  /\b(?:milliseconds|seconds|ms|bytes|segments|connections|packets|hops|ports?|descriptor|index|numbers?|count|how many|how often|bits?|chance|ID)\b|µs|\b\d+(?: to |: | or | [A-Z])|\b\d[,:]/i;
/** A man page, an RFC, a file of Linux or of this repository, a web page. */
const SOURCE = /\w\(\d\)|RFC \d|\b(?:Documentation|include|docs)\/\S|\bip-sysctl\b|https:\/\//;
const ERROR = /^(?:(?:TypeError|RangeError|SocketOptionError|Error)(?:, |\b))+/;
const DEFAULT = /\bdefault\b|`undefined`/i;

/** How each tag has to be filled. A tag that is not here has no other rule than that it has words. */
const FILLED = {
  systems: (text) =>
    /^Every system\b/.test(text) || Object.values(SYSTEMS).every((system) => text.includes(system))
      ? undefined
      : 'must name Linux, macOS, Windows and FreeBSD, or "Every system"',
  see: (text) => (SOURCE.test(text) ? undefined : 'must name a man page, an RFC or a file'),
  throws: (text) =>
    ERROR.test(text) && words(text.replace(ERROR, '')) >= 2
      ? undefined
      : 'must begin with the class of the error, and say when',
  example: (text) => (exampleIn(text) ? undefined : 'must be a block of code: ```ts'),
};

/** The known tags, beside `@param`. tsdoc.json declares what TSDoc does not have. */
const TAGS = ['example', 'returns', 'throws', 'systems', 'see'];

/** Returns what the doc of a node lacks. */
export function docProblems(kind, node, about) {
  const { summary, tags } = docOf(node);
  if (summary === undefined) return ['missing JSDoc'];
  const problems = [];
  const [sentence = ''] = summary.split(/(?<=\.)\s/);
  if (!/[.:]$/.test(sentence) || words(sentence) < 3) problems.push('missing summary: a sentence');
  for (const [tag, text] of tags) {
    // Those of parameters are checked below.
    if (tag === 'param') continue;
    if (!TAGS.includes(tag)) problems.push(`unknown tag @${tag}`);
    else if (words(text) < 2) problems.push(`empty @${tag}`);
    else {
      const problem = FILLED[tag]?.(text);
      if (problem !== undefined) problems.push(`@${tag} ${problem}`);
    }
  }
  for (const tag of REQUIRED[kind]) {
    if (isNeeded(tag, kind, node, about) && !tags.some(([name]) => name === tag)) {
      problems.push(`missing @${tag}`);
    }
  }
  if (node.parameters !== undefined && kind !== 'type')
    problems.push(...paramProblems(node, about));
  if (kind === 'member') problems.push(...memberProblems(summary, about));
  return problems;
}

/** Whether this function must have the tag. */
function isNeeded(tag, kind, node, { checker }) {
  if (tag === 'returns') {
    const returned = checker.getSignatureFromDeclaration(node).getReturnType();
    return (returned.flags & ts.TypeFlags.Void) === 0;
  }
  // A method or a constructor that does not check its arguments has nothing to throw.
  if (tag === 'throws' && kind !== 'function') {
    return /\bthrow\b|\b(?:validate|require)[A-Z]\w*\(/.test(node.body.getText());
  }
  return true;
}

function paramProblems(node, { checker, documented = new Set() }) {
  const problems = [];
  const texts = new Map(
    docOf(node)
      .tags.filter(([tag]) => tag === 'param')
      .map(([, text]) => /^(\S+)\s*([\s\S]*)$/.exec(text).slice(1)),
  );
  for (const parameter of node.parameters) {
    const name = parameter.name.getText();
    const text = texts.get(name);
    texts.delete(name);
    if (text === undefined) {
      if (!documented.has(name)) problems.push(`missing @param ${name}`);
      continue;
    }
    documented.add(name);
    const isNumber = checker.typeToString(checker.getTypeAtLocation(parameter)) === 'number';
    if (words(text) < 2) problems.push(`empty @param ${name}`);
    else if (isNumber && !UNIT.test(text)) problems.push(`@param ${name} has no unit`);
  }
  return [...problems, ...[...texts.keys()].map((name) => `@param ${name} is no parameter`)];
}

function memberProblems(summary, { container, holds, isOptional, row }) {
  const about = `${summary} ${container === undefined ? '' : docOf(container).summary}`;
  const problems = [];
  if (holds(ts.TypeFlags.NumberLike) && !UNIT.test(summary)) problems.push('missing unit');
  if (holds(ts.TypeFlags.Null) && !about.includes('`null`')) {
    problems.push('missing meaning of `null`');
  }
  const isUndefined = isOptional || holds(ts.TypeFlags.Undefined);
  if (row === undefined && isUndefined && !DEFAULT.test(about)) {
    problems.push('missing default, or meaning of `undefined`');
  }
  return problems;
}

/** Returns where the doc of an option differs from its row of the catalogue. */
export function optionProblems(node, row) {
  const { summary, tags } = docOf(node);
  const texts = (tag) => tags.filter(([name]) => name === tag).map(([, text]) => text);
  const [systems] = texts('systems');
  if (systems === undefined) return ['missing @systems'];
  const problems = texts('see').length === 0 ? ['missing @see'] : [];
  for (const [capability] of (row.privilege ?? '').matchAll(/CAP_\w+/g)) {
    if (!summary.includes(capability)) problems.push(`missing the privilege ${capability}`);
  }
  const [present, absent = ''] = systems.split(/\bNot on /);
  const numbers = [...summary.matchAll(/\d+(?: \d{3})*(?:\.\d+)?/g)].map(([text]) =>
    Number(text.replaceAll(' ', '')),
  );
  for (const [platform, system] of Object.entries(SYSTEMS)) {
    const option = row[platform];
    if (option === null) {
      if (!absent.includes(system)) problems.push(`@systems must say: Not on ${system}`);
      continue;
    }
    if (!present.startsWith('Every system') && !present.includes(system)) {
      problems.push(`@systems must name ${system}`);
    }
    for (const name of [option.name, option.ipv6, option.older?.name]) {
      if (name !== undefined && !present.includes(`\`${name}\``)) {
        problems.push(`@systems must name ${name}`);
      }
    }
    if (isReadOnly(row, option)) continue;
    const scale = option.unit === 'us' ? 1_000 : 1;
    for (const end of [option.min, option.max]) {
      // The sentence for 2^53 - 1, and for an option that can only be on or off.
      const isNamed = end === undefined || end <= 1 || end === Number.MAX_SAFE_INTEGER;
      if (isNamed || numbers.includes(end / scale)) continue;
      problems.push(`missing the end ${end / scale} of the range of ${system}`);
    }
  }
  return problems;
}

function isReadOnly(row, option) {
  return row.access === 'read' || option.access === 'read';
}

/** The code of the `@example` of a node. */
export function exampleOf(node) {
  const [, text] = docOf(node).tags.find(([tag]) => tag === 'example') ?? [];
  return text === undefined ? undefined : exampleIn(text);
}

function exampleIn(text) {
  return /^```ts\n([\s\S]*\S[\s\S]*)\n```$/.exec(text)?.[1];
}

/** The summary, with what follows it before the first tag, and the tags with their texts. */
function docOf(node) {
  const doc = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc);
  if (doc === undefined) return { summary: undefined, tags: [] };
  const summary = (ts.getTextOfJSDocComment(doc.comment) ?? '').replaceAll(/\s+/g, ' ').trim();
  return { summary, tags: (doc.tags ?? []).map((tag) => [tag.tagName.text, textOf(tag)]) };
}

/** The text of a tag as it is written: the compiler takes the first word of some as a name. */
function textOf(tag) {
  const text = tag.getText().replace(/\s*\*\/$/, '');
  return text
    .replaceAll(/\n[ \t]*\* ?/g, '\n')
    .replace(/^@\w+/, '')
    .trim();
}

function words(text) {
  return text.match(/[\p{L}\d]+/gu)?.length ?? 0;
}
