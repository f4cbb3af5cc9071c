// socket-options connections: lists the TCP connections of this system, once or repeatedly.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../index';
import { choiceOf } from '../arguments';
import { write } from '../output';
import { orderOf, readSelected, readShown, type Selection, Survey } from '../selection';
import { type Given, parseInterval, parseSelection } from '../selection-arguments';
import { Top } from '../top';
import { closingLines, emptyText, sourceNotes } from '../view/closing-lines';
import { severityOf } from '../view/connection-order';
import { layOutTable, type TableLayout } from '../view/connection-table';
import { formatConnection } from '../view/connection-text';
import { formatGroupTable, GROUP_KEYS, type GroupKey, Groups } from '../view/group-table';
import { LiveTable, type Sample } from '../view/live-table';
import { canShowScreen, Screen } from '../view/screen';
import { showsColours, styled } from '../view/style';
import { supportsUnicode, toJson, wrap } from '../view/text';

export { choices, lists, options } from '../selection-arguments';

export const summary = 'list the TCP connections here; mark those with a problem';

/** Options that may come without a value. */
export const optionalValues = ['problems'] as const;

export const help = `Usage: socket-options connections [options]

Lists the TCP connections of this system (on Linux: of this network namespace):
when the peer last answered, the round-trip time, retransmissions, queues, what
the kernel does next, and what is wrong. Sockets in LISTEN and TIME-WAIT are
only counted, unless you ask for them.

Which connections:
  --problems [names]    only those with a problem that is critical or a warning,
                        or only with these problems, separated by commas:
                        half-open, handshake-unanswered, accept-queue-full,
                        close-wait, window-closed, unread, lossy-path,
                        no-keepalive. An error if this system shows none of them
  --no-keepalive        only those whose keepalive is off. While data is in
                        flight, Linux does not report it
  --state <names>       only these states, separated by commas; the names of
                        ss(8), netstat(8) and the RFC are known (FIN_WAIT1)
  --all                 all states, also LISTEN and TIME-WAIT
  --port <numbers>      only connections with one of these ports at either end
  --local <addresses>   only these local addresses or prefixes: 10.0.0.0/8
  --peer <addresses>    only these addresses or prefixes of the peer. An IPv4
                        address also matches ::ffff:192.0.2.7
  --remote <addresses>  the same as --peer

An option with a list may be repeated: any of the values matches. Different
options must all match.

How they are shown:
  --sort <column>       problems, alive, rtt, retrans, unread, unacked,
                        received, sent, state or peer: the worst or greatest
                        first (default: problems; more than 2000 connections
                        come as they are read)
  --limit <n>           only the first n: 1 to 1000000
  --group-by <what>     one line for each peer (its address), state or process,
                        with counts, problems, the longest silence of a peer,
                        the median round-trip time and the queues. Not with
                        --watch
  --process             show which processes hold a connection; processes of
                        other users are visible to root only
  --watch               repeat; on a terminal, update the table in place
  --interval <seconds>  the time between two samples of --watch: 0.1 to 86400
                        (default: 1)
  --json                print one array, a connection or group a line, with all
                        fields; with --watch, one line { time, connections } per
                        sample. Times are in milliseconds. null: the system does
                        not report the value
  --fail-on-problems    exit with 3 if a selected connection has a problem that
                        is critical or a warning. Not with --watch

Columns (empty columns are left out; on a narrow terminal, others are shortened
or left out too, the peer, ALIVE and TIMER last):
  !         a problem that is critical or a warning; the reason is below
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

Below the table: the reason for each mark; programs with three or more
connections in CLOSE-WAIT (the peer has closed them, the program has not),
without a mark if it is less than 60 s ago; full accept queues; the number of
connections by state. What the system does not report is there, too; with --json
it is on stderr.

Keys of --watch: ? shows them all; q or Ctrl-C quits. If the output is not a
terminal, or TERM is dumb, --watch prints one line per connection and sample.
Set NO_COLOR to switch off colours.

Where Linux refuses netlink (gVisor, some containers), the list comes from
/proc/net/tcp, without ALIVE, RTT, retransmission totals and bytes, and without
the problems that follow from them.

Examples:
  socket-options connections --problems
  socket-options connections --group-by peer
  socket-options connections --port 5432,6432 --process --sort alive --limit 20
  socket-options connections --state close-wait --local 10.0.0.0/8
  socket-options connections --watch --json --peer 192.0.2.7 >> log
  socket-options connections --fail-on-problems --problems half-open >&2

Exit codes: 0 success, 1 the connections could not be listed or the problems not
be found here, 2 wrong arguments, 3 --fail-on-problems and a problem.
`;

