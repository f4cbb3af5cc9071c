// The table that `connections --watch` updates in place: it remembers connections from one sample to the
// next, takes keys, and lays out the lines of a screen. It does not write to the terminal (view/screen.ts does).

import type { Connection } from '../../index';
import { isSelected, type Selection, type Survey } from '../selection';
import { emptyText, sourceNotes } from './closing-lines';
import { ConnectionDetail } from './connection-detail';
import {
  compareByEndpoints,
  orderBy,
  type SortKey,
  severityOf,
  severityRank,
} from './connection-order';
import { layOutTable, type TableOptions } from './connection-table';
import { formatLocal, formatRemote } from './connection-text';
import { formatStateCounts } from './connection-warnings';
import { HELP_LINES, LiveKeys } from './live-keys';
import type { Line } from './screen';
import { appendBounded, BARS, sparkline } from './sparkline';
import { wrap } from './text';

/** The connections of this system at one moment. */
export interface Sample {
  readonly time: Date;
  /** Those that are shown, in any order. */
  readonly shown: readonly Connection[];
  readonly survey: Survey;
  readonly selection: Selection;
}

interface History {
  /** The number of the first sample with this connection. */
  readonly firstSample: number;
  /** The last round-trip times, the newest at the end. */
  readonly roundTrips: (number | null)[];
}

/** The number of bars in TREND, and of round-trip times that are kept. */
const TREND_WIDTH = 8;

/** Lines above the rows: the title, the summary, the headings of the columns. */
const HEAD_LINES = 3;

/** A key that a connection keeps from one sample to the next. */
export function connectionKey(connection: Connection): string {
  return connection.cookie ?? `${formatLocal(connection)} ${formatRemote(connection)}`;
}

export interface LiveTableOptions extends Omit<TableOptions, 'width' | 'trend'> {
  readonly hasKeys: boolean;
  /** The column of `--sort`. */
  readonly sort?: SortKey | undefined;
}

export class LiveTable {
  readonly #table: LiveTableOptions;
  readonly #heading: string;
  readonly #keys = new LiveKeys();
  #histories = new Map<string, History>();
  #sampleCount = 0;
  #sample: Sample | null = null;
  /** The rows of the last sample that the keys select, in order. */
  #rows: readonly Connection[] = [];
  /** The connection with the cursor; the row where it was if it is gone. */
  #cursorKey: string | null = null;
  #cursor = 0;
  /** The index of the first visible row, and how many rows the last frame had room for. */
  #top = 0;
  #page = 1;
  #detail: ConnectionDetail | null = null;

  constructor(heading: string, options: LiveTableOptions) {
    this.#heading = heading;
    this.#table = options;
    this.#keys.sort = options.sort === 'problems' ? undefined : options.sort;
  }

  /** Whether the samples stop until a key continues them. */
  get isPaused(): boolean {
    return this.#keys.isPaused;
  }

  /** The connections that the arguments and the keys select. */
  narrow(selection: Selection): Selection {
    const { sort, text, problemsOnly } = this.#keys;
    return {
      ...selection,
      sort,
      text,
      problems: selection.problems ?? (problemsOnly ? 'marked' : null),
    };
  }

