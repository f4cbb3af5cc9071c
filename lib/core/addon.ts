// Loads the addon, and has the types of its functions: see native/platform/platform.h and native/addon.cc.

import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { bundledAddon, isBundled } from './bundled-addon';
import { addonError, bundleError } from './load-failure';
import { isOurAddon, openAddon } from './open-addon';
import { buildsSnapshot } from './snapshot';

/**
 * Names and numbers of a system's headers. Every system has the names below; another name is `undefined` where it is
 * missing.
 */
export interface Constants {
  /** Number of the level of socket options: `SO_KEEPALIVE` and others. */
  readonly SOL_SOCKET: number;
  /** Number of the level of IPv4 options: `IP_TOS` and others. */
  readonly IPPROTO_IP: number;
  /** Number of the level of IPv6 options: `IPV6_TCLASS` and others. */
  readonly IPPROTO_IPV6: number;
  /** Number of the level of TCP options: `TCP_NODELAY` and others. */
  readonly IPPROTO_TCP: number;
  /** Number of the level of UDP options. */
  readonly IPPROTO_UDP: number;
  /** Number of the address family of IPv4. */
  readonly AF_INET: number;
  /** Number of the address family of IPv6. */
  readonly AF_INET6: number;
  /** Number of the socket type of TCP. */
  readonly SOCK_STREAM: number;
  /** Number of the socket type of UDP. */
  readonly SOCK_DGRAM: number;
  readonly [name: string]: number;
}

export interface ConstantTables {
  /** The system's constants under the names of its headers. */
  readonly values: Constants;
  /** The level of each constant that is an option. */
  readonly levels: Readonly<Record<string, number>>;
}

/**
 * The functions of the addon. They take and return numbers. A result below zero is a negative libuv code. Options
 * travel in `scratch`: see record-buffer.ts and docs/decisions/0001-options-as-records.md.
 */
export interface Binding {
  readonly scratch: ArrayBuffer;
  /** Makes the tables of constants. Slow. */
  constants(): ConstantTables;
  /** Sets options, up to the first refused one. Writes how many were set into the scratch buffer. */
  setOptions(): void;
  /** Reads options, also after a refused one. Writes how many could be read into the scratch buffer. */
  getOptions(): void;
  /**
   * Writes the value of a 32-bit option of a new socket into the scratch buffer. If it returns a code, the value is 0
   * if no socket could be opened and 1 if getsockopt failed.
   */
  getDefault(level: number, option: number): number;
  /** Opens a socket, nonblocking and not inherited by child processes. Returns its descriptor. */
  openSocket(family: number, type: number, protocol: number): number;
  /** Writes the socket's own address, or its peer's, to the records as `struct sockaddr`. Returns its length or a code. */
  readAddress(socket: number, peer: boolean): number;
  /** Closes a socket of `openSocket` that nobody has taken over. */
  closeSocket(socket: number): void;
  /** `SIO_KEEPALIVE_VALS` of Windows, in milliseconds. */
  setKeepAliveValues(
    socket: number,
    enable: boolean,
    initialDelay: number,
    interval: number,
  ): number;
  /** Reads `TCP_INFO` to the place behind the records. Writes its length, or a code, as the count. */
  readTcpInfo(): void;
  /** Writes three numbers of bytes into the first words of the records: unread, not acknowledged, not sent. */
  readQueues(): void;
  /** Writes 1 or 0, or a code, as the count. */
  isReusable(): void;
  /** Reads the first `count` entries of a batch of `lib/tcp-info/batch.ts`. */
  readTcpInfos(batch: ArrayBuffer, count: number): void;
  /** Writes the socket's identity into each of the first `count` entries. 0: the system has no identities. */
  identifySockets(batch: ArrayBuffer, count: number): void;
  /**
   * Reads the entries in another thread, then calls `done`. Returns `false`, and does not call it, if they were read in
   * this thread. Identifies the entries without an identity first. If the number of an entry belongs to another socket
   * when it is read, the entry is reported as closed.
   */
  sweepTcpInfos(batch: ArrayBuffer, count: number, done: () => void): boolean;
  /**
   * Linux only. Reads an option that describes the subflows of Multipath TCP: native/platform/linux_subflows.cc. Returns
   * the length that the kernel reports.
   */
  readSubflows(socket: number, option: number, bytes: Uint8Array): number;
  /** Sends a query in the system's own layout. Returns the number of the table, which is 1 or more. */
  openConnectionTable(query: Uint8Array): number;
  /** Reads the next bytes of the reply. Returns 0 after the last one; for a watch, if there are none now. */
  readConnectionTable(table: number, bytes: Uint8Array): number;
  closeConnectionTable(table: number): void;
  destroyConnection(query: Uint8Array): number;
  /** Opens a table to which each closed connection is added. `wake` is called for the first one after a read of 0. */
  watchClosedConnections(limit: number, wake: () => void): number;
  /**
   * Returns the name of the system call that failed in the last of these calls; `null` if the system rejected the query
   * itself.
   */
  failedCall(): string | null;
  /** Sets whether a watch keeps the process running. */
  holdWatch(table: number, hold: boolean): void;
  /** Begins a search for the sockets of handle objects. Returns `false` if it is impossible, or if one is running. */
  beginSearch(): boolean;
  /** Called after each step of the pattern except the last one. */
  sampleHandles(): void;
  /** Called after the last step. Writes a socket for each object; a number below zero: it has none. */
  endSearch(sockets: Float64Array): void;
  /** Reads the setting whose name is in the first `length` bytes of the records. Writes its text there, returns its length. */
  readSetting(length: number): number;
}

