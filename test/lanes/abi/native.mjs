// The names and numbers that native/platform/ has of a system, read from its text.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../native/platform/', import.meta.url));

/** Declarations of our own, in the place of headers that no package has. */
const declarations = (system) =>
  fileURLToPath(new URL(`../../../scripts/prebuilds/${system}.h`, import.meta.url));

/** The macros of constants.h: SO(TYPE) is SO_TYPE. */
function prefixes() {
  const text = readFileSync(`${folder}constants.h`, 'utf8');
  return new Map(
    [...text.matchAll(/^#define (\w+)\(name\) \{(?:"(\w*)" )?#name/gm)].map(([, macro, prefix]) => [
      macro,
      prefix ?? '',
    ]),
  );
}

const NUMBER = '-?(?:0[xX][\\da-fA-F]+|\\d+)[uUlL]*';
const number = (text) => {
  const digits = text.replace(/[uUlL]+$/, '');
  return digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits);
};

/**
 * Returns `names`, the constants of the addon, and `numbers`, a map of the names whose numbers are written by hand:
 * `#define NAME 1`, `X(NAME, 1)`, or `NAME = 1` of an enumeration or a constexpr. `#define NAME OTHER` has the number of
 * OTHER. `declared` are those of a header of our own.
 */
export function nativeConstants(system) {
  const files = readdirSync(folder).filter((file) =>
    new RegExp(`^${system}\\b|^${system}_`).test(file),
  );
  const text = files.map((file) => readFileSync(folder + file, 'utf8')).join('\n');
  const table = /const Constant kConstants\[\] = \{([\s\S]*?)\n\};/.exec(text)?.[1] ?? '';
  const names = new Set();
  const known = prefixes();
  for (const [, macro, name] of table.matchAll(/\b(\w+)\((\w+)\)/g)) {
    if (!known.has(macro)) throw new Error(`constants.h has no macro ${macro}`);
    names.add(known.get(macro) + name);
  }
  for (const [, name] of table.matchAll(/\{"(\w+)"/g)) names.add(name);
  const declared = existsSync(declarations(system))
    ? numbersIn(readFileSync(declarations(system), 'utf8'))
    : new Map();
  return { names, numbers: new Map([...declared, ...numbersIn(text)]), declared };
}

const WRITTEN = new RegExp(
  [
    `^\\s*#define (\\w+) \\(?(${NUMBER})\\)?\\s*(?://.*)?$`,
    `\\bX\\((\\w+), (${NUMBER})\\)`,
    `^\\s*(?:(?:static )?constexpr [\\w:]+ )?(\\w+) = (${NUMBER})[,;]`,
  ].join('|'),
  'gm',
);

function numbersIn(text) {
  const numbers = new Map();
  for (const [, a, ofA, b, ofB, c, ofC] of text.matchAll(WRITTEN)) {
    numbers.set(a ?? b ?? c, number(ofA ?? ofB ?? ofC));
  }
  for (const [, name, other] of text.matchAll(/^\s*#define (\w+) (\w+)$/gm)) {
    if (numbers.has(other)) numbers.set(name, numbers.get(other));
  }
  return numbers;
}
