// socket-options connections: lists the TCP connections of this system, once or again and again.

import { isIPv4, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, type ConnectionFilter, listConnections } from '../index';
import { type TcpState, tcpStates } from '../tcp-info/states';
import { checkedBy, numberOf, unknownName } from './arguments';
import { type Result, UsageError, type Values } from './command';
import { counts, groupWarnings, warnings } from './connection-summary';
import { bySuspicion, connectionLine, connectionTable } from './connection-table';
import { ConnectionView, type Sample } from './connection-view';
import { hasScreen, Screen } from './screen';
import { stateOf } from './states';
import { observe } from './suspicion';
import { json, paragraph, showsUnicode } from './text';

export const summary = 'list the TCP connections here; mark those whose peer may be gone';

export const help = `Usage: socket-options connections [options]

Lists the TCP connections of this system (on Linux: of this network namespace):
when the peer last answered, the round-trip time, retransmissions, queues, and
what the kernel does next. Sockets in LISTEN and TIME-WAIT are only counted,
unless you ask for them.

  --state <names>       only these states, separated by commas; the names of
                        ss(8), netstat(8) and the RFC are known (FIN_WAIT1)
  --all                 all states, also LISTEN and TIME-WAIT
  --port <numbers>      only connections with one of these ports at either end
  --local <address>     only this local address or prefix: 10.0.0.0/8
  --remote <address>    only this address or prefix of the peer
  --process             show which processes hold a connection; processes of
                        other users are visible to root only
  --watch               repeat; on a terminal, update the table in place
  --interval <seconds>  the time between two looks of --watch: 0.1 to 86400
                        (default: 1)
  --json                print one array with all fields; with --watch print one
                        line { time, connections } for each look. Times are in
                        milliseconds, and null means that
                        the system does not report the value

Columns (empty columns are left out, and on a narrow terminal others are
shortened or left out too):
  !         a suspect: the peer may be gone; the reason is below the table
  ALIVE     time since the peer last sent data or an acknowledgement
  RTT       smoothed round-trip time; --watch draws the last ones as TREND
  RETRANS   retransmissions in a row now / since the connection was made
  UNREAD    bytes that the program here has not read
  UNACKED   bytes that the peer has not acknowledged, unsent bytes included
  RECEIVED  bytes received since the connection was made; SENT: bytes sent
  TIMER     what the kernel does next, and when:
    off                       nothing: keepalive is off
    first probe in 12 s       keepalive is on and sends its first probe
    probe 2 in 0.4 s          one probe is unanswered. The kernel sends the next
                              one, or ends the connection if no more are
                              allowed. (It does not report how many are.)
    ACK due in 0.2 s          data is in flight; without an ACK it is sent again
    retransmission 3 in 1.6 s two retransmissions are unanswered. Keepalive does
                              not run meanwhile
    window probe 1 in 0.2 s   the peer's program does not read, its window is
                              closed; the kernel asks whether it has opened
    removed in 42 s           the connection is closed; the kernel forgets it

Below the table: the reason for each suspect; programs with three or more
connections in CLOSE-WAIT (the peer has closed them, the program has not); full
accept queues.

Keys of --watch: q or Ctrl-C quits; arrows, j, k, PgUp, PgDn, Home, End scroll;
Ctrl-Z suspends until fg. If the output is no terminal, or TERM is dumb, --watch
prints one line for each connection and look. NO_COLOR switches colours off.

Examples:
  socket-options connections
  socket-options connections --port 5432,6432 --process
  socket-options connections --state close-wait --local 10.0.0.0/8
  socket-options connections --watch --interval 0.5
  socket-options connections --watch --json --remote 192.0.2.7 >> log

Exit codes: 0 success, 1 the connections could not be listed, 2 wrong arguments.
`;

