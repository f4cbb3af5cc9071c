// Checks the filter of a caller, and decides whether a connection matches it.

import { isOptions, rangeError, typeError, unknownOption, valueError } from '../core/validate';
import { type TcpState, tcpStates } from '../tcp-info/tcp-info';
import { isInPrefix, type Prefix, parsePrefix } from './address';
import type { ConnectionFilter } from './connection';
import { findState } from './state-names';

/** A checked filter. `undefined`: the filter does not restrict this. */
export interface ParsedFilter {
  /** A bit for each index in `tcpStates`. */
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

/** What a filter compares: state, ports and addresses of one connection, with the addresses as bytes. */
export interface EndpointView {
  /** The index in `tcpStates`; -1 for an unknown state. */
  readonly stateIndex: number;
  /** The length of an address: 4 or 16. */
  readonly addressSize: number;
  readonly localPort: number;
  readonly remotePort: number;
  readonly bytes: Uint8Array;
  /** The offsets of the addresses in `bytes`. */
  readonly localAt: number;
  readonly remoteAt: number;
}

export const ALL_STATES = (1 << tcpStates.length) - 1;

export function matchesFilter(filter: ParsedFilter, view: EndpointView): boolean {
  const { states, family, port, localPort, remotePort, localAddress, remoteAddress } = filter;
  const { addressSize: size } = view;
  if (states !== ALL_STATES && ((states >> view.stateIndex) & 1) === 0) return false;
  if (family !== undefined && (family === 'IPv4') !== (size === 4)) return false;
  if (port !== undefined && !port.has(view.localPort) && !port.has(view.remotePort)) return false;
  if (localPort !== undefined && !localPort.has(view.localPort)) return false;
  if (remotePort !== undefined && !remotePort.has(view.remotePort)) return false;
  if (localAddress !== undefined && !isInPrefix(localAddress, view.bytes, view.localAt, size)) {
    return false;
  }
  return remoteAddress === undefined || isInPrefix(remoteAddress, view.bytes, view.remoteAt, size);
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

/** The members that only need the endpoints, which are known of closed connections too. */
export const ENDPOINT_MEMBERS: readonly Member[] = [
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
export function parseFilter(
  filter: ConnectionFilter | undefined,
  argument: string,
  allowed: readonly string[] = Object.keys(MEMBERS),
): ParsedFilter {
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
  return { ...rest, states: state } as ParsedFilter;
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

function stateBits(value: unknown, argument: string): number {
  let bits = 0;
  for (const state of itemsOf(value, argument)) {
    if (typeof state !== 'string') {
      throw typeError(argument, 'the name of a state, or an array of them', state);
    }
    const index = tcpStates.indexOf(state as TcpState);
    if (index < 0) {
      const meant = findState(state);
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

/** The number of ports that exist. */
const MAX_ITEMS = 65_536;

/** What an array has, or the one value. Reads the length and each item once, with no method of it. */
function itemsOf(value: unknown, argument: string): unknown[] {
  if (!Array.isArray(value)) return [value];
  const { length } = value;
  if (length > MAX_ITEMS) {
    throw rangeError(argument, `an array of at most ${MAX_ITEMS} items`, length);
  }
  const items: unknown[] = [];
  for (let i = 0; i < length; i++) items.push(value[i]);
  return items;
}

function prefixNamed(value: unknown, argument: string): Prefix {
  if (typeof value !== 'string') throw typeError(argument, 'an address or a prefix', value);
  const prefix = parsePrefix(value);
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
