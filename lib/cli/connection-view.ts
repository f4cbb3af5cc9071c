// What is remembered of connections from one sample to the next, and a screen full of them.

import type { Connection } from '../index';
import { counts, warnings } from './connection-summary';
import { byEnds, connectionTable, identity, type TableOptions } from './connection-table';
import type { Line } from './screen';
import { BARS, remember, sparkline } from './sparkline';
import type { Observed } from './suspicion';

/** One look at the connections of this system. */
export interface Sample {
  readonly time: Date;
  readonly observed: readonly Observed[];
  /** Sockets that listen, whether they are shown or not. */
  readonly listening: readonly Connection[];
  /** Connections that are only counted. */
  readonly leftOut: readonly Connection[];
}

interface Past {
  /** The number of the sample that had it first. */
  readonly since: number;
  /** Its last round-trip times, the newest at the end. */
  readonly roundTrips: (number | null)[];
}

/** Bars of a trend; no more round-trip times are kept. */
const TREND = 8;

/** Keys that scroll, and how: in lines, in screens, or to an end. */
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

export class ConnectionView {
  readonly #table: Omit<TableOptions, 'width' | 'trend'>;
  readonly #heading: string;
  readonly #keys: boolean;
  #past = new Map<string, Past>();
  #samples = 0;
  #sample: Sample | null = null;
  /** The first row that is shown, and how many were at last. */
  #top = 0;
  #page = 1;

  constructor(
    heading: string,
    { keys, ...table }: Omit<TableOptions, 'width' | 'trend'> & { readonly keys: boolean },
  ) {
    this.#heading = heading;
    this.#keys = keys;
    this.#table = table;
  }

  update(sample: Sample): void {
    // Made anew each time: what is gone is forgotten.
    const past = new Map<string, Past>();
    for (const { connection } of sample.observed) {
      const name = identity(connection);
      const { since, roundTrips } = this.#past.get(name) ?? {
        since: this.#samples,
        roundTrips: [],
      };
      const now = remember(roundTrips, connection.tcpInfo?.rtt ?? null, TREND);
      past.set(name, { since, roundTrips: now });
    }
    this.#past = past;
    this.#samples++;
    const since = ({ connection }: Observed) => past.get(identity(connection))?.since ?? 0;
    const observed = [...sample.observed].sort(
      (a, b) =>
        Number(b.suspicion !== null) - Number(a.suspicion !== null) ||
        since(b) - since(a) ||
        byEnds(a.connection, b.connection),
    );
    this.#sample = { ...sample, observed };
  }

  /** Whether the key scrolls. */
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
    const [titles = '', ...lines] = connectionTable(observed, {
      ...this.#table,
      width: columns,
      trend: (connection) =>
        sparkline(this.#past.get(identity(connection))?.roundTrips ?? [], TREND, bars),
    });

    // The connections come first: what is said about them takes a quarter at most.
    const sentences = warnings(observed, listening, this.#table.unicode);
    const room = Math.max(1, Math.floor(rows / 4) - 1);
    const told = sentences.slice(0, sentences.length > room ? room - 1 : room);
    const untold = sentences.length - told.length;
    const foot: Line[] = told.map((text) => ({ text: `! ${text}`, style: 'alarm' }));
    if (untold > 0) foot.push({ text: `! and ${untold} more warnings`, style: 'alarm' });
    if (foot.length > 0) foot.unshift({ text: '' });

    const head = 3;
    this.#page = Math.max(1, rows - head - foot.length);
    this.#top = Math.max(0, Math.min(this.#top, lines.length - this.#page));
    const shown = lines.slice(this.#top, this.#top + this.#page);
    const scrolls = lines.length > this.#page;
    const title = [
      this.#heading,
      time.toTimeString().slice(0, 8),
      ...(scrolls ? [`rows ${this.#top + 1}-${this.#top + shown.length} of ${lines.length}`] : []),
      this.#keys ? `q quits${scrolls ? ', arrows scroll' : ''}` : 'Ctrl-C quits',
    ];
    return [
      { text: title.join('  ') },
      { text: summary(observed, leftOut) },
      { text: titles.padEnd(columns), style: 'heading' },
      ...shown.map((text): Line => (text.startsWith('!') ? { text, style: 'alarm' } : { text })),
      // What comes last stays at the bottom, however many connections there are.
      ...Array<Line>(this.#page - shown.length).fill({ text: '' }),
      ...foot,
    ];
  }
}

/** What is shown, and what is not. */
export function summary(observed: readonly Observed[], leftOut: readonly Connection[]): string {
  const shown = counts(observed.map(({ connection }) => connection)) || 'no connections';
  return leftOut.length === 0 ? shown : `${shown}; left out: ${counts(leftOut)}`;
}
