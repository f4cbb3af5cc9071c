// Connections in groups: what is counted for each, and the table with a line for each group.

import { problemCodes, silenceOf, unreadBytesOf } from '../../connections/problems';
import { formatAge } from '../../core/text';
import { type Connection, type ProblemCode, type TcpState, tcpStates } from '../../index';
import { type SortKey, severityOf } from './connection-order';
import { formatAmount, formatProcesses, withoutMapping } from './connection-text';
import { formatStateCounts } from './connection-warnings';
import { formatLatency, formatTable, toPrintable, truncate, truncateMiddle } from './text';

/** The values of `--group-by`. */
export const GROUP_KEYS = ['peer', 'state', 'process'] as const;
export type GroupKey = (typeof GROUP_KEYS)[number];

/** What is known of the connections of a group. Times are in milliseconds. `null`: not known of any. */
export interface Group {
  readonly group: string;
  readonly connections: number;
  readonly states: Readonly<Partial<Record<TcpState, number>>>;
  /** How many connections have each problem. */
  readonly problems: Readonly<Partial<Record<ProblemCode, number>>>;
  /** How many connections have a problem that is critical or a warning. */
  readonly marked: number;
  /** The longest time since a peer last sent data or an acknowledgement. */
  readonly worstSilence: number | null;
  readonly medianRtt: number | null;
  readonly unread: number | null;
  readonly unacked: number | null;
}

function nameOf(connection: Connection, key: GroupKey): string {
  if (key === 'peer') return withoutMapping(connection.remoteAddress);
  if (key === 'state') return connection.state;
  if (connection.owners === null) return '(not known)';
  return connection.owners.length === 0 ? '(none)' : formatProcesses(connection);
}

/** Counts connections one by one, and keeps none. */
export class Groups {
  readonly #key: GroupKey;
  readonly #groups = new Map<string, GroupCounts>();

  constructor(key: GroupKey) {
    this.#key = key;
  }

