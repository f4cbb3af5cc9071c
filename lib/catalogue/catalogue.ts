// The catalogue of options: one row for each, with its meaning, its kind and its name on each system. The types, the
// checks, the hover docs, the README's support table and the derived tests come from these rows.
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

/** The name of an option: `'userTimeout'`. */
export type OptionName = keyof OptionValues;

/** The value of the option `linger`: what close(2) does with unsent data. `timeout` is in milliseconds. */
export interface Linger {
  enable: boolean;
  timeout: number;
}

/** The value of the option `localPortRange`: the first and the last port. */
export interface PortRange {
  low: number;
  high: number;
}

/** The value of the option `peerCredentials`: process, user and group of the peer when it connected. */
export interface PeerCredentials {
  pid: number;
  uid: number;
  gid: number;
}

/** The value of the option `originalDestination`. */
export interface OriginalDestination {
  address: string;
  port: number;
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

/** The values that getOptions() returns: durations in milliseconds, sizes in bytes. */
export type OptionValues = { -readonly [Name in keyof Catalogue]: Read<Catalogue[Name]> };

/** The values that setOptions() sets: durations in milliseconds, sizes in bytes. `undefined` keeps the present value. */
export type SocketOptions = {
  -readonly [Name in keyof Catalogue as Catalogue[Name] extends { access: 'read' | 'open' }
    ? never
    : Name]?: Written<Catalogue[Name]> | undefined;
};

/** Options for a socket that is not open yet: {@link SocketOptions}, and those that are chosen when a socket is opened. */
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
