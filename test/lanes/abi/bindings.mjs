// What the bindings of Go and Rust say of systems whose headers Debian does not have: constants, and members of
// structures. Their texts are read, not compiled.

/** The constants in the text of a zerrors file of golang.org/x/sys: `\tSO_TYPE = 0x1008`. */
export function goConstants(text) {
  const found = new Map();
  for (const [, name, value] of text.matchAll(/^\s+([A-Z]\w*)\s+=\s+(-?(?:0x[\da-f]+|\d+))$/gm)) {
    found.set(name, BigInt(value.replace('-', '')) * (value.startsWith('-') ? -1n : 1n));
  }
  return found;
}

/** A structure in the text of a ztypes file of golang.org/x/sys: the place of each member, and the size. */
export function goStructure(text, name) {
  const body = new RegExp(`^type ${name} struct \\{([^}]*)\\}`, 'm').exec(text)[1];
  const fields = body
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return layOut(fields.map(([field, type]) => [field, ...sizeOf(type)]));
}

/**
 * The constants in the texts of the crate libc: `pub const SO_TYPE: c_int = 0x1008;`. A later text has the last word, as
 * that of the system has over that of its family.
 */
export function rustConstants(texts) {
  const found = new Map();
  for (const text of texts) {
    for (const [, name, value] of text.matchAll(
      /^\s*pub const (\w+): [\w:]+ = (?:crate::)?(-?\w+)(?: as \w+)?;$/gm,
    )) {
      if (/^-?\d/.test(value)) {
        const digits = value
          .replace(/^-/, '')
          .replace(/(?<=[\dxa-f])_|_?[iu](?:8|16|32|64|size)$/gi, '');
        found.set(name, BigInt(digits) * (value.startsWith('-') ? -1n : 1n));
      } else if (found.has(value)) {
        found.set(name, found.get(value));
      }
    }
  }
  return found;
}

/** A structure in the text of the crate libc, as the version of the system lays it out that has `flags` (cfg). */
export function rustStructure(text, name, flags = []) {
  const body = new RegExp(`pub struct ${name} \\{([^}]*)\\}`).exec(text)[1];
  const fields = [];
  let holds = true;
  for (const line of body.trim().split('\n')) {
    const condition = /^\s*#\[cfg\((.*)\)\]$/.exec(line)?.[1];
    if (condition !== undefined) {
      holds = evaluate(condition, flags);
      continue;
    }
    const field = /^\s*(?:pub )?(\w+): (.*),$/.exec(line);
    if (field !== null && holds) fields.push([field[1], ...sizeOf(field[2])]);
    if (field !== null) holds = true;
  }
  return layOut(fields);
}

/** `any(a, not(b))`, as cfg() of Rust has it. */
function evaluate(condition, flags) {
  const [, operator, rest] = /^(any|all|not)\((.*)\)$/.exec(condition) ?? [];
  if (operator === undefined) return flags.includes(condition);
  const parts = [];
  let depth = 0;
  let part = '';
  for (const letter of `${rest},`) {
    if (letter === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
      continue;
    }
    if (letter === '(') depth++;
    if (letter === ')') depth--;
    part += letter;
  }
  const values = parts.map((each) => evaluate(each, flags));
  if (operator === 'not') return !values[0];
  return operator === 'any' ? values.includes(true) : !values.includes(false);
}

/** The size and the alignment of a type of Go or Rust. */
function sizeOf(type) {
  const array = /^\[(\d+)\](\w+)$/.exec(type) ?? /^\[(\w+); (\d+)\]$/.exec(type);
  if (array !== null) {
    const [element, count] = /^\d/.test(array[1]) ? [array[2], array[1]] : [array[1], array[2]];
    const [size, alignment] = sizeOf(element);
    return [size * Number(count), alignment];
  }
  const bits =
    type === 'byte' ? 8 : type === 'c_int' ? 32 : Number(/(8|16|32|64)$/.exec(type)?.[0]);
  if (!(bits > 0)) throw new Error(`no size is known for the type ${type}`);
  return [bits / 8, bits / 8];
}

function layOut(fields) {
  const members = new Map();
  let end = 0;
  let widest = 1;
  for (const [name, size, alignment] of fields) {
    const start = Math.ceil(end / alignment) * alignment;
    if (name !== '_') members.set(name, { bit: start * 8, bits: size * 8 });
    end = start + size;
    widest = Math.max(widest, alignment);
  }
  return { members, size: Math.ceil(end / widest) * widest };
}