export const options = {
  state: { type: 'string', multiple: true },
  all: { type: 'boolean' },
  port: { type: 'string', multiple: true },
  local: { type: 'string' },
  remote: { type: 'string' },
  process: { type: 'boolean' },
  watch: { type: 'boolean' },
  interval: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Given = Values<typeof options>;

/** What the arguments select. */
interface Query {
  readonly filter: ConnectionFilter;
  /** States that are only counted. */
  readonly hidden: readonly TcpState[];
}

export function run(given: Given): Result | Promise<void> {
  const query = queryOf(given);
  const owners = given.process === true;
  if (given.watch) {
    const interval = intervalOf(given.interval);
    if (given.json) return print(() => jsonLine(take(query)), interval);
    if (!hasScreen()) return print(() => lines(take(query), owners), interval);
    return watch(query, owners, interval);
  }
  if (given.interval !== undefined) throw new UsageError('--interval needs --watch');
  const sample = take(query);
  const output = given.json
    ? json(
        sample.observed.map(({ connection }) => connection),
        2,
      )
    : text(sample, owners);
  return { output, complete: true };
}

function queryOf({ state, all, port, local, remote, process }: Given): Query {
  if (state && all) throw new UsageError('--all and --state cannot be used together');
  return {
    filter: {
      state: state && statesOf(state),
      port: port && portsOf(port),
      localAddress: local === undefined ? undefined : addressOf('--local', local),
      remoteAddress: remote === undefined ? undefined : addressOf('--remote', remote),
      tcpInfo: true,
      owners: process,
    },
    hidden: state || all ? [] : ['LISTEN', 'TIME-WAIT'],
  };
}

const listOf = (texts: readonly string[]) => texts.flatMap((text) => text.split(','));

function statesOf(texts: readonly string[]): TcpState[] {
  return listOf(texts).map((name) => {
    const state = stateOf(name);
    if (state === undefined) throw unknownName('state', name, tcpStates);
    return state;
  });
}

const portsOf = (texts: readonly string[]) =>
  listOf(texts).map((text) => numberOf('--port', text, [1, 65_535], 'whole number'));

function addressOf(option: string, text: string): string {
  const [address = '', length, ...more] = text.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const isPrefix = length === undefined || (/^\d+$/.test(length) && Number(length) <= bits);
  if (bits < 0 || !isPrefix || more.length > 0 || text.includes('%')) {
    throw new UsageError(
      `${option} '${text}' is not an IP address (without a zone) or prefix, such as 192.0.2.7, ::1 or 10.0.0.0/8`,
    );
  }
  return text;
}

/** In milliseconds. */
const intervalOf = (text = '1') =>
  numberOf('--interval', text, [0.1, 86_400], 'number of seconds') * 1_000;

function take({ filter, hidden }: Query): Sample {
  const time = new Date();
  const all = checkedBy(() => listConnections(filter));
  const isHidden = ({ state }: Connection) => hidden.includes(state);
  return {
    time,
    observed: all
      .filter((connection) => !isHidden(connection))
      .map(observe)
      .sort(bySuspicion),
    listening: all.filter(({ state }) => state === 'LISTEN'),
    leftOut: all.filter(isHidden),
  };
}

/** A table, a sentence for each problem, and what was left out. */
function text({ observed, listening, leftOut }: Sample, owners: boolean): string {
  const unicode = showsUnicode();
  const width = process.stdout.columns || Infinity;
  const sentences = warnings(observed, listening, unicode).map((text) => paragraph(`! ${text}`));
  const parts = [
    observed.length === 0
      ? 'No connections.'
      : connectionTable(observed, { width, unicode, owners }).join('\n'),
    ...(sentences.length > 0 ? [sentences.join('\n')] : []),
    ...(leftOut.length > 0 ? [paragraph(`Left out: ${counts(leftOut)} (--all shows them).`)] : []),
  ];
  return parts.join('\n\n');
}

function jsonLine({ time, observed }: Sample): string {
  return json({ time, connections: observed.map(({ connection }) => connection) });
}

/** For a file or a pipe: each line begins with its time. */
function lines({ time, observed, listening }: Sample, owners: boolean): string {
  const unicode = showsUnicode();
  const told = observed.map((each) => connectionLine(each, { unicode, owners }));
  // The sentence about one connection is in its line.
  const rest = groupWarnings(observed, listening, unicode);
  const all = [
    ...(told.length > 0 ? told : ['no connections']),
    ...rest.map((sentence) => `warning: ${sentence}`),
  ];
  return all.map((line) => `${time.toISOString()} ${line}`).join('\n');
}

/** Prints again and again, no faster than it is read, until the reader closes the pipe. */
async function print(sample: () => string, interval: number): Promise<void> {
  for (;;) {
    const output = `${sample()}\n`;
    const error = await new Promise((resolve) => process.stdout.write(output, resolve));
    if (error) return;
    await sleep(interval);
  }
}

async function watch(query: Query, owners: boolean, interval: number): Promise<void> {
  const unicode = showsUnicode();
  // Before the screen is taken: an error of the first look needs none.
  const first = take(query);
  const screen = new Screen({
    key: (name) => view.press(name) && show(),
    resize: () => show(),
  });
  const heading = `connections every ${interval / 1_000} s`;
  const view = new ConnectionView(heading, { unicode, owners, keys: screen.hasKeys });
  const show = () => screen.show(view.frame(screen.columns, screen.rows));
  try {
    view.update(first);
    show();
    for (;;) {
      await sleep(interval, undefined, { signal: screen.ended }).catch(() => {});
      if (screen.ended.aborted) return;
      view.update(take(query));
      show();
    }
  } finally {
    await screen.close();
  }
}
