// Checks the filter of a caller, and decides whether a connection matches it.

import { isInPrefix, type Prefix, parsePrefix } from '../core/address';
import {
  typeError,
  validateArray,
  validateBoolean,
  validateNumber,
  validateOneOf,
  validateOptions,
  validateString,
  valueError,
} from '../core/validate';
import { tcpStates } from '../tcp-info/states';
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
  readonly localAddress: readonly Prefix[] | undefined;
  readonly remoteAddress: readonly Prefix[] | undefined;
  readonly ownProcess: boolean;
  readonly tcpInfo: boolean;
  readonly owners: boolean;
  readonly problems: boolean;
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
  const isInAny = (prefixes: readonly Prefix[] | undefined, at: number) =>
    prefixes === undefined || prefixes.some((one) => isInPrefix(one, view.bytes, at, size));
  return isInAny(localAddress, view.localAt) && isInAny(remoteAddress, view.remoteAt);
}

/** How each member is checked. */
const MEMBERS = {
  state: stateBits,
  family: familyOf,
  port: portsOf,
  localPort: portsOf,
  remotePort: portsOf,
  localAddress: prefixesOf,
  remoteAddress: prefixesOf,
  ownProcess: validateBoolean,
  tcpInfo: validateBoolean,
  owners: validateBoolean,
  problems: validateBoolean,
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
  filter: ConnectionFilter = {},
  argument: string,
  allowed: readonly Member[] = Object.keys(MEMBERS) as Member[],
): ParsedFilter {
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(validateOptions(filter, argument, allowed))) {
    if (value === undefined) continue;
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
    problems: false,
  };
  const { state, ...rest } = { ...unset, ...given } as Record<Member, unknown>;
  // Problems follow from it.
  const tcpInfo = rest.tcpInfo || rest.problems;
  return { ...rest, tcpInfo, states: state } as ParsedFilter;
}

function stateBits(value: unknown, argument: string): number {
  let bits = 0;
  for (const state of itemsOf(value, argument)) {
    if (typeof state !== 'string') {
      throw typeError(argument, 'the name of a state, or an array of them', state);
    }
    bits |= 1 << tcpStates.indexOf(validateOneOf(state, argument, tcpStates, findState));
  }
  return bits;
}

function familyOf(value: unknown, argument: string): 'IPv4' | 'IPv6' {
  return validateOneOf(value, argument, ['IPv4', 'IPv6']);
}

function portsOf(value: unknown, argument: string): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const port of itemsOf(value, argument)) {
    if (typeof port !== 'number') {
      throw typeError(argument, 'a port number, or an array of them', port);
    }
    ports.add(validateNumber(port, argument, { integer: true, min: 0, max: 65_535 }));
  }
  return ports;
}

/** The items of an array, or the one value. */
function itemsOf(value: unknown, argument: string): unknown[] {
  return Array.isArray(value) ? validateArray(value, argument, 'an array') : [value];
}

function prefixesOf(value: unknown, argument: string): Prefix[] {
  return itemsOf(value, argument).map((text) => {
    const prefix = parsePrefix(validateString(text, argument, 'an address or a prefix'));
    if (prefix !== undefined) return prefix;
    throw valueError(
      argument,
      "must be an IP address without a zone, or a prefix ('10.0.0.0/8')",
      text,
    );
  });
}
