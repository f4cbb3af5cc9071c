// Validates arguments before any system call. The errors have Node's own forms and codes.
// `path` is the name of an argument, or of a member: 'timeout', 'options.client.minProbes'.

import { inspect } from 'node:util';
import { suggest } from './suggest';

// Validators. Each one returns the value, or throws.

/**
 * Whether a value can hold options: a plain object, an instance of a class, or a module. Not an array. Not a Promise, Map
 * or Date, which would pass as an object without options.
 */
export function isOptions(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return ['[object Object]', '[object Module]'].includes(Object.prototype.toString.call(value));
}

/**
 * Returns a copy of the own members of an options object. Each is read once, because a getter may return another
 * value the next time. The types of the members are not checked.
 * @param list What the error of an unknown member shows. Default: the known ones.
 * @throws TypeError if the value is not an options object, has a member that is not `known`, or inherits or hides a
 *   known one.
 */
export function validateOptions<Options extends object>(
  value: Options,
  path: string,
  known: readonly (keyof Options & string)[],
  list?: string,
): Options {
  if (!isOptions(value)) {
    throw typeError(path, `an object with any of ${known.join(', ')}`, value);
  }
  const members = { ...value };
  const unknown = Object.keys(members).find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw unknownOption(path, unknown, known, list === undefined ? {} : { list });
  }
  const hidden = known.find((name) => !Object.hasOwn(members, name) && isHidden(value, name));
  if (hidden !== undefined) throw hiddenOption(path, hidden);
  return members;
}

/**
 * Whether an object has a member that copying leaves out: an inherited or not enumerable one. Other code may have added
 * members to Object.prototype: these do not count.
 */
export function isHidden(options: object, name: string): boolean {
  return name in options && !(name in Object.prototype);
}

/** The allowed numbers. */
export interface NumberRange {
  readonly integer?: boolean;
  /** The smallest allowed number. */
  readonly min?: number;
  /** Exclusive lower limit, instead of `min`. */
  readonly above?: number;
  readonly max?: number;
  /** The numbers are milliseconds. */
  readonly milliseconds?: boolean;
  /** Another allowed value, shown in the error: `"'system'"`. */
  readonly or?: string;
  /** The origin of the limits, shown in the error. */
  readonly reason?: string;
}

export function validateNumber(value: unknown, path: string, range: NumberRange = {}): number {
  if (typeof value === 'number' && isInRange(value, range)) return value;
  throw numberError(path, range, value);
}

function isInRange(value: number, { integer, min, above, max }: NumberRange): boolean {
  if (Number.isNaN(value) || (integer && !Number.isInteger(value))) return false;
  if (min !== undefined && value < min) return false;
  if (above !== undefined && value <= above) return false;
  return max === undefined || value <= max;
}

/** Returns the error for a value that is not a number in this range: `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE`. */
export function numberError(path: string, range: NumberRange, value: unknown): Error {
  const { integer, min, above, max, milliseconds, or, reason } = range;
  const kind = integer ? 'an integer' : milliseconds ? 'a number of milliseconds' : 'a number';
  if (typeof value !== 'number') {
    return typeError(path, or === undefined ? kind : `${kind}, or ${or}`, value);
  }
  const bounds = [
    ...(min === undefined ? [] : [`>= ${min}`]),
    ...(above === undefined ? [] : [`> ${above}`]),
    ...(max === undefined ? [] : [`<= ${max}`]),
  ].join(' and ');
  const words = [
    ...(integer || bounds === '' ? [kind] : []),
    ...(bounds === '' ? [] : [bounds]),
    ...(milliseconds && bounds !== '' ? ['ms'] : []),
    ...(reason === undefined ? [] : [`(${reason})`]),
  ];
  return rangeError(path, words.join(' '), value);
}

export function validateBoolean(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value;
  throw typeError(path, 'a boolean', value);
}

/** @param expected What the string must be, shown in the error. */
export function validateString(value: unknown, path: string, expected = 'a string'): string {
  if (typeof value === 'string') return value;
  throw typeError(path, expected, value);
}

export function validateFunction(value: unknown, path: string): void {
  if (typeof value !== 'function') throw typeError(path, 'a function', value);
}

/**
 * Checks for one of several words.
 * @param findMeant Finds the word for another name of it, for the suggestion.
 */
export function validateOneOf<Word extends string>(
  value: unknown,
  path: string,
  words: readonly Word[],
  findMeant?: (word: string) => Word | undefined,
): Word {
  if ((words as readonly unknown[]).includes(value)) return value as Word;
  const list = words.map((word) => `'${word}'`).join(', ');
  if (typeof value !== 'string') throw typeError(path, `one of ${list}`, value);
  const suggestion = findMeant?.(value) ?? suggest(value, words);
  const hint = suggestion === undefined ? '' : ` (did you mean '${suggestion}'?)`;
  throw valueError(path, `must be one of ${list}${hint}`, value);
}

