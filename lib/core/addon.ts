// Loads the addon; the typed twin of native/platform.h and native/addon.cc.

import { existsSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { explain } from './load-failure';

/** Names and numbers of a system's headers. Those named here every system has. */
export interface Constants {
  readonly SOL_SOCKET: number;
  readonly IPPROTO_IP: number;
  readonly IPPROTO_IPV6: number;
  readonly IPPROTO_TCP: number;
  readonly IPPROTO_UDP: number;
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly SOCK_STREAM: number;
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
 * The addon. Numbers in, a number out; below zero is a negative libuv code.
 *
 * Options travel in `scratch`: the descriptor as a double, how many options as a word, a word for the
 * answer of `getDefault`, then a record of 32-bit words for each option: level, option, length in
 * bytes, the value padded to whole words. Where a record is refused, its length becomes the code.
 */
export interface Binding {
  readonly scratch: ArrayBuffer;
  /** Makes the tables of constants, which takes a while. */
  constants(): ConstantTables;
  /** Leaves in the scratch buffer how many records were written; stops at the first refused. */
  setOptions(): void;
  /** Leaves in the scratch buffer how many records were read; goes on after one refused. */
  getOptions(): void;
  /**
   * Leaves in the scratch buffer what a new socket has for a 32-bit option; with a code 0 there where no
   * socket could be made, and 1 where getsockopt refused.
   */
  getDefault(level: number, option: number): number;
  /** `SIO_KEEPALIVE_VALS` of Windows, in milliseconds. */
  setKeepAliveValues(
    socket: number,
    enable: boolean,
    initialDelay: number,
    interval: number,
  ): number;
  /** `TCP_INFO` of the head's socket behind the records; leaves its length, or a code, as the count. */
  readTcpInfo(): void;
  /** Unread, unacknowledged or unsent, unsent bytes as the first three words of the records. */
  readQueues(): void;
  /** Reads the first `count` entries of a batch of `lib/tcp-info/batch.ts`. */
  readTcpInfos(batch: ArrayBuffer, count: number): void;
  /** Leaves in each of the first `count` entries the socket's identity: 0 where there is none. */
  identifySockets(batch: ArrayBuffer, count: number): void;
  /**
   * Reads in another thread, then calls `done`. Returns `false`, without a call, where all was read here.
   * First it identifies the entries that have no identity. An entry whose number belongs to another socket by
   * then is reported as closed.
   */
  sweepTcpInfos(batch: ArrayBuffer, count: number, done: () => void): boolean;
  /** Asks the system about its connections, in its own layout; the number of the table, from 1 on. */
  openConnectionTable(query: Uint8Array): number;
  /** The next bytes of the answer; 0 after the last, and of a watch when there is nothing for now. */
  readConnectionTable(table: number, bytes: Uint8Array): number;
  closeConnectionTable(table: number): void;
  destroyConnection(query: Uint8Array): number;
  /** A table that grows by each connection that ends; `wake` is called after a read found nothing. */
  watchClosedConnections(limit: number, wake: () => void): number;
  /**
   * The name of the system call that failed in the last of these calls; `null` where the system refused the
   * query itself.
   */
  failedCall(): string | null;
  /** Whether a watch keeps the process from ending. */
  holdWatch(table: number, hold: boolean): void;
  /** Whether sockets behind handle objects can be searched for, and nobody does so already. */
  beginSearch(): boolean;
  /** After each step of the pattern, but for the last. */
  lookAtHandles(): void;
  /** After the last: a socket for each object, below zero for one that has none. */
  endSearch(sockets: Float64Array): void;
  /** Replaces the setting's name, `length` bytes of the records, by its text; returns its length. */
  readSetting(length: number): number;
}

/** Where the addon usually is, best first: compiled where it is installed, compiled here, prebuilt. */
const places = (root: string) => [
  `${root}/native/build/Release/socket_options.node`,
  `${root}/build/Release/socket_options.node`,
  `${root}/prebuilds/${process.platform}-${process.arch}/socket-options.node`,
];

const NAME = 'socket-options';

/**
 * Whether this code runs where it was installed. In a bundle `root` is the folder above the bundle,
 * which may belong to anybody: nothing there is loaded.
 */
function isPackage(root: string): boolean {
  if (__filename !== join(root, 'dist', 'index.js')) return false;
  try {
    return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).name === NAME;
  } catch {
    return false;
  }
}

/**
 * The addon that node-gyp-build finds in `folder`. It also looks beside the running program: what it finds
 * there is refused.
 */
function unusualPath(folder: string): string {
  const { path } = require('node-gyp-build') as typeof import('node-gyp-build');
  const found = path(folder);
  const [first] = relative(folder, found).split(sep);
  if (first === 'build' || first === 'prebuilds') return found;
  throw new Error(`No addon in ${folder}; ${found} is outside of it and was not loaded`);
}

/**
 * The addon of the package, or of the folder that SOCKET_OPTIONS_PREBUILD names. node-gyp-build, which
 * takes longer to load than all of this package, is left the unusual: variables of the environment, and
 * an addon of another name.
 */
function load(root: string): unknown {
  const { SOCKET_OPTIONS_PREBUILD, PREBUILDS_ONLY } = process.env;
  const isInstalled = isPackage(root);
  const folder = SOCKET_OPTIONS_PREBUILD || (isInstalled ? root : undefined);
  const usual = folder === root && PREBUILDS_ONLY === undefined;
  let path = usual ? places(root).find((place) => existsSync(place)) : undefined;
  try {
    if (folder === undefined) throw new Error(`${root} is not the folder of ${NAME}`);
    path ??= unusualPath(folder);
    return require(path);
  } catch (cause) {
    throw explain(cause as NodeJS.ErrnoException, {
      root,
      isInstalled,
      looked: isInstalled ? places(root) : [],
      path,
    });
  }
}

/** What loading gave: the addon, or the error, which is kept for the first call. */
type Loaded =
  | { readonly addon: Binding; readonly failure?: undefined }
  | { readonly addon?: undefined; readonly failure: unknown };

function tryToLoad(root: string): Loaded {
  try {
    return { addon: load(root) as Binding };
  } catch (failure) {
    // An import must not bring down a program that can do without the addon.
    return { failure };
  }
}

const loaded = tryToLoad(join(__dirname, '..'));

/** The addon; `undefined` where it could not be loaded. */
export const { addon } = loaded;

/** The addon, or the error of loading it. */
export function binding(): Binding {
  if (loaded.addon === undefined) throw loaded.failure;
  return loaded.addon;
}
