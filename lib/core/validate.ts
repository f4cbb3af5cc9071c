// Wrong arguments, told as Node tells them, before any system call.

import { inspect } from 'node:util';
import { suggest } from './suggest';

/** What came, in the words of Node's own argument errors. */
function described(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = Object.getPrototypeOf(value)?.constructor?.name;
    return typeof name === 'string' && name !== ''
      ? `an instance of ${name}`
      : inspect(value, { depth: -1 });
  }
  const text = inspect(value);
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

function withCode<E extends Error>(error: E, code: string): E {
  return Object.defineProperty(error, 'code', {
    value: code,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/**
 * Whether a value can hold options: a plain object, one of a class, or a module. Not an array, and not a Promise,
 * Map or Date, which would be taken for an object without any option.
 */
export function isOptions(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return ['[object Object]', '[object Module]'].includes(Object.prototype.toString.call(value));
}

/** An argument of the wrong type: `TypeError` with code `ERR_INVALID_ARG_TYPE`. */
export function typeError(argument: string, expected: string, value: unknown): TypeError {
  const message = `The "${argument}" argument must be ${expected}. Received ${described(value)}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

/** An argument of the right type that is none of the known ones: `ERR_INVALID_ARG_VALUE`. */
export function valueError(argument: string, reason: string, value: unknown): TypeError {
  const message = `The "${argument}" argument ${reason}. Received ${inspect(value)}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** An option that cannot be asked for in this way: `ERR_INVALID_ARG_VALUE`. */
export function optionError(name: string, reason: string): TypeError {
  return withCode(new TypeError(`The option "${name}" ${reason}`), 'ERR_INVALID_ARG_VALUE');
}

/**
 * An unknown option, the member `name` of `argument`: `ERR_INVALID_ARG_VALUE`. The message suggests the name that
 * was probably meant, or lists the known ones.
 */
export function unknownOption(
  argument: string,
  name: string,
  known: readonly string[],
  more: { readonly meant?: string | undefined; readonly list?: string } = {},
): TypeError {
  const meant = more.meant ?? suggest(name, known);
  const hint =
    meant === undefined ? (more.list ?? `known: ${known.join(', ')}`) : `did you mean "${meant}"?`;
  const label = argument === 'options' ? name : `${argument}.${name}`;
  // As JSON: a name may have any character in it.
  const message = `unknown option ${JSON.stringify(label)} (${hint})`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** A number (or the length of a string) outside of its range: `ERR_OUT_OF_RANGE`. */
export function rangeError(argument: string, range: string, value: unknown): RangeError {
  const message = `The value of "${argument}" is out of range. It must be ${range}. Received ${inspect(value)}`;
  return withCode(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

/**
 * A callback returned the wrong thing: `TypeError` with code `ERR_INVALID_RETURN_VALUE`, as Node throws it.
 * `expected` names what is allowed, with an article where it needs one; `advice` what to do, as sentences. The
 * rejection of a returned promise is ignored: this error reports the promise itself.
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
