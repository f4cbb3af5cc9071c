// Connections in words and columns: no terminal, no clock, no system call.

import type { Connection } from '../index';
import { tcpStates } from '../tcp-info/states';
import { shortState } from './states';
import { type Observed, silence, timeouts } from './suspicion';
import { cut, cutMiddle, latency, printable, roughly, size, table } from './text';

export interface TableOptions {
  /** Columns of the terminal; `Infinity` in a file or a pipe. */
  readonly width: number;
  readonly unicode: boolean;
  /** Whether to name the processes that hold a connection. */
  readonly owners?: boolean;
  /** What to draw of a connection's round-trip times. */
  readonly trend?: (connection: Connection) => string;
  /** The system of the connections, if not this one. */
  readonly platform?: string;
}

/** The connection's name from one sample to the next. */
export function identity(connection: Connection): string {
  return connection.cookie ?? `${local(connection)} ${remote(connection)}`;
}

export function local({ localAddress, localPort }: Connection): string {
  return endpoint(localAddress, localPort);
}

export function remote({ remoteAddress, remotePort }: Connection): string {
  return endpoint(remoteAddress, remotePort);
}

const endpoint = (address: string, port: number) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** Whether nobody holds the connection any more: the kernel ends it alone. */
const orphaned = ({ inode }: Connection) => inode === 0;

/**
 * What the timer that runs will do, in words. A kernel shows one timer, so nothing is said of
 * keepalive while another one runs.
 */
export function timerWords(connection: Connection, platform: string = process.platform): string {
  const { state, timer, tcpInfo, sendQueue } = connection;
  if (timer === null) {
    // Linux starts the timer of keepalive with the connection; where nothing runs, it is off. Other
    // systems do not show their timers.
    const idle = KEPT_ALIVE.has(state) && sendQueue === 0 && platform === 'linux';
    return idle ? 'off' : '';
  }
  const next = timer.count + 1;
  const when = `in ${roughly(timer.expires)}`;
  switch (timer.kind) {
    case 'keepalive':
      // Linux waits for the peer's FIN with the same timer.
      if (state === 'FIN-WAIT-2' && orphaned(connection)) return `removed ${when}`;
      return timer.count === 0 ? `first probe ${when}` : `probe ${next} ${when}`;
    case 'retransmission':
      // What runs while all is well, too, with data on its way.
      return timer.count === 0 ? `ACK due ${when}` : `retransmission ${next} ${when}`;
    case 'persist':
      // An open window is probed where this system itself could not send, for want of a route.
      return tcpInfo !== null && (tcpInfo.sendWindow ?? 0) > 0
        ? `attempt ${next} to send ${when}`
        : `window probe ${next} ${when}`;
    case 'time-wait':
      return `removed ${when}`;
    case 'delayed-ack':
      return `delayed ACK ${when}`;
    case 'unknown':
      return `unknown timer ${when}`;
  }
}

const KEPT_ALIVE: ReadonlySet<string> = new Set(['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-2']);

/** The suspicious first, then by state and by ends. */
export function bySuspicion(a: Observed, b: Observed): number {
  return (
    Number(b.suspicion !== null) - Number(a.suspicion !== null) ||
    tcpStates.indexOf(a.connection.state) - tcpStates.indexOf(b.connection.state) ||
    byEnds(a.connection, b.connection)
  );
}

