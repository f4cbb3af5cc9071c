// A filter as callers write it -> one that was checked; and whether a connection is what it asks for.

import { isOptions, rangeError, typeError, unknownOption, valueError } from '../core/validate';
import { type TcpState, tcpStates } from '../tcp-info/states';
import { isWithin, type Prefix, prefixOf } from './address';
import type { ConnectionFilter } from './connection';

/** A filter that was checked. A condition that is not there is `undefined`. */
export interface Conditions {
  /** Of the states of `tcpStates`, one bit each. */
  readonly states: number;
  readonly family: 'IPv4' | 'IPv6' | undefined;
  readonly port: ReadonlySet<number> | undefined;
  readonly localPort: ReadonlySet<number> | undefined;
  readonly remotePort: ReadonlySet<number> | undefined;
  readonly localAddress: Prefix | undefined;
  readonly remoteAddress: Prefix | undefined;
  readonly ownProcess: boolean;
  readonly tcpInfo: boolean;
  readonly owners: boolean;
}

/** What the conditions are about, of one connection; addresses as bytes. */
export interface Ends {
  /** In `tcpStates`. */
  readonly stateIndex: number;
  /** 4 or 16: bytes of an address. */
  readonly addressSize: number;
  readonly localPort: number;
  readonly remotePort: number;
  readonly bytes: Uint8Array;
  /** Where the addresses begin in `bytes`. */
  readonly localAt: number;
  readonly remoteAt: number;
}

export const ALL_STATES = (1 << tcpStates.length) - 1;

/** Whether a connection has these ends and this state. */
export function matches(conditions: Conditions, ends: Ends): boolean {
  const { states, family, port, localPort, remotePort, localAddress, remoteAddress } = conditions;
  const { addressSize: size } = ends;
  if (states !== ALL_STATES && ((states >> ends.stateIndex) & 1) === 0) return false;
  if (family !== undefined && (family === 'IPv4') !== (size === 4)) return false;
  if (port !== undefined && !port.has(ends.localPort) && !port.has(ends.remotePort)) return false;
  if (localPort !== undefined && !localPort.has(ends.localPort)) return false;
  if (remotePort !== undefined && !remotePort.has(ends.remotePort)) return false;
  if (localAddress !== undefined && !isWithin(localAddress, ends.bytes, ends.localAt, size)) {
    return false;
  }
  return remoteAddress === undefined || isWithin(remoteAddress, ends.bytes, ends.remoteAt, size);
}

/** What is known of each member, whoever asks: how it is checked. */
const MEMBERS = {
  state: stateBits,
  family: familyOf,
  port: portsOf,
  localPort: portsOf,
  remotePort: portsOf,
  localAddress: prefixNamed,
  remoteAddress: prefixNamed,
  ownProcess: booleanOf,
  tcpInfo: booleanOf,
  owners: booleanOf,
} as const;

type Member = keyof typeof MEMBERS;

/** The members that say something of a connection's ends: what is known of one that is over. */
export const endMembers: readonly Member[] = [
  'family',
  'port',
  'localPort',
  'remotePort',
  'localAddress',
  'remoteAddress',
];

/**
 * Checks a filter; `argument` is what it is called in errors, `allowed` which members it may have.
 * Each member is read once.
 */
export function conditionsOf(
  filter: ConnectionFilter | undefined,
  argument: string,
  allowed: readonly string[] = Object.keys(MEMBERS),
): Conditions {
  const given: Record<string, unknown> = {};
  for (const [name, value] of membersOf(filter, argument, allowed)) {
    given[name] = MEMBERS[name as Member](value, `${argument}.${name}`);
  }
  const unset: Record<Member, unknown> = {
    state: ALL_STATES,
    family: undefined,
    port: undefined,
    localPort: undefined,
    remotePort: undefined,
    localAddress: undefined,
    remoteAddress: undefined,
    ownProcess: false,
    tcpInfo: false,
    owners: false,
  };
  const { state, ...rest } = { ...unset, ...given };
  return { ...rest, states: state } as Conditions;
}

/** The members that are given, none of them unknown. */
export function membersOf(
  object: object | undefined,
  argument: string,
  allowed: readonly string[],
): [name: string, value: unknown][] {
  if (object === undefined) return [];
  if (!isOptions(object)) {
    throw typeError(argument, `an object with any of ${allowed.join(', ')}`, object);
  }
  const members: [string, unknown][] = [];
  for (const name of Object.keys(object)) {
    const value = (object as Record<string, unknown>)[name];
    if (!allowed.includes(name)) throw unknownOption(argument, name, allowed);
    if (value !== undefined) members.push([name, value]);
  }
  return members;
}

/** Other names of states: those of Linux, of netstat, and of Windows. */
const ALIASES: Record<string, TcpState> = {
  CLOSE: 'CLOSED',
  LISTENING: 'LISTEN',
  SYNRECV: 'SYN-RECEIVED',
  SYNRCVD: 'SYN-RECEIVED',
  ESTAB: 'ESTABLISHED',
};

/** A name that the caller may have meant: other case, other signs between the words, an alias. */
function stateMeant(name: string): TcpState | undefined {
  const bare = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return tcpStates.find((state) => bare(state) === bare(name)) ?? ALIASES[bare(name)];
}

function stateBits(value: unknown, argument: string): number {
  let bits = 0;
  for (const state of itemsOf(value, argument)) {
    if (typeof state !== 'string') {
      throw typeError(argument, 'the name of a state, or an array of them', state);
    }
    const index = tcpStates.indexOf(state as TcpState);
    if (index < 0) {
      const meant = stateMeant(state);
      const names = meant === undefined ? `one of ${tcpStates.join(', ')}` : 'the name of a state';
      const hint = meant === undefined ? '' : ` (did you mean '${meant}'?)`;
      throw valueError(argument, `must be ${names}${hint}`, state);
    }
    bits |= 1 << index;
  }
  return bits;
}

function familyOf(value: unknown, argument: string): 'IPv4' | 'IPv6' {
  if (value === 'IPv4' || value === 'IPv6') return value;
  if (typeof value !== 'string') throw typeError(argument, "'IPv4' or 'IPv6'", value);
  throw valueError(argument, "must be 'IPv4' or 'IPv6'", value);
}

function portsOf(value: unknown, argument: string): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const port of itemsOf(value, argument)) {
    if (typeof port !== 'number') {
      throw typeError(argument, 'a port number, or an array of them', port);
    }
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw rangeError(argument, 'an integer >= 0 and <= 65535', port);
    }
    ports.add(port);
  }
  return ports;
}

/** As many as there are ports. */
const MOST_ITEMS = 65_536;

/** What an array has, or the one value. Reads the length and each item once, with no method of it. */
function itemsOf(value: unknown, argument: string): unknown[] {
  if (!Array.isArray(value)) return [value];
  const { length } = value;
  if (length > MOST_ITEMS) {
    throw rangeError(argument, `an array of at most ${MOST_ITEMS} items`, length);
  }
  const items: unknown[] = [];
  for (let i = 0; i < length; i++) items.push(value[i]);
  return items;
}

function prefixNamed(value: unknown, argument: string): Prefix {
  if (typeof value !== 'string') throw typeError(argument, 'an address or a prefix', value);
  const prefix = prefixOf(value);
  if (prefix !== undefined) return prefix;
  throw valueError(
    argument,
    "must be an IP address without a zone, or a prefix ('10.0.0.0/8')",
    value,
  );
}

function booleanOf(value: unknown, argument: string): boolean {
  if (typeof value !== 'boolean') throw typeError(argument, 'a boolean', value);
  return value;
}
