// Checks the options of connect(), listen(), bind() and tuneSockets(), before any system call.

import cluster from 'node:cluster';
import { type OpeningOptions, type OptionName, rows } from '../catalogue/catalogue';
import { SocketOptionError } from '../core/errors';
import { isOptions, valueError } from '../core/validate';
import { mayBeSupported } from '../options/option';
import { validateOpeningOptions } from '../options/options';

/** Options of a function, beside `socketOptions`. */
const BESIDE = ['deadPeerTimeout', 'connectTimeout'] as const;

/**
 * Checks the `socketOptions` of a function.
 * @param side The side on which they have to have an effect.
 */
export function validateSocketOptionsOf(options: OpeningOptions, side?: 'client' | 'server'): void {
  const path = 'options.socketOptions';
  if (isOptions(options)) {
    for (const name of BESIDE) {
      const value = (options as { readonly [Name in typeof name]?: unknown })[name];
      // macOS and FreeBSD have an option of this name.
      if (value === undefined || (name in rows && mayBeSupported(name as OptionName))) continue;
      throw valueError(`${path}.${name}`, `belongs beside socketOptions: options.${name}`, value);
    }
  }
  validateOpeningOptions(options, path);
  if (side !== undefined) validateSide(options, side, path);
}

/** Throws for checked options that have no effect on this side of a connection. */
export function validateSide(
  options: OpeningOptions,
  side: 'client' | 'server',
  path: string,
): void {
  for (const [name, value] of Object.entries(options)) {
    const only = value === undefined ? undefined : rows[name]?.side;
    if (only === undefined || only === side) continue;
    const reason = only === 'client' ? 'is for a socket that connects' : 'is for a server';
    throw valueError(`${path}.${name}`, reason, value);
  }
  if (side === 'server' && options.reuseAddress === false) {
    const reason = 'cannot be false: Node sets SO_REUSEADDR on every server';
    throw valueError(`${path}.reuseAddress`, reason, false);
  }
}

/**
 * Throws for an option of the catalogue that stands beside `socketOptions`, where Node ignores it.
 * @param others The options beside it that Node or this package has, and the catalogue too.
 */
export function validatePlaces(options: object, others: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || !Object.hasOwn(rows, name) || others.includes(name)) continue;
    // `protocol` is an option of http requests.
    if (rows[name]?.access === 'read') continue;
    throw valueError(`options.${name}`, `belongs in socketOptions: { ${name} }`, value);
  }
}

/**
 * Returns a copy of the options if there are any: `undefined` for `{}`.
 * @throws SocketOptionError on Windows if there are options for a path, which names a pipe there.
 */
export function optionsToSet(
  options: OpeningOptions | undefined,
  path: unknown,
): OpeningOptions | undefined {
  // A copy: a caller may change its object before it is used.
  const chosen = Object.entries({ ...options }).filter(([, value]) => value !== undefined);
  const hasAny = chosen.length > 0;
  if (hasAny && path && process.platform === 'win32') {
    throw new SocketOptionError(
      'A path names a pipe on Windows, and pipes have no socket options',
      { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
    );
  }
  return hasAny ? Object.fromEntries(chosen) : undefined;
}

/**
 * Throws in a worker of a cluster, whose shared sockets the primary process opens.
 * @param remedy What the program can do beside `exclusive: true`.
 */
export function requireOwnSocket(exclusive: boolean | undefined, remedy = ''): void {
  if (!cluster.isWorker || exclusive) return;
  throw new SocketOptionError(
    `The primary process of a cluster opens the shared sockets of its workers: set exclusive: true${remedy}`,
    { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
  );
}
