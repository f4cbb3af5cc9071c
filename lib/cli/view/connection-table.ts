// The table of connections: which columns there are, their order, and how they fit into a terminal.

import type { Connection } from '../../index';
import { severityOf } from './connection-order';
import {
  type ConnectionTextOptions,
  formatAlive,
  formatAmount,
  formatLocal,
  formatPeer,
  formatProcesses,
  formatProcessIds,
  formatRetransmissions,
  formatRoundTrip,
  formatShortTimer,
  formatTimer,
  formatUnacked,
  formatUnread,
} from './connection-text';
import { toPrintable, truncate, truncateMiddle } from './text';

export interface TableOptions extends ConnectionTextOptions {
  /** Columns of the terminal; `Infinity` in a file or a pipe. */
  readonly width: number;
  /** Draws the round-trip times of a connection for the TREND column. */
  readonly trend?: (connection: Connection) => string;
}

interface Column {
  readonly title: string;
  /** The least width, so that the columns to the right do not move with every number. */
  readonly minWidth?: number;
  /** The greatest width that it asks for; longer texts are cut at the edge of the terminal. */
  readonly maxWidth?: number;
  /** In a narrow terminal, the column with the lowest rank is left out first. Without a rank it stays. */
  readonly rank?: number;
  /** A shorter text that is tried before the column is left out, and the rank it then has. */
  readonly short?: { readonly rank: number; text(connection: Connection): string };
  /** An empty text where there is nothing to report. */
  text(connection: Connection): string;
}

/** Columns with this rank or a higher one stay in a table that is updated in place, even if all of their texts are empty. */
const ESSENTIAL_RANK = 7;

/** The least width in which an address and a port can still be recognized. */
const MIN_PEER_WIDTH = 11;

/** STATE as ss(8) writes it, in fewer letters. */
function shortState({ state }: Connection): string {
  if (state === 'ESTABLISHED') return 'ESTAB';
  return state === 'SYN-RECEIVED' ? 'SYN-RECV' : state;
}

/** The rank of the column that is left out last. */
const LAST_RANK = 13;

/** It was asked for, so it stays even if it is empty. */
const PROCESS: Column = {
  ...{ title: 'PROCESS', maxWidth: 24, rank: 12, text: formatProcesses },
  short: { rank: LAST_RANK, text: formatProcessIds },
};

function columnsOf({ owners = false, trend, platform }: TableOptions): Column[] {
  return [
    {
      ...{ title: 'STATE', rank: 8, text: ({ state }) => state },
      short: { rank: 9, text: shortState },
    },
    {
      ...{ title: 'LOCAL', rank: 7, text: formatLocal },
      short: { rank: 10, text: ({ localPort }) => `:${localPort}` },
    },
    { title: 'PEER', text: formatPeer },
    { title: 'ALIVE', minWidth: 6, text: formatAlive },
    { title: 'RTT', minWidth: 7, rank: 4, text: formatRoundTrip },
    ...(trend ? [{ title: 'TREND', rank: 3, text: trend }] : []),
    { title: 'RETRANS', rank: 6, text: formatRetransmissions },
    { title: 'UNREAD', rank: 5, text: formatUnread },
    { title: 'UNACKED', rank: 5, text: formatUnacked },
    { title: 'RECEIVED', rank: 1, text: ({ tcpInfo }) => formatAmount(tcpInfo?.bytesReceived) },
    { title: 'SENT', rank: 2, text: ({ tcpInfo }) => formatAmount(tcpInfo?.bytesSent) },
    {
      ...{ title: 'TIMER', rank: 11, text: (connection) => formatTimer(connection, platform) },
      short: { rank: Infinity, text: (connection) => formatShortTimer(connection, platform) },
    },
    ...(owners ? [PROCESS] : []),
  ];
}

/** A column with its width. */
interface SizedColumn {
  readonly column: Column;
  readonly rank: number;
  readonly isEmpty: boolean;
  width: number;
}

function measure(
  column: Column,
  connections: readonly Connection[],
  unicode: boolean,
): SizedColumn {
  const { title, minWidth = 0, maxWidth = Infinity, rank = Infinity } = column;
  let widest = 0;
  for (const connection of connections) {
    const { length } = toPrintable(column.text(connection), unicode);
    if (length > widest) widest = length;
  }
  const width = Math.min(Math.max(title.length, minWidth, widest), maxWidth);
  return { column, rank, isEmpty: widest === 0, width };
}

const isProcess = ({ column }: SizedColumn) => column.title === PROCESS.title;

/** How many characters a peer can lose. */
const spareOf = (peer: SizedColumn | undefined) => Math.max(0, (peer?.width ?? 0) - MIN_PEER_WIDTH);

/** The columns that fit, and how a row is written in them. */
export interface TableLayout {
  readonly titles: string;
  /** Whether there is no room for the processes. */
  readonly leavesOutProcesses: boolean;
  line(connection: Connection): string;
}

/**
 * Chooses the columns by the connections that are known. In a narrow terminal the peer and the diagnosis (ALIVE, TIMER)
 * stay longest. `isComplete`: no other connections follow, so an empty column is left out.
 */
export function layOutTable(
  connections: readonly Connection[],
  options: TableOptions,
  isComplete = true,
): TableLayout {
  const { width, unicode } = options;
  const staysEmpty = ({ column, rank }: SizedColumn) =>
    column === PROCESS || (options.trend !== undefined && rank >= ESSENTIAL_RANK);
  const columns = columnsOf(options)
    .map((column) => measure(column, connections, unicode))
    .filter((sized) => !isComplete || !sized.isEmpty || staysEmpty(sized));

  // Two characters for the mark, and two between columns.
  const excess = () => columns.reduce((sum, column) => sum + column.width + 2, 0) - width;
  const peer = columns.find(({ column }) => column.text === formatPeer);
  while (excess() > 0) {
    const lowest = Math.min(...columns.map(({ rank }) => rank));
    // A peer that is cut is better than no process.
    const isEnough = lowest === LAST_RANK && excess() <= spareOf(peer);
    if (lowest === Infinity || isEnough) break;
    const index = columns.findIndex(({ rank }) => rank === lowest);
    const { short, ...column } = (columns[index] as SizedColumn).column;
    const shorter = short ? [measure({ ...column, ...short }, connections, unicode)] : [];
    columns.splice(index, 1, ...shorter);
  }
  const isPeerCut = peer !== undefined && excess() > 0;
  if (isPeerCut) peer.width = Math.max(MIN_PEER_WIDTH, peer.width - excess());

  const join = (cells: readonly string[], mark: string) => {
    const padded = cells.map((cell, index) => cell.padEnd((columns[index] as SizedColumn).width));
    return truncate(`${mark} ${padded.join('  ')}`.trimEnd(), width, unicode);
  };
  const cell = (sized: SizedColumn, connection: Connection) => {
    const text = toPrintable(sized.column.text(connection), unicode);
    return isPeerCut && sized === peer ? truncateMiddle(text, sized.width, unicode) : text;
  };
  return {
    leavesOutProcesses: options.owners === true && !columns.some(isProcess),
    titles: join(
      columns.map(({ column }) => column.title),
      ' ',
    ),
    line: (connection) =>
      join(
        columns.map((sized) => cell(sized, connection)),
        severityOf(connection) === null ? ' ' : '!',
      ),
  };
}

/** A heading, and a line for each connection. */
export function formatConnectionTable(
  connections: readonly Connection[],
  options: TableOptions,
): string[] {
  const { titles, line } = layOutTable(connections, options);
  return [titles, ...connections.map(line)];
}