/** An order that is the same in each sample. */
export function byEnds(a: Connection, b: Connection): number {
  return (
    a.localPort - b.localPort ||
    compare(a.localAddress, b.localAddress) ||
    a.remotePort - b.remotePort ||
    compare(a.remoteAddress, b.remoteAddress)
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

interface Column {
  readonly title: string;
  /** Columns that it always takes, so that the columns right of it do not move with every number. */
  readonly room?: number;
  /** The most columns that it asks for; what is longer ends at the edge of the terminal. */
  readonly most?: number;
  /** Where the terminal is too narrow, the column with the lowest rank goes first. Without a rank it stays. */
  readonly rank?: number;
  /** A shorter text, tried before the column goes, and the rank that it goes with then. */
  readonly short?: { readonly rank: number; text(connection: Connection): string };
  /** An empty text where there is nothing to report. */
  text(connection: Connection): string;
}

/** A column of a lower rank is left out if all of its texts are empty. */
const ESSENTIAL = 7;

/** Columns in which an address and a port can still be recognized. */
const SHORTEST_PEER = 12;

/**
 * A heading, and a line for each connection. On a narrow terminal the diagnosis (ALIVE, TIMER) and the
 * peer stay longest.
 */
export function connectionTable(
  observed: readonly Observed[],
  { width, unicode, owners = false, trend, platform }: TableOptions,
): string[] {
  const columns: Column[] = [
    {
      ...{ title: 'STATE', rank: 8, text: ({ state }) => state },
      short: { rank: 9, text: ({ state }) => shortState(state) },
    },
    {
      ...{ title: 'LOCAL', rank: 7, text: local },
      short: { rank: 10, text: ({ localPort }) => `:${localPort}` },
    },
    { title: 'PEER', text: peer },
    { title: 'ALIVE', room: 6, text: alive },
    { title: 'RTT', room: 7, rank: 4, text: roundTrip },
    ...(trend ? [{ title: 'TREND', rank: 3, text: trend }] : []),
    { title: 'RETRANS', rank: 6, text: retransmissions },
    { title: 'UNREAD', rank: 5, text: (connection) => queue(connection, 'receiveQueue') },
    { title: 'UNACKED', rank: 5, text: (connection) => queue(connection, 'sendQueue') },
    { title: 'RECEIVED', rank: 1, text: ({ tcpInfo }) => amount(tcpInfo?.bytesReceived) },
    { title: 'SENT', rank: 2, text: ({ tcpInfo }) => amount(tcpInfo?.bytesSent) },
    { title: 'TIMER', text: (connection) => timerWords(connection, platform) },
    ...(owners ? [{ title: 'PROCESS', most: 24, text: processes }] : []),
  ];
  const cellsOf = (column: Column) => {
    const { title, room = 0, most = Infinity, rank = Infinity } = column;
    const texts = observed.map(({ connection }) => printable(column.text(connection), unicode));
    const widest = texts.reduce((longest, { length }) => Math.max(longest, length), 0);
    const takes = Math.min(Math.max(title.length, room, widest), most);
    return { column, texts, rank, isEmpty: widest === 0, takes };
  };
  const cells = columns.map(cellsOf).filter(({ isEmpty, rank }) => !isEmpty || rank >= ESSENTIAL);

  // Two columns for the mark, and two between two columns.
  const excess = () => cells.reduce((sum, { takes }) => sum + takes + 2, 0) - width;
  while (excess() > 0) {
    const lowest = Math.min(...cells.map(({ rank }) => rank));
    if (lowest === Infinity) break;
    const place = cells.findIndex(({ rank }) => rank === lowest);
    const { short, ...column } = (cells[place] as (typeof cells)[number]).column;
    cells.splice(place, 1, ...(short ? [cellsOf({ ...column, ...short })] : []));
  }
  const peers = cells.find(({ column }) => column.text === peer) as (typeof cells)[number];
  if (excess() > 0) {
    peers.takes = Math.max(SHORTEST_PEER, peers.takes - excess());
    peers.texts = peers.texts.map((text) => cutMiddle(text, peers.takes, unicode));
  }
  const rows = [
    cells.map(({ column }) => column.title),
    ...observed.map((_, row) => cells.map(({ texts }) => texts[row] as string)),
  ];
  const lines = table(
    rows,
    cells.map(({ column }) => column.room ?? 0),
  ).split('\n');
  return lines.map((line, row) => {
    const suspicious = row > 0 && observed[row - 1]?.suspicion !== null;
    return cut(`${suspicious ? '!' : ' '} ${line}`, width, unicode);
  });
}

function peer(connection: Connection): string {
  if (connection.state !== 'LISTEN') return remote(connection);
  // Its queues count connections: those that wait for accept(), and how many may wait.
  const { receiveQueue, sendQueue } = connection;
  return receiveQueue === null || sendQueue === null
    ? ''
    : `accept queue ${receiveQueue}/${sendQueue}`;
}

function alive(connection: Connection): string {
  const quiet = connection.state === 'LISTEN' ? null : silence(connection);
  return quiet === null ? '' : roughly(quiet);
}

function roundTrip({ tcpInfo }: Connection): string {
  return tcpInfo === null || tcpInfo.rtt === null ? '' : latency(tcpInfo.rtt);
}

/** In a row now, and in all. */
function retransmissions(connection: Connection): string {
  const now = timeouts(connection);
  const total = connection.tcpInfo?.segmentsRetransmitted ?? null;
  if (total === null) return now === 0 ? '' : String(now);
  return now === 0 && total === 0 ? '' : `${now}/${total}`;
}

function queue(connection: Connection, name: 'receiveQueue' | 'sendQueue'): string {
  return connection.state === 'LISTEN' ? '' : amount(connection[name]);
}

const amount = (bytes: number | null | undefined) =>
  bytes === null || bytes === undefined || bytes === 0 ? '' : size(bytes);

export function processes({ owners }: Connection): string {
  return (owners ?? []).map(({ name, pid }) => `${name} (${pid})`).join(', ');
}

/** One connection in one line, each word with its name: for a file that is read, and searched. */
export function connectionLine(
  { connection, suspicion }: Observed,
  { owners = false, platform, unicode }: Omit<TableOptions, 'width'>,
): string {
  const facts = [
    ['alive', alive(connection)],
    ['rtt', roundTrip(connection)],
    ['retransmissions', retransmissions(connection)],
    ['unread', queue(connection, 'receiveQueue')],
    ['unacked', queue(connection, 'sendQueue')],
    ['timer', timerWords(connection, platform)],
    ['process', owners ? processes(connection) : ''],
  ].filter(([, text]) => text !== '');
  const words = [
    `${connection.state} ${local(connection)} ${peer(connection)}`.trimEnd(),
    ...facts.map(([name, text]) => `${name} ${text}`),
    ...(suspicion === null ? [] : [suspicion]),
  ];
  return printable(words.join('; '), unicode);
}