/** A longer array is probably a sparse array or a Proxy. */
const MOST_ITEMS = 65_536;

/**
 * Returns a copy of an array. Its length and each item are read once, without a method of the array.
 * @param expected What the array must be, shown in the error.
 */
export function validateArray(
  value: unknown,
  path: string,
  expected: string,
  most = MOST_ITEMS,
): unknown[] {
  if (!Array.isArray(value)) throw typeError(path, expected, value);
  const { length } = value;
  if (length > most) throw rangeError(`${path}.length`, `<= ${most}`, length);
  const items: unknown[] = [];
  for (let i = 0; i < length; i++) items.push(value[i]);
  return items;
}

/** Checks by the members, because an AbortSignal may come from another realm or from a polyfill. */
export function validateAbortSignal(value: unknown, path: string): void {
  const { aborted, addEventListener, removeEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  ) {
    return;
  }
  throw typeError(path, 'an AbortSignal', value);
}

// Errors, for values that the validators above do not cover.

/** A value of the wrong type: `TypeError` with code `ERR_INVALID_ARG_TYPE`. */
export function typeError(path: string, expected: string, value: unknown): TypeError {
  const message = `The "${path}" argument must be ${expected}. Received ${described(value)}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

/** A value of the right type that is not allowed: `TypeError` with code `ERR_INVALID_ARG_VALUE`. */
export function valueError(path: string, reason: string, value: unknown): TypeError {
  const message = `The "${path}" argument ${reason}. Received ${inspected(value)}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** A number or a length out of its range: `RangeError` with code `ERR_OUT_OF_RANGE`. */
export function rangeError(path: string, range: string, value: unknown): RangeError {
  const message = `The value of "${path}" is out of range. It must be ${range}. Received ${inspect(value)}`;
  return withCode(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

/**
 * An option `name` that the object at `path` cannot have: `TypeError` with code `ERR_INVALID_ARG_VALUE`. The message
 * suggests the name that was probably meant, or otherwise shows the `list` of names.
 */
export function unknownOption(
  path: string,
  name: string,
  known: readonly string[],
  { meant = suggest(name, known), list = `known: ${known.join(', ')}` } = {},
): TypeError {
  const hint = meant === undefined ? list : `did you mean "${meant}"?`;
  // As JSON: a name may have any character in it.
  const message = `unknown option ${JSON.stringify(optionPath(path, name))} (${hint})`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** An option that can only be read: `TypeError` with code `ERR_INVALID_ARG_VALUE`. */
export function readOnlyOption(path: string, name: string): TypeError {
  const message = `The option "${optionPath(path, name)}" is read-only`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** An option that the object at `path` inherits or hides: `TypeError` with code `ERR_INVALID_ARG_VALUE`. */
export function hiddenOption(path: string, name: string): TypeError {
  const message = `The option "${optionPath(path, name)}" must be an own, enumerable property`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** Returns the path of an option without the prefix `options.`. */
function optionPath(path: string, name: string): string {
  return `${path}.${name}`.replace(/^options\./, '');
}

/**
 * A callback returned a wrong value: `TypeError` with code `ERR_INVALID_RETURN_VALUE`, as Node throws it. The rejection of
 * a returned promise is ignored: this error reports the promise itself.
 * @param expected The allowed values, with an article where needed.
 * @param advice What the caller should do, as sentences.
 */
export function callbackError(
  name: string,
  expected: string,
  value: unknown,
  advice?: string,
): TypeError {
  new Promise((resolve) => resolve(value)).catch(() => {});
  const wrong = `Expected ${expected} to be returned from the "${name}" function but got ${described(value)}.`;
  const message = advice === undefined ? wrong : `${wrong} ${advice}`;
  return withCode(new TypeError(message), 'ERR_INVALID_RETURN_VALUE');
}

/** Describes a value as Node's own argument errors do. */
function described(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (typeof value === 'object') {
    const name = classNameOf(value);
    return name === undefined ? inspect(value, { depth: -1 }) : `an instance of ${name}`;
  }
  const text = inspect(value);
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

/** Returns `undefined` if there is no name, or if a Proxy or a getter throws. */
function classNameOf(value: object): string | undefined {
  try {
    const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the value as text, truncated at the same length as in Node. */
function inspected(value: unknown): string {
  const text = inspect(value);
  return text.length > 128 ? `${text.slice(0, 128)}...` : text;
}

function withCode<E extends Error>(error: E, code: string): E {
  return Object.defineProperty(error, 'code', {
    value: code,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
