// The rules for the JSDoc of public symbols. scripts/check-jsdoc.mjs applies them to the package.

import { join } from 'node:path';
import ts from 'typescript';
import { beforeAll, expect, test } from 'vitest';

type Rules = {
  docProblems(kind: string, node: ts.Node, about: object): string[];
  optionProblems(node: ts.Node, row: object): string[];
};

let rules: Rules;
beforeAll(async () => {
  rules = await import(join(__dirname, '../../scripts/jsdoc-rules.mjs'));
});

const FULL = `/**
 * Reads the type of a socket.
 * @example
 * \`\`\`ts
 * read(3);
 * \`\`\`
 * @param fd The descriptor: an integer of at least 0.
 * @returns The type, a number.
 * @throws TypeError for a wrong argument.
 * @systems Linux, macOS, FreeBSD: \`SO_TYPE\`. Not on Windows.
 * @see socket(7)
 */
function read(fd: number): number { return fd; }`;

/** Compiles a text, and returns its last statement. */
function parse(text: string): { node: ts.Statement; checker: ts.TypeChecker } {
  const file = ts.createSourceFile('a.ts', text, ts.ScriptTarget.ES2022, true);
  const host = { ...ts.createCompilerHost({}), getSourceFile: () => file };
  const program = ts.createProgram({ rootNames: ['a.ts'], options: { noLib: true }, host });
  return { node: file.statements.at(-1) as ts.Statement, checker: program.getTypeChecker() };
}

function problemsOf(text: string): string[] {
  const { node, checker } = parse(text);
  return rules.docProblems('function', node, { checker });
}

test('accepts a function with the whole doc', () => {
  expect(problemsOf(FULL)).toEqual([]);
});

test.each(['param', 'returns', 'throws', 'systems', 'see'])('misses @%s', (tag) => {
  const without = FULL.replace(new RegExp(` \\* @${tag}.*\\n`), '');
  expect(problemsOf(without)).toEqual([`missing @${tag === 'param' ? 'param fd' : tag}`]);
  const empty = FULL.replace(new RegExp(`@${tag}( fd)?.*`), `@${tag}$1`);
  expect(problemsOf(empty)).toEqual([`empty @${tag === 'param' ? 'param fd' : tag}`]);
});

test.each([
  ['no doc', /\/\*\*[\s\S]*\*\/\n/, '', 'missing JSDoc'],
  ['no summary', ' * Reads the type of a socket.\n', '', 'missing summary: a sentence'],
  ['a word for a summary', 'Reads the type of a socket.', 'Type.', 'missing summary: a sentence'],
  ['no example', / \* @example[\s\S]*?```\n/, '', 'missing @example'],
  ['an empty example', ' * read(3);\n', '', 'empty @example'],
  ['text for an example', /```(ts)?/g, '', '@example must be a block of code: ```ts'],
  ['a number without a unit', /The descriptor.*/, 'The thing to read.', '@param fd has no unit'],
  ['a param that is none', '@param fd', '@param file', '@param file is no parameter'],
  ['a throws without a class', 'TypeError for', 'An error for', /^@throws must begin/],
  ['a throws without a reason', 'TypeError for a wrong argument.', 'TypeError', 'empty @throws'],
  ['a system that is left out', ' Not on Windows.', '', /^@systems must name/],
  ['a see without a source', 'socket(7)', 'the other function', /^@see must name/],
  ['an unknown tag', '@see', '@kernel a b\n * @see', 'unknown tag @kernel'],
])('refuses %s', (_what, from, to, problem) => {
  expect(problemsOf(FULL.replace(from, to))).toContainEqual(
    typeof problem === 'string' ? problem : expect.stringMatching(problem),
  );
});

const OPTION = `/**
 * Size of the buffer, in bytes: 1 to 1 000.
 * @systems Linux, macOS: \`SO_SNDBUF\`. Not on Windows and FreeBSD.
 * @see socket(7)
 */
declare const sendBufferSize: number;`;

const ROW = {
  linux: { name: 'SO_SNDBUF', min: 1, max: 1_000 },
  darwin: { name: 'SO_SNDBUF', min: 1, max: 1_000 },
  win32: null,
  freebsd: null,
};

test('compares the doc of an option with its row', () => {
  const problems = (row: object) => rules.optionProblems(parse(OPTION).node, { ...ROW, ...row });
  expect(problems({})).toEqual([]);
  expect(problems({ linux: { name: 'SO_RCVBUF' } })).toEqual(['@systems must name SO_RCVBUF']);
  expect(problems({ linux: { name: 'SO_SNDBUF', max: 2_000 } })).toEqual([
    'missing the end 2000 of the range of Linux',
  ]);
  expect(problems({ privilege: 'CAP_NET_RAW, sometimes' })).toEqual([
    'missing the privilege CAP_NET_RAW',
  ]);
  expect(problems({ darwin: null })).toEqual(['@systems must say: Not on macOS']);
  expect(problems({ win32: { name: 'SO_SNDBUF' } })).toEqual(['@systems must name Windows']);
});
