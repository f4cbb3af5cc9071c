// The table that `connections --watch` updates in place: it remembers connections from one sample to the
// next, and lays out the lines of a screen. It does not write to the terminal (view/screen.ts does).

import type { Connection } from '../../index';
import type { Observed } from '../suspicion';
import {
  compareByEndpoints,
  connectionKey,
  formatConnectionTable,
  type TableOptions,
} from './connection-table';
import { connectionWarnings, formatStateCounts } from './connection-warnings';
import type { Line } from './screen';
import { appendBounded, BARS, sparkline } from './sparkline';

/** The connections of this system at one moment. */
export interface Sample {
  readonly time: Date;
  readonly observed: readonly Observed[];
  /** Sockets in LISTEN, whether they are shown or not. */
  readonly listening: readonly Connection[];
  /** Connections that are only counted. */
  readonly leftOut: readonly Connection[];
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

/** How many lines each key scrolls, given the number of rows on a page. */
const SCROLL: Readonly<Record<string, (page: number) => number>> = {
  up: () => -1,
  k: () => -1,
  down: () => 1,
  j: () => 1,
  pageup: (page) => -page,
  pagedown: (page) => page,
  home: () => -Infinity,
  end: () => Infinity,
};

export class LiveTable {
  readonly #table: Omit<TableOptions, 'width' | 'trend'>;
  readonly #heading: string;
  readonly #hasKeys: boolean;
  #histories = new Map<string, History>();
  #sampleCount = 0;
  #sample: Sample | null = null;
  /** The index of the first visible row, and how many rows the last frame had room for. */
  #top = 0;
  #page = 1;

  constructor(
    heading: string,
    { hasKeys, ...table }: Omit<TableOptions, 'width' | 'trend'> & { readonly hasKeys: boolean },
  ) {
    this.#heading = heading;
    this.#hasKeys = hasKeys;
    this.#table = table;
  }

  update(sample: Sample): void {
    // A new map each time, so that connections that are gone are forgotten.
    const histories = new Map<string, History>();
    for (const { connection } of sample.observed) {
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
    const firstSample = ({ connection }: Observed) =>
      histories.get(connectionKey(connection))?.firstSample ?? 0;
    const observed = [...sample.observed].sort(
      (a, b) =>
        Number(b.suspicion !== null) - Number(a.suspicion !== null) ||
        firstSample(b) - firstSample(a) ||
        compareByEndpoints(a.connection, b.connection),
    );
    this.#sample = { ...sample, observed };
  }

  /** Scrolls, if that is what the key does; returns whether it is. */
  press(key: string): boolean {
    if (!Object.hasOwn(SCROLL, key)) return false;
    this.#top = Math.max(0, this.#top + (SCROLL[key]?.(this.#page) ?? 0));
    return true;
  }

  /** The lines of a screen of this size. */
  frame(columns: number, rows: number): Line[] {
    if (this.#sample === null) return [];
    const { time, observed, listening, leftOut } = this.#sample;
    const bars = this.#table.unicode ? BARS.unicode : BARS.ascii;
    const [titles = '', ...lines] = formatConnectionTable(observed, {
      ...this.#table,
      width: columns,
      trend: (connection) => {
        const history = this.#histories.get(connectionKey(connection));
        return sparkline(history?.roundTrips ?? [], TREND_WIDTH, bars);
      },
    });
    const warnings = warningLines(
      connectionWarnings(observed, listening, this.#table.unicode),
      rows,
    );

    this.#page = Math.max(1, rows - HEAD_LINES - warnings.length);
    this.#top = Math.max(0, Math.min(this.#top, lines.length - this.#page));
    const shown = lines.slice(this.#top, this.#top + this.#page);
    const scrolls = lines.length > this.#page;
    const title = [
      this.#heading,
      time.toTimeString().slice(0, 8),
      ...(scrolls ? [`rows ${this.#top + 1}-${this.#top + shown.length} of ${lines.length}`] : []),
      this.#hasKeys ? `q quits${scrolls ? ', arrows scroll' : ''}` : 'Ctrl-C quits',
    ];
    return [
      { text: title.join('  ') },
      { text: formatSummary(observed, leftOut) },
      { text: titles.padEnd(columns), style: 'heading' },
      ...shown.map((text): Line => (text.startsWith('!') ? { text, style: 'alarm' } : { text })),
      // Empty lines keep the warnings at the bottom when there are few connections.
      ...Array<Line>(this.#page - shown.length).fill({ text: '' }),
      ...warnings,
    ];
  }
}

/** The warnings below the table: at most a quarter of the screen, because the connections matter more. */
function warningLines(sentences: readonly string[], rows: number): Line[] {
  if (sentences.length === 0) return [];
  const room = Math.max(1, Math.floor(rows / 4) - 1);
  const shown = sentences.slice(0, sentences.length > room ? room - 1 : room);
  const lines: Line[] = shown.map((text) => ({ text: `! ${text}`, style: 'alarm' }));
  const rest = sentences.length - shown.length;
  if (rest > 0) lines.push({ text: `! and ${rest} more warnings`, style: 'alarm' });
  return [{ text: '' }, ...lines];
}

/** How many connections the table shows, and how many it leaves out, by state. */
function formatSummary(observed: readonly Observed[], leftOut: readonly Connection[]): string {
  const shown = formatStateCounts(observed.map(({ connection }) => connection)) || 'no connections';
  return leftOut.length === 0 ? shown : `${shown}; left out: ${formatStateCounts(leftOut)}`;
}
