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
export { help } from './connections-help';

export const summary = 'list the TCP connections here; mark those with a problem';

/** Options that may come without a value. */
export const optionalValues = ['problems'] as const;

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
  // The line of a connection contains the problems that it has. A log of problems is empty if there are none.
  const { warnings } = survey;
  const isEmpty = survey.count === 0 && selection.problems === null;
  return print([
    ...(isEmpty ? [emptyText(selection, survey)] : []),
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
