// Checks the options of connect(), listen(), bind() and tuneSockets(), before any system call.

import {
  type Linger,
  type OpeningOptions,
  type OptionName,
  type PortRange,
  rows,
} from '../catalogue/catalogue';
import { tcp } from '../catalogue/tcp';
import { builtins } from '../core/builtins';
import { SocketOptionError } from '../core/errors';
import { suggest } from '../core/suggest';
import { isOptions, unknownOption, valueError } from '../core/validate';
import { mayBeSupported } from '../options/option';
import { validateOpeningOptions } from '../options/options';

/** The timeouts that connect() has beside `socketOptions`. */
const TIMEOUTS = ['deadPeerTimeout', 'connectTimeout'] as const;

/** The options of this package in an object that Node takes. */
const OWN_NAMES: readonly string[] = ['socketOptions', ...TIMEOUTS];

/** Why a timeout is no member of `socketOptions`: because it stands beside them, or because the function has none. */
export type OwnTimeouts = Readonly<Record<(typeof TIMEOUTS)[number], string>>;

export const BESIDE = 'belongs beside socketOptions';
export const FOR_TCP = 'is for TCP, and the socket is a datagram socket';
export const FOR_TCP_ADDRESS = 'is for TCP, and a path is no TCP address';
export const FOR_CLIENTS = 'is for a socket that connects';

/** Checks the `socketOptions` of a function. */
export function validateSocketOptionsOf(options: OpeningOptions, timeouts: OwnTimeouts): void {
  const path = 'options.socketOptions';
  if (isOptions(options)) {
    for (const name of TIMEOUTS) {
      const value = (options as { readonly [Name in typeof name]?: unknown })[name];
      // macOS and FreeBSD have an option of this name.
      if (value === undefined || (name in rows() && mayBeSupported(name as OptionName))) continue;
      const reason = timeouts[name];
      throw valueError(
        `${path}.${name}`,
        reason === BESIDE ? `${BESIDE}: options.${name}` : reason,
        value,
      );
    }
  }
  validateOpeningOptions(options, path);
}

/** Throws for checked options that have no effect on this side of a connection. */
export function validateSide(
  options: OpeningOptions,
  side: 'client' | 'server',
  path: string,
): void {
  for (const [name, value] of Object.entries(options)) {
    const only = value === undefined ? undefined : rows()[name]?.side;
    if (only === undefined || only === side) continue;
    const reason = only === 'client' ? FOR_CLIENTS : 'is for a server';
    throw valueError(`${path}.${name}`, reason, value);
  }
  if (side === 'server' && options.reuseAddress === false) {
    const reason = 'cannot be false: Node sets SO_REUSEADDR on every server';
    throw valueError(`${path}.reuseAddress`, reason, false);
  }
}

/**
 * Throws for an option that stands beside `socketOptions`, where Node ignores it.
 * @param ofNode The options of the catalogue that Node's function has, too.
 */
export function validatePlaces(
  options: object,
  timeouts: OwnTimeouts,
  ofNode: readonly string[],
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || ofNode.includes(name)) continue;
    const isTimeout = (TIMEOUTS as readonly string[]).includes(name);
    const reason = isTimeout ? timeouts[name as keyof OwnTimeouts] : misplaced(name);
    if (reason !== undefined && reason !== BESIDE)
      throw valueError(`options.${name}`, reason, value);
    const meant = isTimeout ? undefined : misspelt(name);
    if (meant !== undefined) throw unknownOption('options', name, OWN_NAMES, { meant });
  }
}

/** Returns the option of this package that was meant. Node ignores unknown options, and there are those of libraries. */
function misspelt(name: string): string | undefined {
  const isClose = (own: string): boolean => Math.abs(own.length - name.length) <= 2;
  // Most names are Node's, and a suggestion takes 10 us.
  if (OWN_NAMES.includes(name) || !OWN_NAMES.some(isClose)) return undefined;
  const meant = suggest(name, OWN_NAMES);
  return meant !== undefined && isClose(meant) ? meant : undefined;
}

function misplaced(name: string): string | undefined {
  if (!Object.hasOwn(rows(), name)) return undefined;
  // `protocol` is an option of http requests.
  return rows()[name]?.access === 'read' ? undefined : `belongs in socketOptions: { ${name} }`;
}

/** Throws for options of TCP. */
export function refuseTcp(options: OpeningOptions, reason: string): void {
  const ofTcp = tcp();
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && name in ofTcp)
      throw valueError(`options.socketOptions.${name}`, reason, value);
  }
}

/**
 * Returns a copy without options that are `undefined`. A caller may change its object before it is used, and a getter may call
 * anything: here, and not while a socket is opened.
 */
export function copyOptions(options: OpeningOptions | undefined): OpeningOptions {
  return Object.fromEntries(
    Object.entries({ ...options })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, OBJECTS.includes(name) ? copyValue(value) : value]),
  );
}

/** The options whose values are objects of the caller. */
const OBJECTS = ['linger', 'localPortRange'];

function copyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { enable, timeout, low, high } = value as Partial<Linger & PortRange>;
  return { enable, timeout, low, high };
}

/**
 * Returns a copy of the options if there are any: `undefined` for `{}`.
 * @throws SocketOptionError on Windows if there are options for a path, which names a pipe there.
 */
export function optionsToSet(
  options: OpeningOptions | undefined,
  path: unknown,
): OpeningOptions | undefined {
  const copy = copyOptions(options);
  const hasAny = Object.keys(copy).length > 0;
  if (hasAny && path && process.platform === 'win32') {
    throw new SocketOptionError(
      'A path names a pipe on Windows, and pipes have no socket options',
      { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
    );
  }
  return hasAny ? copy : undefined;
}

/**
 * Throws in a worker of a cluster, whose shared sockets the primary process opens.
 * @param remedy What the program can do beside `exclusive: true`.
 */
export function requireOwnSocket(exclusive: boolean | undefined, remedy = ''): void {
  if (!builtins.cluster.isWorker || exclusive) return;
  throw new SocketOptionError(
    `The primary process of a cluster opens the shared sockets of its workers: set exclusive: true${remedy}`,
    { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
  );
}