  update(sample: Sample): void {
    // A new map each time, so that connections that are gone are forgotten.
    const histories = new Map<string, History>();
    for (const connection of sample.shown) {
      const key = connectionKey(connection);
      const { firstSample, roundTrips } = this.#histories.get(key) ?? {
        firstSample: this.#sampleCount,
        roundTrips: [],
      };
      const rtt = connection.tcpInfo?.rtt ?? null;
      histories.set(key, {
        firstSample,
        roundTrips: appendBounded(roundTrips, rtt, TREND_WIDTH),
      });
    }
    this.#histories = histories;
    this.#sampleCount++;
    this.#sample = sample;
    const detail = this.#detail;
    detail?.update(
      sample.shown.find((connection) => connectionKey(connection) === detail.key),
      sample.time,
    );
    this.#arrange();
  }

  /** Takes a key of node:readline, and the text that it types; returns whether the screen changes. */
  press(name: string, text = ''): boolean {
    if (this.#detail !== null) {
      if (!['escape', 'q', 'backspace', 'left'].includes(name)) return false;
      this.#detail = null;
      return true;
    }
    const action = this.#keys.press(name, text, this.#page);
    if (action === undefined) return false;
    if (action === 'open') this.#open();
    else if (typeof action === 'number') this.#moveCursor(this.#cursor + action);
    this.#arrange();
    return true;
  }

  /** Takes a pasted text, which is only meant for the filter; returns whether the screen changes. */
  paste(text: string): boolean {
    if (this.#detail !== null || !this.#keys.paste(text)) return false;
    this.#arrange();
    return true;
  }

  /** The lines of a screen of this size. */
  frame(columns: number, rows: number): Line[] {
    if (this.#sample === null) return [];
    if (this.#keys.showsHelp) return HELP_LINES.map((text) => ({ text }));
    if (this.#detail !== null) return this.#detail.frame(columns, rows, this.#table);
    const { survey, selection } = this.#sample;
    const bars = this.#table.unicode ? BARS.unicode : BARS.ascii;
    const { titles, line } = layOutTable(this.#rows, {
      ...this.#table,
      width: columns,
      trend: (connection) => {
        const history = this.#histories.get(connectionKey(connection));
        return sparkline(history?.roundTrips ?? [], TREND_WIDTH, bars);
      },
    });
    const sentences = survey.warnings
      .sentences(this.#table.unicode)
      .map((text): Line => ({ text: `! ${text}`, style: 'warning' }));
    const notes = [
      ...survey.warnings.hints(this.#table.unicode),
      ...sourceNotes(selection, survey),
    ].map((text): Line => ({ text }));
    // A quarter of the screen, because the connections matter more; and the rows that they leave free.
    const room = Math.max(Math.floor(rows / 4) - 1, rows - HEAD_LINES - this.#rows.length - 1, 1);
    const warnings = warningLines([...sentences, ...notes], columns, room);

    this.#page = Math.max(1, rows - HEAD_LINES - warnings.length);
    this.#scrollToCursor();
    const shown = this.#rows.slice(this.#top, this.#top + this.#page);
    return [
      { text: this.#title(shown.length) },
      { text: formatSummary(selection, survey) },
      { text: titles.padEnd(columns), style: 'heading' },
      ...shown.map((connection, index): Line => {
        const hasCursor = this.#table.hasKeys && this.#top + index === this.#cursor;
        const text = line(connection);
        if (hasCursor) return { text: text.padEnd(columns), style: 'cursor' };
        const severity = severityOf(connection);
        return severity === null ? { text } : { text, style: severity };
      }),
      // Empty lines keep the warnings at the bottom when there are few connections.
      ...Array<Line>(this.#page - shown.length).fill({ text: '' }),
      ...warnings,
    ];
  }

  /** Selects and orders the rows of the sample by the keys. */
  #arrange(): void {
    const { sort, text, problemsOnly } = this.#keys;
    const selection = { problems: problemsOnly ? ('marked' as const) : null, text };
    const rows = (this.#sample?.shown ?? []).filter((one) => isSelected(one, selection));
    const firstSample = (connection: Connection) =>
      this.#histories.get(connectionKey(connection))?.firstSample ?? 0;
    this.#rows = rows.sort(
      sort === undefined
        ? (a, b) =>
            severityRank(a) - severityRank(b) ||
            firstSample(b) - firstSample(a) ||
            compareByEndpoints(a, b)
        : orderBy(sort),
    );
    const found = rows.findIndex((connection) => connectionKey(connection) === this.#cursorKey);
    // The cursor stays on the first row until it is moved.
    if (this.#cursorKey !== null) this.#moveCursor(found < 0 ? this.#cursor : found);
  }

  #moveCursor(to: number): void {
    this.#cursor = Math.max(0, Math.min(to, this.#rows.length - 1));
    const connection = this.#rows[this.#cursor];
    const isAtStart = this.#cursor === 0;
    this.#cursorKey = isAtStart || connection === undefined ? null : connectionKey(connection);
  }

  #scrollToCursor(): void {
    const last = this.#rows.length - this.#page;
    const least = this.#cursor - this.#page + 1;
    this.#top = Math.max(0, Math.min(Math.max(this.#top, least), this.#cursor, last));
  }

  #open(): void {
    const connection = this.#rows[this.#cursor];
    if (connection === undefined || this.#sample === null) return;
    this.#detail = new ConnectionDetail(connectionKey(connection));
    this.#detail.update(connection, this.#sample.time);
  }

  #title(shown: number): string {
    const { sort, text, problemsOnly, isPaused, isTyping } = this.#keys;
    if (isTyping) return `filter: ${text}_  Enter keeps it, Esc drops the change`;
    const { time, survey } = this.#sample as Sample;
    const all = this.#rows.length;
    const isCut = text === '' && !problemsOnly && survey.count > all;
    const scrolls = all > this.#page;
    return [
      this.#heading,
      time.toTimeString().slice(0, 8),
      ...(isPaused ? ['PAUSED'] : []),
      ...(sort === undefined ? [] : [`by ${sort}`]),
      ...(problemsOnly ? ['problems only'] : []),
      ...(text === '' ? [] : [`filter: ${text}`]),
      ...(scrolls || isCut
        ? [
            `rows ${this.#top + 1}-${this.#top + shown} of ${isCut ? `${all} of ` : ''}${isCut ? survey.count : all}`,
          ]
        : []),
      this.#table.hasKeys ? 'q quits, ? keys' : 'Ctrl-C quits',
    ].join('  ');
  }
}

/** The warnings below the table, in at most `room` lines. */
function warningLines(sentences: readonly Line[], columns: number, room: number): Line[] {
  const wrapped = sentences.map(({ text, style }) =>
    wrap(text, columns)
      .split('\n')
      .map((line): Line => (style === undefined ? { text: line } : { text: line, style })),
  );
  const shown = fitting(wrapped, room);
  const rest = sentences.slice(shown.length);
  if (rest.length === 0) return shown.length === 0 ? [] : [{ text: '' }, ...shown.flat()];
  const isWarning = rest.some(({ style }) => style === 'warning');
  const more: Line = isWarning
    ? { text: `! and ${rest.length} more warnings`, style: 'warning' }
    : { text: `and ${rest.length} more notes` };
  return [{ text: '' }, ...shown.flat(), more];
}

/** Those that fit into `room` lines: all, or the first ones and a line for the rest. */
function fitting(sentences: readonly Line[][], room: number): readonly Line[][] {
  if (sentences.flat().length <= room) return sentences;
  let used = 1;
  const count = sentences.findIndex((lines) => {
    used += lines.length;
    return used > room;
  });
  return sentences.slice(0, count);
}

/** How many connections are selected, and how many are left out, by state. */
function formatSummary(selection: Selection, survey: Survey): string {
  const { selected, leftOut } = survey;
  const shown = formatStateCounts(selected);
  const rest = leftOut.size === 0 ? '' : `left out: ${formatStateCounts(leftOut)}`;
  if (shown === '') return `${emptyText(selection, survey)} ${rest}`.trimEnd();
  return rest === '' ? shown : `${shown}; ${rest}`;
}
