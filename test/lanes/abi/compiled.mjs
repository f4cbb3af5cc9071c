// What C headers say, as a compiler of their system sees them: values of expressions, and places of members.
//
// The program is compiled and never run, so that it may be of another system. The object file has each answer as text,
// or as bytes behind a mark. This needs nothing but the object's bytes, whatever its format is.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HEX = `
#define DIGIT(x, n) (((unsigned long long)(x) >> (n)*4 & 15) < 10 \\
  ? '0' + (int)((unsigned long long)(x) >> (n)*4 & 15) : 'a' - 10 + (int)((unsigned long long)(x) >> (n)*4 & 15))
#define HEX8(x, n) DIGIT(x, n + 7), DIGIT(x, n + 6), DIGIT(x, n + 5), DIGIT(x, n + 4), \\
  DIGIT(x, n + 3), DIGIT(x, n + 2), DIGIT(x, n + 1), DIGIT(x, n)
`;

const LETTERS = (text) => [...text].map((letter) => `'${letter}'`).join(',');

/** A mark has 16 bytes, so that the structure behind it is aligned. */
const mark = (index) => `<ABI:${String(index).padStart(10, '0')}>`;

/** The lines of a program: one for each question, so that the lines of errors show which have no answer. */
function lineOf(question, index) {
  if (question.member === undefined) {
    const text = question.expression;
    return `const char v${index}[] = {${LETTERS(mark(index))}, HEX8(${text}, 8), HEX8(${text}, 0)};`;
  }
  const { structure, member } = question;
  return `const struct { char mark[16]; ${structure} bytes; } v${index} = {{${LETTERS(mark(index))}}, {.${member} = -1}};`;
}

/**
 * The headers of one compiler as a file, precompiled, because each round of questions reads them again: <windows.h> takes
 * a second. The files are removed when the process ends.
 */
function headOf({ command, flags, precompiled }, includes, folder) {
  const head = join(folder, 'head.h');
  writeFileSync(head, `${[...includes, HEX].join('\n')}\n`);
  if (precompiled) run(command, [...flags, '-w', '-x', 'c-header', head, '-o', `${head}.gch`]);
  return head;
}

function run([program, ...first], args, input) {
  const { status, stdout, stderr, error } = spawnSync(program, [...first, ...args], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    input,
    maxBuffer: 2 ** 28,
    timeout: 60_000,
  });
  if (error) throw error;
  return { isDone: status === 0, stdout, stderr };
}

/**
 * Returns a function that asks: it takes questions and returns an answer for each, `undefined` if the headers do not have
 * the name. A question is `{ expression }`, whose answer is a BigInt, or `{ structure, member, size }`, whose answer is
 * `{ bit, bits }`: the first bit of the member and how many it has. The structure has `size` bytes.
 */
export function compiler(settings, includes) {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-abi-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { command, flags = [] } = settings;
  const file = join(folder, 'questions.c');
  const object = join(folder, 'questions.o');
  let head;

  return (questions) => {
    head ??= headOf({ flags, ...settings }, includes, folder);
    const left = new Set(questions.keys());
    while (left.size > 0) {
      const order = [...left];
      writeFileSync(file, `${order.map((index) => lineOf(questions[index], index)).join('\n')}\n`);
      const args = [...flags, '-w', '-include', head, '-c', file, '-o', object];
      const { isDone, stderr } = run(command, args);
      if (isDone) return readAnswers(readFileSync(object), questions, left);
      // The compiler names each line whose name it does not know.
      const wrong = new Set();
      for (const [, line] of stderr.matchAll(/questions\.c:(\d+):(?:\d+:)? error/g)) {
        wrong.add(order[Number(line) - 1]);
      }
      if (wrong.size === 0) throw new Error(`${command.join(' ')}: ${stderr.slice(0, 2000)}`);
      for (const index of wrong) left.delete(index);
    }
    return questions.map(() => undefined);
  };
}

function readAnswers(bytes, questions, answered) {
  return questions.map((question, index) => {
    if (!answered.has(index)) return undefined;
    const at = bytes.indexOf(mark(index)) + 16;
    if (at < 16) throw new Error(`the object has no answer to ${JSON.stringify(question)}`);
    if (question.member === undefined) {
      return BigInt.asIntN(64, BigInt(`0x${bytes.toString('latin1', at, at + 16)}`));
    }
    const set = [];
    for (let bit = 0; bit < question.size * 8; bit++) {
      if ((bytes[at + (bit >> 3)] >> (bit & 7)) & 1) set.push(bit);
    }
    return { bit: set[0], bits: set.length };
  });
}

/** The names that headers define as macros, after preprocessing. */
export function macros({ command, flags = [] }, includes) {
  const args = [...flags, '-E', '-dM', '-x', 'c', '-'];
  const { isDone, stdout, stderr } = run(command, args, `${includes.join('\n')}\n`);
  if (!isDone) throw new Error(`${command.join(' ')}: ${stderr}`);
  return [...stdout.matchAll(/^#define (\w+) +\S/gm)].map(([, name]) => name);
}

/** The members of a structure in the text of a header, with those of bit fields. */
export function membersOf(text, structure) {
  const body = new RegExp(`struct _?${structure} \\{([^}]*)\\}`).exec(text)?.[1];
  if (body === undefined) return [];
  const code = body
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*|^\s*#.*$/gm, '')
    .replace(/__attribute__\s*\(\(.*?\)\)\)?/g, '');
  return code
    .split(';')
    .flatMap((declaration) =>
      declaration
        .split(',')
        .flatMap(
          (part) => /(\w+)\s*(?:\[[^\]]*\]\s*)?(?::\s*\d+\s*)?$/.exec(part.trim())?.[1] ?? [],
        ),
    );
}
