// socket-options connections: lists the TCP connections of this system, once or repeatedly.

import { isIPv4, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { findState } from '../../connections/state-names';
import {
  type Connection,
  type ConnectionFilter,
  listConnections,
  type TcpState,
  tcpStates,
} from '../../index';
import { checkedBy, numberOf, unknownName } from '../arguments';
import { type Result, UsageError, type Values } from '../command';
import { observe } from '../suspicion';
import { compareBySuspicion, formatConnectionTable } from '../view/connection-table';
import { formatConnection } from '../view/connection-text';
import { connectionWarnings, formatStateCounts, groupWarnings } from '../view/connection-warnings';
import { LiveTable, type Sample } from '../view/live-table';
import { canShowScreen, Screen } from '../view/screen';
import { supportsUnicode, toJson, wrap } from '../view/text';

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
  --interval <seconds>  the time between two samples of --watch: 0.1 to 86400
                        (default: 1)
  --json                print one array with all fields; with --watch, one line
                        { time, connections } per sample. Times are in
                        milliseconds. null: the system does not report the value

Columns (empty columns are left out; on a narrow terminal, others are shortened
or left out too):
  !         a suspect: the peer may be gone; the reason is below the table
  ALIVE     time since the peer last sent data or an acknowledgement
  RTT       smoothed round-trip time; --watch draws the last eight as TREND
  RETRANS   retransmissions in a row now / since the connection was made
  UNREAD    bytes that the program here has not read
  UNACKED   bytes that the peer has not acknowledged, unsent bytes included
  RECEIVED  bytes received since the connection was made; SENT: bytes sent
  TIMER     what the kernel does next, and when:
    off                       nothing: keepalive is off
    first probe in 12 s       keepalive is on and sends its first probe
    probe 2 in 0.4 s          one probe is unanswered. The kernel sends the next
                              one, or closes the connection if no more are
                              allowed (it does not report the limit)
    ACK due in 0.2 s          data is in flight; without an ACK it is sent again
    retransmission 3 in 1.6 s two retransmissions are unanswered. Keepalive does
                              not run meanwhile
    window probe 1 in 0.2 s   the peer's program does not read, so its window
                              is closed; the kernel asks whether it has opened
    removed in 42 s           the connection is closed; the kernel forgets it

Below the table: the reason for each suspect; programs with three or more
connections in CLOSE-WAIT (the peer has closed them, the program has not); full
accept queues.

Keys of --watch: q or Ctrl-C quits; arrows, j, k, PgUp, PgDn, Home, End scroll;
Ctrl-Z suspends until fg. If the output is not a terminal, or TERM is dumb,
--watch prints one line per connection and sample. Set NO_COLOR to switch off
colours.

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

/** The connections that the arguments select. */
interface Selection {
  readonly filter: ConnectionFilter;
  /** Connections in these states are only counted. */
  readonly hiddenStates: readonly TcpState[];
}

export function run(given: Given): Result | Promise<void> {
  const selection = parseSelection(given);
  const owners = given.process === true;
  if (given.watch) {
    const interval = parseInterval(given.interval);
    if (given.json) return printRepeatedly(() => formatJsonLine(takeSample(selection)), interval);
    if (!canShowScreen()) {
      return printRepeatedly(() => formatLines(takeSample(selection), owners), interval);
    }
    return showRepeatedly(selection, owners, interval);
  }
  if (given.interval !== undefined) throw new UsageError('--interval needs --watch');
  const sample = takeSample(selection);
  const output = given.json
    ? toJson(
        sample.observed.map(({ connection }) => connection),
        2,
      )
    : formatText(sample, owners);
  return { output, complete: true };
}

function parseSelection({ state, all, port, local, remote, process }: Given): Selection {
  if (state && all) throw new UsageError('--all and --state cannot be used together');
  return {
    filter: {
      state: state && parseStates(state),
      port: port && parsePorts(port),
      localAddress: local === undefined ? undefined : parseAddress('--local', local),
      remoteAddress: remote === undefined ? undefined : parseAddress('--remote', remote),
      tcpInfo: true,
      owners: process,
    },
    hiddenStates: state || all ? [] : ['LISTEN', 'TIME-WAIT'],
  };
}

const splitLists = (texts: readonly string[]) => texts.flatMap((text) => text.split(','));

function parseStates(texts: readonly string[]): TcpState[] {
  return splitLists(texts).map((name) => {
    const state = findState(name);
    if (state === undefined) throw unknownName('state', name, tcpStates);
    return state;
  });
}

const parsePorts = (texts: readonly string[]) =>
  splitLists(texts).map((text) => numberOf('--port', text, [1, 65_535], 'whole number'));

function parseAddress(option: string, text: string): string {
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

/** The interval in milliseconds. */
const parseInterval = (text = '1') =>
  numberOf('--interval', text, [0.1, 86_400], 'number of seconds') * 1_000;

function takeSample({ filter, hiddenStates }: Selection): Sample {
  const time = new Date();
  const all = checkedBy(() => listConnections(filter));
  const isHidden = ({ state }: Connection) => hiddenStates.includes(state);
  return {
    time,
    observed: all
      .filter((connection) => !isHidden(connection))
      .map(observe)
      .sort(compareBySuspicion),
    listening: all.filter(({ state }) => state === 'LISTEN'),
    leftOut: all.filter(isHidden),
  };
}

/** A table, a sentence for each problem, and the number of connections that are not shown. */
function formatText({ observed, listening, leftOut }: Sample, owners: boolean): string {
  const unicode = supportsUnicode();
  const width = process.stdout.columns || Infinity;
  const sentences = connectionWarnings(observed, listening, unicode).map((text) =>
    wrap(`! ${text}`),
  );
  const parts = [
    observed.length === 0
      ? 'No connections.'
      : formatConnectionTable(observed, { width, unicode, owners }).join('\n'),
    ...(sentences.length > 0 ? [sentences.join('\n')] : []),
    ...(leftOut.length > 0
      ? [wrap(`Left out: ${formatStateCounts(leftOut)} (--all shows them).`)]
      : []),
  ];
  return parts.join('\n\n');
}

function formatJsonLine({ time, observed }: Sample): string {
  return toJson({ time, connections: observed.map(({ connection }) => connection) });
}

/** For a file or a pipe: a line for each connection and each warning, with the time in front. */
function formatLines({ time, observed, listening }: Sample, owners: boolean): string {
  const unicode = supportsUnicode();
  const connections = observed.map((each) => formatConnection(each, { unicode, owners }));
  // The line of a connection contains the warning about it.
  const warnings = groupWarnings(observed, listening, unicode);
  const lines = [
    ...(connections.length > 0 ? connections : ['no connections']),
    ...warnings.map((sentence) => `warning: ${sentence}`),
  ];
  return lines.map((line) => `${time.toISOString()} ${line}`).join('\n');
}

/** Prints one sample per interval, but no faster than it is read, until the reader closes the pipe. */
async function printRepeatedly(nextOutput: () => string, interval: number): Promise<void> {
  for (;;) {
    const output = `${nextOutput()}\n`;
    const error = await new Promise((resolve) => process.stdout.write(output, resolve));
    if (error) return;
    await sleep(interval);
  }
}

/** Updates a table on the terminal in place, until a key or a signal ends it. */
async function showRepeatedly(
  selection: Selection,
  owners: boolean,
  interval: number,
): Promise<void> {
  const unicode = supportsUnicode();
  // The first sample comes before the screen: its error is printed on the normal terminal.
  const first = takeSample(selection);
  const screen = new Screen({
    key: (name) => table.press(name) && show(),
    resize: () => show(),
  });
  const heading = `connections every ${interval / 1_000} s`;
  const table = new LiveTable(heading, { unicode, owners, hasKeys: screen.hasKeys });
  const show = () => screen.show(table.frame(screen.columns, screen.rows));
  try {
    table.update(first);
    show();
    for (;;) {
      await sleep(interval, undefined, { signal: screen.ended }).catch(() => {});
      if (screen.ended.aborted) return;
      table.update(takeSample(selection));
      show();
    }
  } finally {
    await screen.close();
  }
}
