// THE catalogue: what people mean by an option stands here and nowhere else. Types, validation,
// hover docs, the README's support table and the derived tests come from these rows.
//
// Several options of one call are written in the order of the rows.

import { ip } from './ip';
import type { KernelUnit, Platform, PlatformOption, Row } from './row';
import { socket } from './socket';
import { tcp } from './tcp';

export type { KernelUnit, Platform, PlatformOption, Row };

type Tcp = typeof tcp;
type Socket = typeof socket;
type Ip = typeof ip;

// An interface, because the type of a spread would have no docs on its members.
interface Catalogue extends Tcp, Socket, Ip {}

/** The name of an option in the catalogue. */
export type OptionName = keyof Catalogue;

/** `SO_LINGER`: what closing does with unsent data; `timeout` in milliseconds. */
export interface Linger {
  enable: boolean;
  timeout: number;
}

type Value<R extends Row> = R['kind'] extends 'boolean'
  ? boolean
  : R['kind'] extends 'integer' | 'duration' | 'rate' | 'dscp'
    ? number
    : R['kind'] extends 'string' | 'cookie'
      ? string
      : R['kind'] extends 'linger'
        ? Linger
        : R extends { values: infer Values }
          ? keyof Values
          : never;

type Read<R extends Row> = R extends { nullable: true } ? Value<R> | null : Value<R>;

type Written<R extends Row> = R extends { system: true } ? Value<R> | 'system' : Value<R>;

/** What the kernel holds, by option: durations in milliseconds, sizes in bytes. */
export type OptionValues = { -readonly [Name in keyof Catalogue]: Read<Catalogue[Name]> };

/** Options to set: durations in milliseconds, sizes in bytes; `undefined` is left alone. */
export type SocketOptions = {
  -readonly [Name in keyof Catalogue as Catalogue[Name] extends { access: 'read' } ? never : Name]?:
    | Written<Catalogue[Name]>
    | undefined;
};

/** The rows as data to walk over, in their order. */
export const rows: Readonly<Record<string, Row>> = { ...tcp, ...socket, ...ip };
