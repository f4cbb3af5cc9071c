// Connections in words and columns: no terminal, no clock, no system call.

import type { Connection } from '../index';
import { tcpStates } from '../tcp-info/tcp-info';
import { type Observed, silence, timeouts } from './suspicion';
import { latency, printable, roughly, size, table } from './text';

export interface TableOptions {
  /** Columns of the terminal; `Infinity` where nobody counts them. */
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
      if (state === 'FIN-WAIT-2' && orphaned(connection)) return `forgotten ${when}`;
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
      return `forgotten ${when}`;
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
  /** Room that it always takes, so that what is right of it does not move with every number. */
  readonly room?: number;
  /** Where the terminal is too narrow the lowest goes first; without it, it stays. */
  readonly rank?: number;
  /** An empty text where there is nothing to say. A column that says nothing at all is left out. */
  text(connection: Connection): string;
}

/** A heading, and a line for each connection. */
export function connectionTable(
  observed: readonly Observed[],
  { width, unicode, owners = false, trend, platform }: TableOptions,
): string[] {
  const columns: Column[] = [
    { title: 'STATE', text: ({ state }) => state },
    { title: 'LOCAL', text: local },
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
    ...(owners ? [{ title: 'PROCESS', text: processes }] : []),
  ];
  const cells = columns
    .map((column) => {
      const texts = observed.map(({ connection }) => printable(column.text(connection), unicode));
      const widest = texts.reduce((most, { length }) => Math.max(most, length), 0);
      return { ...column, texts, widest, room: Math.max(column.title.length, column.room ?? 0) };
    })
    .filter(({ widest, rank }) => widest > 0 || rank === undefined);

  const marked = 2;
  const fits = () =>
    cells.reduce((sum, { widest, room }) => sum + Math.max(widest, room) + 2, marked) - 2 <= width;
  while (!fits()) {
    const lowest = Math.min(...cells.map(({ rank = Infinity }) => rank));
    if (lowest === Infinity) break;
    cells.splice(
      cells.findIndex(({ rank }) => rank === lowest),
      1,
    );
  }
  const rows = [
    cells.map(({ title }) => title),
    ...observed.map((_, row) => cells.map(({ texts }) => texts[row] as string)),
  ];
  const lines = table(
    rows,
    cells.map(({ room }) => room),
  ).split('\n');
  return lines.map((line, row) => {
    const suspicious = row > 0 && observed[row - 1]?.suspicion !== null;
    return `${suspicious ? '!' : ' '} ${line}`;
  });
}

function peer(connection: Connection): string {
  if (connection.state !== 'LISTEN') return remote(connection);
  // Its queues are of connections: those that wait for accept(), and how many may.
  const { receiveQueue, sendQueue } = connection;
  return receiveQueue === null || sendQueue === null ? '' : `${receiveQueue} of ${sendQueue} wait`;
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