const NAME = 'socket-options';

/**
 * The folder of this package. A bundle has none: the folder above it may belong to another user, so no computed path begins there.
 * ES modules have no `__filename`, and webpack may make it relative to the working directory.
 */
function packageFolder(): string | undefined {
  if (typeof __filename !== 'string' || !isAbsolute(__filename)) return undefined;
  const root = join(__filename, '../..');
  if (__filename !== join(root, 'dist', 'index.bundle.js')) return undefined;
  try {
    const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    return name === NAME ? root : undefined;
  } catch {
    return undefined;
  }
}

/** The usual places of the addon, the best first: compiled where it is installed, compiled here, prebuilt. */
const places = (root: string) => [
  `${root}/native/build/Release/socket_options.node`,
  `${root}/build/Release/socket_options.node`,
  `${root}/prebuilds/${process.platform}-${process.arch}/socket-options.node`,
];

/**
 * Returns the path of the addon that node-gyp-build finds in `folder`. It also looks beside the running program, and a
 * file there is refused.
 */
function unusualPath(folder: string): string {
  const { path } = require('node-gyp-build') as typeof import('node-gyp-build');
  const found = path(folder);
  const [first] = relative(folder, found).split(sep);
  if (first === 'build' || first === 'prebuilds') return found;
  throw new Error(`There is no addon in ${folder}. ${found} is outside of it and was not loaded`);
}

/**
 * Loads the addon from the package, or from the folder that SOCKET_OPTIONS_PREBUILD names. node-gyp-build takes longer
 * to load than this package, so it is used only for variables of the environment and for an addon of another name.
 */
function load(): unknown {
  if (buildsSnapshot()) throw bundleError(new Error('Node builds a snapshot'), 'snapshot');
  const { SOCKET_OPTIONS_PREBUILD, PREBUILDS_ONLY } = process.env;
  const root = isBundled() ? undefined : packageFolder();
  const folder = SOCKET_OPTIONS_PREBUILD || root;
  if (folder === undefined) return bundledAddon();
  const usual = folder === root && PREBUILDS_ONLY === undefined;
  let path = usual ? places(root).find((place) => existsSync(place)) : undefined;
  try {
    path ??= unusualPath(folder);
    const found = openAddon(path);
    // A variable may name the folder of another package.
    if (!isOurAddon(found)) throw new Error('it is not the addon of this package');
    return found;
  } catch (cause) {
    const looked = root === undefined ? [] : places(root);
    throw addonError(cause as NodeJS.ErrnoException, { root, looked, path });
  }
}

/** The addon, or the error that each call throws. */
type Loaded =
  | { readonly addon: Binding; readonly failure?: undefined }
  | { readonly addon?: undefined; readonly failure: unknown };

function tryToLoad(): Loaded {
  try {
    return { addon: load() as Binding };
  } catch (failure) {
    // The import must succeed: a program may work without the addon.
    return { failure };
  }
}

const loaded = tryToLoad();

/** The addon; `undefined` if it could not be loaded. */
export const { addon } = loaded;

/** Returns the addon, or throws the error of loading it. */
export function binding(): Binding {
  if (loaded.addon === undefined) throw loaded.failure;
  return loaded.addon;
}
