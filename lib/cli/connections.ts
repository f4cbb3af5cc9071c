// socket-options connections: the TCP connections of this system, once or again and again.

import { isIPv4, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, type ConnectionFilter, listConnections } from '../index';
import { type TcpState, tcpStates } from '../tcp-info/tcp-info';
import { type Result, UsageError, type Values } from './command';
import { counts, groupWarnings, warnings } from './connection-summary';
import { bySuspicion, connectionLine, connectionTable } from './connection-table';
import { ConnectionView, type Sample } from './connection-view';
import { hasScreen, Screen } from './screen';
import { stateOf } from './states';
import { observe } from './suspicion';
import { paragraph, showsUnicode } from './text';

export const summary = 'the TCP connections of this system, and which of them may be dead';

export const help = `Usage: socket-options connections [options]

Shows the TCP connections of this system (of this network namespace): when the
peer last gave a sign of life, the round-trip time, what was sent again, what
waits in queues, and what the kernel will do next. Sockets that listen and those
in TIME-WAIT are counted only, unless they are asked for.

  --state <names>       only those in these states: a list with commas, as
                        ss(8), netstat(8) or the RFC write them (FIN_WAIT1)
  --all                 in every state, LISTEN and TIME-WAIT too
  --port <numbers>      only those with one of these ports at either end
  --local <address>     only with this local address, or prefix: 10.0.0.0/8
  --remote <address>    the same for the peer's
  --process             tell the processes, as far as they may be seen
  --watch               again and again; on a terminal in place
  --interval <seconds>  the time between two looks of --watch; 1
  --json                all that is known, as one array; with --watch one line
                        with { time, connections } for each look. Times are in
                        milliseconds, null is what the system does not tell

Columns; one that would be empty is left out, and so is what a narrow terminal
has no room for:
  !         a suspect: the words are below the table
  ALIVE     time since the peer last sent data or an acknowledgement
  RTT       smoothed round-trip time; with --watch TREND has the last ones
  RETRANS   retransmissions in a row now, and over the connection's life
  UNREAD    bytes that the program here has not read
  UNACKED   bytes that the peer has not acknowledged, unsent ones included
  TIMER     what happens next, and when:
    off                       nothing: keepalive is off
    first probe in 12 s       keepalive is on, and this is when it asks
    probe 2 in 0.4 s          one was not answered. Where no more are allowed,
                              the connection ends instead: only its own program
                              can know how many are
    ACK due in 0.2 s          data is out; unless it is acknowledged, it is sent
                              again
    retransmission 3 in 1.6 s that happened twice. Keepalive does not run then
    window probe 1 in 0.2 s   the peer does not read; it is asked if it does

Below the table: why the suspects are some, three or more connections of one
program in CLOSE-WAIT (its peers closed them, it has not), full accept queues.

Keys of --watch: q or Ctrl-C quits; arrows, j, k, PgUp, PgDn, Home, End scroll;
Ctrl-Z stops until fg. Without a terminal, or with TERM=dumb, it prints a line
for each connection and look. NO_COLOR is respected.

Examples:
  socket-options connections
  socket-options connections --port 5432,6432 --process
  socket-options connections --state close-wait --local 10.0.0.0/8
  socket-options connections --watch --interval 0.5
  socket-options connections --watch --json --remote 192.0.2.7 >> log

Exit code 1 if the connections could not be listed.
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

/** What the arguments ask for. */
interface Query {
  readonly filter: ConnectionFilter;
  /** Which of the listed ones are counted only. */
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
  if (given.interval !== undefined) throw new UsageError('--interval is for --watch');
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
  if (state && all) throw new UsageError('--all and --state exclude each other');
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
    if (state === undefined) {
      throw new UsageError(`unknown state '${name}'; the states are ${tcpStates.join(', ')}`);
    }
    return state;
  });
}

function portsOf(texts: readonly string[]): number[] {
  return listOf(texts).map((text) => {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
      throw new UsageError(`--port '${text}' is not a number from 1 to 65535`);
    }
    return port;
  });
}

function addressOf(option: string, text: string): string {
  const [address = '', length, ...more] = text.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const isPrefix = length === undefined || (/^\d+$/.test(length) && Number(length) <= bits);
  if (bits < 0 || !isPrefix || more.length > 0) {
    throw new UsageError(`${option} '${text}' is neither an address nor a prefix`);
  }
  return text;
}

/** In milliseconds. */
function intervalOf(text = '1'): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0.1 && seconds <= 86_400)) {
    throw new UsageError(`--interval '${text}' is not a number of seconds from 0.1 to 86400`);
  }
  return seconds * 1_000;
}

function take({ filter, hidden }: Query): Sample {
  const time = new Date();
  const all = listConnections(filter);
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

/** A table, what to look after, and what was left out. */
function text({ observed, listening, leftOut }: Sample, owners: boolean): string {
  const unicode = showsUnicode();
  const width = process.stdout.columns || Infinity;
  const sentences = warnings(observed, listening, unicode).map((text) => paragraph(`! ${text}`));
  const parts = [
    observed.length === 0
      ? 'No connections.'
      : connectionTable(observed, { width, unicode, owners }).join('\n'),
    ...(sentences.length > 0 ? [sentences.join('\n')] : []),
    ...(leftOut.length > 0 ? [`Left out: ${counts(leftOut)} (--all shows them).`] : []),
  ];
  return parts.join('\n\n');
}

/** In ASCII: what others have put into a name is to reach no terminal as it is. */
function json(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[^\n -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function jsonLine({ time, observed }: Sample): string {
  return json({ time, connections: observed.map(({ connection }) => connection) });
}

/** For a file or a pipe: each line tells its time. */
function lines({ time, observed, listening }: Sample, owners: boolean): string {
  const unicode = showsUnicode();
  const told = observed.map((each) => connectionLine(each, { unicode, owners }));
  // What is said of one connection stands in its line.
  const rest = groupWarnings(observed, listening, unicode);
  const all = [
    ...(told.length > 0 ? told : ['no connections']),
    ...rest.map((sentence) => `warning: ${sentence}`),
  ];
  return all.map((line) => `${time.toISOString()} ${line}`).join('\n');
}

/** Prints again and again, as fast as it is read, until nobody reads any more. */
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
  // Before the terminal is taken: what fails at once is said in its place.
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
