// The table of connections: which columns there are, their order, and how they fit into a terminal.

import { type Connection, tcpStates } from '../../index';
import type { Observed } from '../suspicion';
import {
  type ConnectionTextOptions,
  formatAlive,
  formatAmount,
  formatLocal,
  formatPeer,
  formatProcesses,
  formatQueue,
  formatRemote,
  formatRetransmissions,
  formatRoundTrip,
  formatTimer,
} from './connection-text';
import { formatTable, toPrintable, truncate, truncateMiddle } from './text';

export interface TableOptions extends ConnectionTextOptions {
  /** Columns of the terminal; `Infinity` in a file or a pipe. */
  readonly width: number;
  /** Draws the round-trip times of a connection for the TREND column. */
  readonly trend?: (connection: Connection) => string;
}

/** A key that a connection keeps from one sample to the next. */
export function connectionKey(connection: Connection): string {
  return connection.cookie ?? `${formatLocal(connection)} ${formatRemote(connection)}`;
}

/** Suspects first, then by state and by endpoints. */
export function compareBySuspicion(a: Observed, b: Observed): number {
  return (
    Number(b.suspicion !== null) - Number(a.suspicion !== null) ||
    tcpStates.indexOf(a.connection.state) - tcpStates.indexOf(b.connection.state) ||
    compareByEndpoints(a.connection, b.connection)
  );
}

/** An order that is the same in each sample. */
export function compareByEndpoints(a: Connection, b: Connection): number {
  return (
    a.localPort - b.localPort ||
    compareText(a.localAddress, b.localAddress) ||
    a.remotePort - b.remotePort ||
    compareText(a.remoteAddress, b.remoteAddress)
  );
}

const compareText = (a: string, b: string) => (a < b ? -1 : Number(a > b));

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

/** Columns with a lower rank are left out if all of their texts are empty. */
const ESSENTIAL_RANK = 7;

/** The least width in which an address and a port can still be recognized. */
const MIN_PEER_WIDTH = 12;

/** STATE as ss(8) writes it, in fewer letters. */
function shortState({ state }: Connection): string {
  if (state === 'ESTABLISHED') return 'ESTAB';
  return state === 'SYN-RECEIVED' ? 'SYN-RECV' : state;
}

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
    { title: 'UNREAD', rank: 5, text: (connection) => formatQueue(connection, 'receiveQueue') },
    { title: 'UNACKED', rank: 5, text: (connection) => formatQueue(connection, 'sendQueue') },
    { title: 'RECEIVED', rank: 1, text: ({ tcpInfo }) => formatAmount(tcpInfo?.bytesReceived) },
    { title: 'SENT', rank: 2, text: ({ tcpInfo }) => formatAmount(tcpInfo?.bytesSent) },
    { title: 'TIMER', text: (connection) => formatTimer(connection, platform) },
    ...(owners ? [{ title: 'PROCESS', maxWidth: 24, text: formatProcesses }] : []),
  ];
}

/** A column with its texts, one for each connection. */
interface FilledColumn {
  readonly column: Column;
  readonly rank: number;
  readonly isEmpty: boolean;
  texts: string[];
  width: number;
}

function fill(column: Column, observed: readonly Observed[], unicode: boolean): FilledColumn {
  const { title, minWidth = 0, maxWidth = Infinity, rank = Infinity } = column;
  const texts = observed.map(({ connection }) => toPrintable(column.text(connection), unicode));
  const widest = texts.reduce((longest, { length }) => Math.max(longest, length), 0);
  const width = Math.min(Math.max(title.length, minWidth, widest), maxWidth);
  return { column, rank, isEmpty: widest === 0, texts, width };
}

/**
 * A heading, and a line for each connection. In a narrow terminal the peer and the diagnosis (ALIVE,
 * TIMER) stay longest.
 */
export function formatConnectionTable(
  observed: readonly Observed[],
  options: TableOptions,
): string[] {
  const { width, unicode } = options;
  const filled = columnsOf(options)
    .map((column) => fill(column, observed, unicode))
    .filter(({ isEmpty, rank }) => !isEmpty || rank >= ESSENTIAL_RANK);

  // Two characters for the mark, and two between columns.
  const excess = () => filled.reduce((sum, column) => sum + column.width + 2, 0) - width;
  while (excess() > 0) {
    const lowest = Math.min(...filled.map(({ rank }) => rank));
    if (lowest === Infinity) break;
    const index = filled.findIndex(({ rank }) => rank === lowest);
    const { short, ...column } = (filled[index] as FilledColumn).column;
    const shorter = short ? [fill({ ...column, ...short }, observed, unicode)] : [];
    filled.splice(index, 1, ...shorter);
  }
  if (excess() > 0) {
    const peer = filled.find(({ column }) => column.text === formatPeer) as FilledColumn;
    peer.width = Math.max(MIN_PEER_WIDTH, peer.width - excess());
    peer.texts = peer.texts.map((text) => truncateMiddle(text, peer.width, unicode));
  }

  const rows = [
    filled.map(({ column }) => column.title),
    ...observed.map((_, row) => filled.map(({ texts }) => texts[row] as string)),
  ];
  const lines = formatTable(
    rows,
    filled.map(({ column }) => column.minWidth ?? 0),
  ).split('\n');
  return lines.map((line, row) => {
    const isSuspect = row > 0 && observed[row - 1]?.suspicion !== null;
    return truncate(`${isSuspect ? '!' : ' '} ${line}`, width, unicode);
  });
}
