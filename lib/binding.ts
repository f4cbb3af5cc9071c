// Loads the addon; the typed twin of native/platform.h and native/addon.cc.

import { join } from 'node:path';
import load from 'node-gyp-build';

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

/**
 * The addon. Numbers in, a number out; below zero is a negative libuv code. Options travel in
 * `scratch` as records of 32-bit words: level, option, length in bytes, the value padded to whole
 * words. Where a record is refused, its length becomes the code.
 */
export interface Binding {
  /** The system's constants under the names of its headers. */
  readonly constants: Constants;
  /** The level of each constant that is an option. */
  readonly levels: Readonly<Record<string, number>>;
  readonly scratch: ArrayBuffer;
  /** How many of `count` records were written; stops at the first that is refused. */
  setOptions(socket: number, count: number): number;
  /** How many of `count` records were read; goes on after one that is refused. */
  getOptions(socket: number, count: number): number;
  /** Leaves in the first word what a new socket has for a 32-bit option. */
  getDefault(level: number, option: number): number;
  /** `SIO_KEEPALIVE_VALS` of Windows, in milliseconds. */
  setKeepAliveValues(
    socket: number,
    enable: boolean,
    initialDelay: number,
    interval: number,
  ): number;
  /** Replaces the setting's name in the first `length` bytes by its text; returns its length. */
  readSetting(length: number): number;
}

let loaded: Binding | undefined;
let failure: unknown;
// Loading happens once, here, so that no later call pays for it. A failure is kept until the first
// call: an import must not bring down a program that could do without.
try {
  loaded = load(join(__dirname, '..')) as Binding;
} catch (error) {
  failure = error;
}

/** Whether there is an addon for this system. */
export const isLoaded = loaded !== undefined;

/** The addon, or the error that loading it gave. */
export function binding(): Binding {
  if (loaded === undefined) throw failure;
  return loaded;
}

const scratch = loaded?.scratch ?? new ArrayBuffer(0);

/** The scratch buffer. It must never leave this package: the addon writes into its memory. */
export const words = new Int32Array(scratch);
export const bytes = new Uint8Array(scratch);

/** Words of a record before its value. */
export const HEAD = 3;

/** Longest value of one option, in bytes. */
export const LONGEST = scratch.byteLength - 4 * HEAD;

/** Writes a record whose value is one word at `at`; returns where the next one begins. */
export function putWord(at: number, level: number, option: number, value: number): number {
  words[at] = level;
  words[at + 1] = option;
  words[at + 2] = 4;
  words[at + 3] = value;
  return at + HEAD + 1;
}

/** Writes a record with room for `length` bytes at `at`; returns where the next one begins. */
export function putRoom(at: number, level: number, option: number, length: number): number {
  words[at] = level;
  words[at + 1] = option;
  words[at + 2] = length;
  return at + HEAD + ((length + 3) >> 2);
}

/** Writes a record of any value at `at`; returns where the next one begins. */
export function putBytes(at: number, level: number, option: number, value: Uint8Array): number {
  const next = putRoom(at, level, option, value.length);
  bytes.set(value, (at + HEAD) * 4);
  return next;
}
