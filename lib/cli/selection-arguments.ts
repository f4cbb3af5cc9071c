// The arguments of `connections` as a selection, or a UsageError.

import { isIPv4, isIPv6 } from 'node:net';
import { problemCodes } from '../connections/problems';
import { findState } from '../connections/state-names';
import { type ProblemCode, type TcpState, tcpStates } from '../index';
import { choiceOf, numberOf, unknownName } from './arguments';
import { type Options, UsageError, type Values } from './command';
import type { Selection } from './selection';
import { SORT_KEYS, type SortKey } from './view/connection-order';
import { withoutMapping } from './view/connection-text';
import { GROUP_KEYS, isGroupSort } from './view/group-table';

export const options = {
  state: { type: 'string', multiple: true },
  all: { type: 'boolean' },
  port: { type: 'string', multiple: true },
  local: { type: 'string', multiple: true },
  peer: { type: 'string', multiple: true },
  remote: { type: 'string', multiple: true },
  problems: { type: 'string', multiple: true },
  'no-keepalive': { type: 'boolean' },
  sort: { type: 'string' },
  limit: { type: 'string' },
  'group-by': { type: 'string' },
  process: { type: 'boolean' },
  watch: { type: 'boolean' },
  interval: { type: 'string' },
  'fail-on-problems': { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies Options;

/** The values that are known in advance, for shell completion. */
export const choices = {
  state: tcpStates.map((state) => state.toLowerCase()),
  problems: problemCodes,
  sort: SORT_KEYS,
  'group-by': GROUP_KEYS,
} as const;

/** Options whose value is a list with commas. */
export const lists = ['state', 'problems', 'port', 'local', 'peer', 'remote'] as const;

export type Given = Values<typeof options>;

/** Options that contradict each other, and why. */
const CONFLICTS: readonly (readonly [keyof Given, keyof Given, string])[] = [
  ['all', 'state', '--all and --state cannot be used together'],
  ['peer', 'remote', '--peer and --remote are the same: give one of them'],
  ['group-by', 'watch', '--group-by cannot be used with --watch: run it again'],
  ['fail-on-problems', 'watch', '--fail-on-problems needs an end, which --watch does not have'],
];

export function parseSelection(given: Given): Selection {
  for (const [one, other, message] of CONFLICTS) {
    if (given[one] !== undefined && given[other] !== undefined) throw new UsageError(message);
  }
  if (given.interval !== undefined && !given.watch) {
    throw new UsageError('--interval needs --watch');
  }
  const groupsByOther = given['group-by'] !== undefined && given['group-by'] !== 'process';
  if (given.process && given.json && groupsByOther) {
    throw new UsageError('--process has no effect on the JSON of groups: use --group-by process');
  }
  const { state, all, port, local, remote, peer = remote, problems, sort, limit } = given;
  return {
    filter: {
      state: state && parseStates(state),
      port: port && parsePorts(port),
      localAddress: local && parseAddresses('--local', local),
      remoteAddress: peer && parseAddresses(remote === undefined ? '--peer' : '--remote', peer),
      owners: given.process || given['group-by'] === 'process' || undefined,
      problems: true,
    },
    // A full accept queue is a problem of a listening socket.
    hiddenStates: state || all || problems ? [] : ['LISTEN', 'TIME-WAIT'],
    problems: problems === undefined ? null : parseProblems(problems),
    withoutKeepAlive: given['no-keepalive'] === true,
    sort: sort === undefined ? undefined : parseSort(sort, given['group-by'] !== undefined),
    limit:
      limit === undefined ? Infinity : numberOf('--limit', limit, [1, 1_000_000], 'whole number'),
  };
}

function parseSort(text: string, isGrouped: boolean): SortKey {
  const key = choiceOf('--sort', text, SORT_KEYS);
  if (isGrouped && !isGroupSort(key)) {
    throw new UsageError(
      `--group-by cannot be sorted by ${key}, but by ${SORT_KEYS.filter(isGroupSort).join(', ')}`,
    );
  }
  return key;
}

const splitLists = (texts: readonly string[]) =>
  texts.flatMap((text) => text.split(',').map((item) => item.trim()));

function parseStates(texts: readonly string[]): TcpState[] {
  return splitLists(texts).map((name) => {
    const state = findState(name);
    if (state === undefined) throw unknownName('state', name, tcpStates);
    return state;
  });
}

/** `--problems` without a value is the empty text. */
function parseProblems(texts: readonly string[]): Selection['problems'] {
  if (texts.every((text) => text === '')) return 'marked';
  if (texts.includes('')) throw new UsageError('--problems is given with names and without');
  return new Set(
    splitLists(texts).map((name): ProblemCode => {
      const code = problemCodes.find((each) => each === name.toLowerCase());
      if (code === undefined) throw unknownName('problem', name, problemCodes);
      return code;
    }),
  );
}

const parsePorts = (texts: readonly string[]) =>
  splitLists(texts).map((text) => numberOf('--port', text, [1, 65_535], 'whole number'));

const parseAddresses = (option: string, texts: readonly string[]) =>
  splitLists(texts).map((text) => parseAddress(option, text));

function parseAddress(option: string, text: string): string {
  const [address = '', length, ...more] = text.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const isPrefix = length === undefined || (/^\d+$/.test(length) && Number(length) <= bits);
  if (bits < 0 || !isPrefix || more.length > 0 || text.includes('%')) {
    throw new UsageError(
      `${option} '${text}' is not an IP address (without a zone) or prefix, such as 192.0.2.7, ::1 or 10.0.0.0/8`,
    );
  }
  // An IPv4 peer is the same one for IPv4 and IPv6 sockets.
  return withoutMapping(text);
}

/** The interval in milliseconds. */
export const parseInterval = (text = '1') =>
  numberOf('--interval', text, [0.1, 86_400], 'number of seconds') * 1_000;