  add(connection: Connection): void {
    const name = nameOf(connection, this.#key);
    let counts = this.#groups.get(name);
    if (counts === undefined) {
      counts = new GroupCounts(name);
      this.#groups.set(name, counts);
    }
    counts.add(connection);
  }

  /** Returns the groups, sorted. The larger one comes first if the column is equal. */
  list(sort: SortKey = 'problems'): Group[] {
    const order = isGroupSort(sort) ? ORDERS[sort] : ORDERS.problems;
    return [...this.#groups.values()]
      .map((counts) => counts.group())
      .sort((a, b) => order(a, b) || b.connections - a.connections || compareNames(a, b));
  }
}

const compareNames = (a: Group, b: Group) => (a.group < b.group ? -1 : Number(a.group > b.group));

/** The greatest first; groups without this number last. */
function descending(name: 'marked' | 'worstSilence' | 'medianRtt' | 'unread' | 'unacked') {
  return (a: Group, b: Group) => (b[name] ?? -1) - (a[name] ?? -1);
}

const ORDERS = {
  problems: descending('marked'),
  alive: descending('worstSilence'),
  rtt: descending('medianRtt'),
  unread: descending('unread'),
  unacked: descending('unacked'),
  peer: compareNames,
} as const;

/** Whether groups can be sorted by a column. */
export const isGroupSort = (key: SortKey): key is keyof typeof ORDERS => Object.hasOwn(ORDERS, key);

class GroupCounts {
  readonly #name: string;
  readonly #states = new Map<TcpState, number>();
  readonly #problems = new Map<ProblemCode, number>();
  readonly #rtts: number[] = [];
  #connections = 0;
  #marked = 0;
  #worstSilence: number | null = null;
  #unread: number | null = null;
  #unacked: number | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  add(connection: Connection): void {
    const { state, tcpInfo, sendQueue } = connection;
    const unread = unreadBytesOf(connection);
    this.#connections++;
    this.#states.set(state, (this.#states.get(state) ?? 0) + 1);
    for (const { problem } of connection.problems ?? []) {
      this.#problems.set(problem, (this.#problems.get(problem) ?? 0) + 1);
    }
    if (severityOf(connection) !== null) this.#marked++;
    // The queues of a listening socket count connections.
    if (state === 'LISTEN') return;
    const silence = silenceOf(connection);
    if (silence !== null) this.#worstSilence = Math.max(this.#worstSilence ?? 0, silence);
    if (tcpInfo !== null && tcpInfo.rtt !== null) this.#rtts.push(tcpInfo.rtt);
    if (unread !== null) this.#unread = (this.#unread ?? 0) + unread;
    if (sendQueue !== null) this.#unacked = (this.#unacked ?? 0) + sendQueue;
  }

  group(): Group {
    const states = tcpStates.filter((state) => this.#states.has(state));
    const problems = problemCodes.filter((code) => this.#problems.has(code));
    return {
      group: this.#name,
      connections: this.#connections,
      states: Object.fromEntries(states.map((state) => [state, this.#states.get(state)])),
      problems: Object.fromEntries(problems.map((code) => [code, this.#problems.get(code)])),
      marked: this.#marked,
      worstSilence: this.#worstSilence,
      medianRtt: median(this.#rtts),
      unread: this.#unread,
      unacked: this.#unacked,
    };
  }
}

function median(numbers: readonly number[]): number | null {
  if (numbers.length === 0) return null;
  const sorted = Float64Array.from(numbers).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  if (sorted.length % 2 === 1) return upper;
  // To a microsecond, as the kernel counts.
  return Math.round(((sorted[middle - 1] as number) + upper) * 500) / 1000;
}

/** A heading, and a line for each group; those with a marked connection begin with `!`. */
export function formatGroupTable(
  groups: readonly Group[],
  key: GroupKey,
  { width, unicode }: { readonly width: number; readonly unicode: boolean },
): string[] {
  const columns = COLUMNS.map(({ title, text }) => [title, ...groups.map(text)]).filter(
    ([title, ...cells]) =>
      cells.some((text) => text !== '') && !(title === 'STATES' && key === 'state'),
  );
  const names = [key.toUpperCase(), ...groups.map(({ group }) => toPrintable(group, unicode))];
  const widthOf = (cells: readonly string[]) => {
    const widest = Math.max(...cells.map(({ length }) => length));
    return cells[0] === 'STATES' ? Math.min(widest, MIN_STATES_WIDTH) : widest;
  };
  // Two characters for the mark, and two between columns.
  const excess = () =>
    [names, ...columns].reduce((sum, cells) => sum + widthOf(cells) + 2, 0) - width;
  for (const title of LEFT_OUT) {
    const index = columns.findIndex(([name]) => name === title);
    if (excess() > 0 && index >= 0) columns.splice(index, 1);
  }
  const nameWidth = Math.max(MIN_NAME_WIDTH, widthOf(names) - Math.max(0, excess()));
  const cut = names.map((name) => truncateMiddle(name, nameWidth, unicode));
  const rows = cut.map((name, row) => [name, ...columns.map((cells) => cells[row] as string)]);
  return formatTable(rows)
    .split('\n')
    .map((line, index) => {
      const isMarked = index > 0 && (groups[index - 1]?.marked ?? 0) > 0;
      return truncate(`${isMarked ? '!' : ' '} ${line}`, width, unicode);
    });
}

/** The columns after the name; without those that are empty in all rows. */
const COLUMNS: readonly { readonly title: string; readonly text: (group: Group) => string }[] = [
  { title: 'COUNT', text: ({ connections }) => String(connections) },
  { title: 'PROBLEMS', text: ({ problems }) => formatProblemCounts(problems) },
  {
    title: 'SILENCE',
    text: ({ worstSilence }) => (worstSilence === null ? '' : formatAge(worstSilence)),
  },
  { title: 'RTT', text: ({ medianRtt }) => (medianRtt === null ? '' : formatLatency(medianRtt)) },
  { title: 'UNREAD', text: ({ unread }) => formatAmount(unread) },
  { title: 'UNACKED', text: ({ unacked }) => formatAmount(unacked) },
  {
    title: 'STATES',
    text: ({ states }) => formatStateCounts(new Map(Object.entries(states) as never)),
  },
];

/** What is left out in a narrow terminal, the first one first. Then the name is cut, and at last the problems. */
const LEFT_OUT = ['STATES', 'UNACKED', 'UNREAD', 'RTT', 'SILENCE'] as const;

/** The least width in which a name can still be recognized. */
const MIN_NAME_WIDTH = 11;

/** The last column is cut at the edge of the terminal if so much of it fits: `1 ESTABLISHED`. */
const MIN_STATES_WIDTH = 13;

const formatProblemCounts = (problems: Group['problems']) =>
  Object.entries(problems)
    .map(([problem, count]) => `${count} ${problem}`)
    .join(', ');