export async function run(given: Given): Promise<void> {
  const selection = parseSelection(given);
  const groupKey = given['group-by'];
  const key = groupKey === undefined ? null : choiceOf('--group-by', groupKey, GROUP_KEYS);
  if (given.watch) return watch(selection, given, parseInterval(given.interval));
  const survey = new Survey();
  if (key !== null) await printGroups(selection, survey, key, given);
  else if (given.json) await printJson(selection, survey);
  else await printTable(selection, survey, given.process === true);
  if (given['fail-on-problems'] && survey.hasProblems) process.exitCode = EXIT_PROBLEMS;
}

/** The exit code of `--fail-on-problems`. */
const EXIT_PROBLEMS = 3;

/** The width of a table: that of the terminal, if there is one. */
const tableWidth = () => process.stdout.columns || Infinity;

/** A table, a sentence for each problem, and the number of connections by state. */
async function printTable(selection: Selection, survey: Survey, owners: boolean): Promise<void> {
  const unicode = supportsUnicode();
  const isColoured = showsColours();
  let layout: TableLayout | undefined;
  for await (const { connections, isComplete } of readShown(selection, survey)) {
    if (connections.length === 0) continue;
    const isFirst = layout === undefined;
    layout ??= layOutTable(connections, { width: tableWidth(), unicode, owners }, isComplete);
    const { titles, line } = layout;
    const lines = connections.map((each) => styled(line(each), severityOf(each), isColoured));
    if (!(await write(`${[...(isFirst ? [titles] : []), ...lines].join('\n')}\n`))) return;
  }
  const closing = closingLines(selection, survey, unicode);
  const empty = layout === undefined ? `${wrap(emptyText(selection, survey))}\n` : '';
  const noRoom = layout?.leavesOutProcesses ? `\n${wrap(NO_ROOM)}\n` : '';
  await write(`${empty}${noRoom}${closing}`);
}

const NO_ROOM = 'The terminal has no room for PROCESS: make it wider, or use --group-by process.';

/** One array, with a line for each connection. */
async function printJson(selection: Selection, survey: Survey): Promise<void> {
  let separator = '[\n';
  for await (const { connections } of readShown(selection, survey)) {
    if (connections.length === 0) continue;
    const text = connections.map((each) => toJson(each)).join(',\n');
    if (!(await write(`${separator}${text}`))) return;
    separator = ',\n';
  }
  await write(separator === '[\n' ? '[]\n' : '\n]\n');
  printNotes(selection, survey);
}

/** Not into the JSON, which has null for what is missing. */
function printNotes(selection: Selection, survey: Survey): void {
  for (const note of sourceNotes(selection, survey)) {
    process.stderr.write(`socket-options: ${note}\n`);
  }
}

