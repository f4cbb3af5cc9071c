// The catalogue of options: one row for each, with its meaning, its kind and its name on each system. The types, the
// checks, the hover docs, the table of docs/options.md and the derived tests come from these rows.
//
// The options of one call are set in the order of the rows.

import { ip } from './ip';
import type { Platform, PlatformOption, Row, SocketState } from './row';
import { socket } from './socket';
import { tcp } from './tcp';

export type { Platform, PlatformOption, Row, SocketState };

type Tcp = ReturnType<typeof tcp>;
type Socket = ReturnType<typeof socket>;
type Ip = ReturnType<typeof ip>;

// An interface, because the type of a spread would have no docs on its members.
interface Catalogue extends Tcp, Socket, Ip {}

/** The name of an option: `'userTimeout'`. `supportedOptions()` returns those of this system. */
export type OptionName = keyof OptionValues;

/** The value of the option `linger`: what close(2) does with unsent data. */
export interface Linger {
  /** Whether closing waits for the data, or discards it if `timeout` is 0. */
  enable: boolean;
  /**
   * How long closing waits, in milliseconds, rounded up to whole seconds; 0 discards the data and resets the
   * connection. At most 2 147 483 647 s on Linux, 327 s on macOS, 65 535 s on Windows, 32 767 s on FreeBSD.
   */
  timeout: number;
}

/** The value of the option `localPortRange`: the ports from which the kernel chooses one. */
export interface PortRange {
  /** First port of the range: 1 to 65 535. */
  low: number;
  /** Last port of the range: `low` to 65 535. */
  high: number;
}

/** The value of the option `peerCredentials`: process, user and group of the peer when it connected. */
export interface PeerCredentials {
  /** Process ID of the peer. 0: the peer is outside of this PID namespace. */
  pid: number;
  /** Effective user ID of the peer. */
  uid: number;
  /** Effective group ID of the peer. */
  gid: number;
}

/** The value of the option `originalDestination`: an address and a port. */
export interface OriginalDestination {
  /** IP address to which the peer wanted to connect. */
  address: string;
  /** Port to which the peer wanted to connect: 0 to 65 535. */
  port: number;
  /** IP version of the address. */
  family: 'IPv4' | 'IPv6';
}

/** The kinds whose values are objects. */
interface ObjectValues {
  linger: Linger;
  portRange: PortRange;
  credentials: PeerCredentials;
  address: OriginalDestination;
}

type Value<R extends Row> = R['kind'] extends 'boolean'
  ? boolean
  : R['kind'] extends 'integer' | 'duration' | 'rate' | 'dscp'
    ? number
    : R['kind'] extends 'string' | 'cookie'
      ? string
      : R['kind'] extends keyof ObjectValues
        ? ObjectValues[R['kind']]
        : R extends { values: infer Values }
          ? keyof Values
          : never;

type Read<R extends Row> = R extends { nullable: true } ? Value<R> | null : Value<R>;

type Written<R extends Row> = R extends { system: true } ? Value<R> | 'system' : Value<R>;

/**
 * The values that getOptions() returns: durations in milliseconds, sizes in bytes. `null`: the kernel reports none, or
 * one without a name here.
 */
export type OptionValues = { -readonly [Name in keyof Catalogue]: Read<Catalogue[Name]> };

/** The values that setOptions() sets: durations in milliseconds, sizes in bytes. `undefined` keeps the present value. */
export type SocketOptions = {
  -readonly [Name in keyof Catalogue as Catalogue[Name] extends { access: 'read' | 'open' }
    ? never
    : Name]?: Written<Catalogue[Name]> | undefined;
};

/**
 * Options for a socket that is not open yet: {@link SocketOptions}, and those that are chosen when a socket is opened.
 * `undefined` keeps the kernel's value.
 */
export type OpeningOptions = SocketOptions & {
  -readonly [Name in keyof Catalogue as Catalogue[Name] extends { access: 'open' } ? Name : never]?:
    | Written<Catalogue[Name]>
    | undefined;
};

let all: Readonly<Record<string, Row>> | undefined;

/** Returns all rows, in the order in which options are set. They are made at the first call: that takes 1 ms and 0.7 MB. */
export function rows(): Readonly<Record<string, Row>> {
  all ??= { ...tcp(), ...socket(), ...ip() };
  return all;
}