async function printGroups(
  selection: Selection,
  survey: Survey,
  key: GroupKey,
  { json }: Given,
): Promise<void> {
  const groups = new Groups(key);
  for await (const connections of readSelected(selection, survey)) {
    for (const connection of connections) groups.add(connection);
  }
  const shown = groups.list(selection.sort).slice(0, selection.limit);
  if (json) {
    const lines = shown.map((group) => toJson(group));
    await write(lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`);
    printNotes(selection, survey);
    return;
  }
  const unicode = supportsUnicode();
  const [titles = '', ...lines] = formatGroupTable(shown, key, { width: tableWidth(), unicode });
  const isColoured = showsColours();
  const coloured = lines.map((line) =>
    styled(line, line.startsWith('!') ? 'warning' : null, isColoured),
  );
  const table =
    shown.length === 0 ? wrap(emptyText(selection, survey)) : [titles, ...coloured].join('\n');
  await write(`${table}\n${closingLines({ ...selection, limit: Infinity }, survey, unicode)}`);
}

async function watch(selection: Selection, given: Given, interval: number): Promise<void> {
  const owners = given.process === true;
  if (given.json) return repeat((survey) => printJsonLine(selection, survey), selection, interval);
  if (!canShowScreen()) {
    return repeat((survey) => printLines(selection, owners, survey), selection, interval);
  }
  return showRepeatedly(selection, owners, interval);
}

/** Prints one sample per interval, but no faster than it is read, until the reader closes the pipe. */
async function repeat(
  printSample: (survey: Survey) => Promise<boolean>,
  selection: Selection,
  interval: number,
): Promise<void> {
  for (let isFirst = true; ; isFirst = false) {
    const survey = new Survey();
    if (!(await printSample(survey))) return;
    if (isFirst) printNotes(selection, survey);
    await sleep(interval);
  }
}

async function printJsonLine(selection: Selection, survey: Survey): Promise<boolean> {
  let text = `{"time":${toJson(new Date())},"connections":[`;
  let separator = '';
  for await (const { connections } of readShown(selection, survey)) {
    for (const connection of connections) {
      text += `${separator}${toJson(connection)}`;
      separator = ',';
    }
    if (!(await write(text))) return false;
    text = '';
  }
  return write(`${text}]}\n`);
}

/** For a file or a pipe: a line for each connection and each warning, with the time in front. */
async function printLines(selection: Selection, owners: boolean, survey: Survey): Promise<boolean> {
  const unicode = supportsUnicode();
  const time = new Date().toISOString();
  const print = (lines: readonly string[]) =>
    write(lines.map((line) => `${time} ${line}\n`).join(''));
  for await (const { connections } of readShown(selection, survey)) {
    const lines = connections.map((each) => formatConnection(each, { unicode, owners }));
    if (!(await print(lines))) return false;
  }
  // The line of a connection contains the problems that it has.
  const { warnings } = survey;
  return print([
    ...(survey.count === 0 ? [emptyText(selection, survey)] : []),
    ...warnings.groupSentences(unicode).map((sentence) => `warning: ${sentence}`),
    ...warnings.hints(unicode).map((sentence) => `note: ${sentence}`),
  ]);
}

/** How many connections the table of a terminal keeps: the first in its order. Others are only counted. */
const KEPT = 1_000;
/** A first sample that takes longer than this, in ms, is shown before it is complete. */
const FIRST_ROWS_AFTER = 150;

async function takeSample(
  selection: Selection,
  onPart?: (sample: Sample) => void,
): Promise<Sample> {
  const survey = new Survey();
  const limit = Math.min(selection.limit, KEPT);
  const top = new Top<Connection>(limit, orderOf(selection));
  const time = new Date();
  const sample = () => ({ time, survey, selection, shown: [...top.sorted()] });
  const start = performance.now();
  let isShown = onPart === undefined;
  for await (const connections of readSelected(selection, survey)) {
    for (const connection of connections) top.add(connection);
    if (isShown || performance.now() - start < FIRST_ROWS_AFTER) continue;
    isShown = true;
    onPart?.(sample());
  }
  return sample();
}

/** Updates a table on the terminal in place, until a key or a signal ends it. */
async function showRepeatedly(
  selection: Selection,
  owners: boolean,
  interval: number,
): Promise<void> {
  const heading = `connections every ${interval / 1_000} s`;
  const hasKeys = process.stdin.isTTY === true;
  const { sort } = selection;
  const table = new LiveTable(heading, { unicode: supportsUnicode(), owners, hasKeys, sort });
  let screen: Screen | undefined;
  const show = () => screen?.show(table.frame(screen.columns, screen.rows));
  const showSample = (sample: Sample) => {
    table.update(sample);
    // The screen opens with the first rows: an error before them is printed on the normal terminal.
    screen ??= new Screen({ key: press, paste, resize: show });
    show();
  };
  function press(name: string, text: string): boolean {
    const isKnown = table.press(name, text);
    if (isKnown) show();
    return isKnown;
  }
  function paste(text: string): void {
    if (table.paste(text)) show();
  }
  try {
    showSample(await takeSample(selection, showSample));
    for (;;) {
      await sleep(interval, undefined, { signal: screen?.ended }).catch(() => {});
      if (screen?.ended.aborted) return;
      if (table.isPaused) continue;
      const sample = await takeSample(table.narrow(selection));
      // A key may have paused the table meanwhile.
      if (!table.isPaused) showSample(sample);
    }
  } finally {
    await screen?.close();
  }
}
