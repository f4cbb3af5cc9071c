// The facts about one connection as text for people: without a terminal, a clock or a system call.

import {
  keepAliveByTimer,
  silenceOf,
  unansweredTimeouts,
  unreadBytesOf,
} from '../../connections/problems';
import { formatAge, formatBytes } from '../../core/text';
import type { Connection } from '../../index';
import { markedProblems } from './connection-order';
import { formatLatency, toPrintable } from './text';

export function formatLocal({ localAddress, localPort }: Connection): string {
  return formatEndpoint(localAddress, localPort);
}

export function formatRemote({ remoteAddress, remotePort }: Connection): string {
  return formatEndpoint(remoteAddress, remotePort);
}

const formatEndpoint = (address: string, port: number) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** The IPv4 address in an IPv4-mapped one (`::ffff:192.0.2.7`), which is how an IPv6 socket names an IPv4 peer. */
export const withoutMapping = (address: string) => address.replace(/^::ffff:(?=[\d.]+$)/i, '');

/** What identifies a connection for people: both ends; of a listening socket its own. */
export function formatEnds(connection: Connection): string {
  const local = formatLocal(connection);
  return connection.state === 'LISTEN' ? local : `${local} - ${formatRemote(connection)}`;
}

/** The peer; of a listening socket, whose queues count connections, the accept queue and its limit. */
export function formatPeer(connection: Connection): string {
  if (connection.state !== 'LISTEN') return formatRemote(connection);
  const { receiveQueue, sendQueue } = connection;
  return receiveQueue === null || sendQueue === null
    ? ''
    : `accept queue ${receiveQueue}/${sendQueue}`;
}

/**
 * What the running timer will do. The kernel reports one timer only: while another one runs, whether
 * keepalive is on is not known.
 */
export function formatTimer(connection: Connection, platform: string = process.platform): string {
  const { state, timer, tcpInfo, inode } = connection;
  if (timer === null) {
    return keepAliveByTimer(connection, platform) === false ? 'off' : '';
  }
  const next = timer.count + 1;
  const when = `in ${formatAge(timer.expires)}`;
  switch (timer.kind) {
    case 'keepalive':
      // Once no process holds the socket (inode 0), Linux uses this timer to wait for the peer's FIN.
      if (state === 'FIN-WAIT-2' && inode === 0) return `removed ${when}`;
      return timer.count === 0 ? `first probe ${when}` : `probe ${next} ${when}`;
    case 'retransmission':
      // With count 0 nothing is wrong: the timer runs whenever data is in flight.
      return timer.count === 0 ? `ACK due ${when}` : `retransmission ${next} ${when}`;
    case 'persist':
      // With an open window, Linux uses this timer when it could not send locally (no route).
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

/** The same in fewer letters, for narrow terminals. */
export function formatShortTimer(connection: Connection, platform?: string): string {
  return formatTimer(connection, platform)
    .replace('retransmission', 'retrans')
    .replace('window probe', 'window')
    .replace('first probe', 'probe 1')
    .replace('delayed ACK', 'ACK')
    .replace(' to send', '')
    .replace(' timer', '')
    .replace(' in ', ', ');
}

export function formatAlive(connection: Connection): string {
  const silence = connection.state === 'LISTEN' ? null : silenceOf(connection);
  return silence === null ? '' : formatAge(silence);
}

export function formatRoundTrip({ tcpInfo }: Connection): string {
  return tcpInfo === null || tcpInfo.rtt === null ? '' : formatLatency(tcpInfo.rtt);
}

/** Retransmissions in a row now / since the connection was made. */
export function formatRetransmissions(connection: Connection): string {
  const inRow = unansweredTimeouts(connection);
  const total = connection.tcpInfo?.segmentsRetransmitted ?? null;
  if (total === null) return inRow === 0 ? '' : String(inRow);
  return inRow === 0 && total === 0 ? '' : `${inRow}/${total}`;
}

export function formatUnread(connection: Connection): string {
  return connection.state === 'LISTEN' ? '' : formatAmount(unreadBytesOf(connection));
}

/** What the peer has not acknowledged, or what is not sent. */
export function formatUnacked(connection: Connection): string {
  return connection.state === 'LISTEN' ? '' : formatAmount(connection.sendQueue);
}

/** Empty for 0 and for what the system does not report. */
export const formatAmount = (bytes: number | null | undefined) =>
  bytes === null || bytes === undefined || bytes === 0 ? '' : formatBytes(bytes);

export function formatProcesses({ owners }: Pick<Connection, 'owners'>): string {
  return (owners ?? []).map(({ name, pid }) => `${name} (${pid})`).join(', ');
}

/** The same in fewer letters, for narrow terminals. */
export function formatProcessIds({ owners }: Pick<Connection, 'owners'>): string {
  return (owners ?? []).map(({ pid }) => pid).join(', ');
}

export interface ConnectionTextOptions {
  readonly unicode: boolean;
  /** Whether to name the processes that hold the connection. */
  readonly owners?: boolean;
  /** The system that the connection is from, if not this one. */
  readonly platform?: string;
}

/** Whether the line of a connection contains a text, in any case. */
export function connectionMatches(connection: Connection, text: string): boolean {
  const codes = (connection.problems ?? []).map(({ problem }) => problem);
  const line = formatConnection(connection, { unicode: true, owners: true });
  return `${line} ${codes.join(' ')}`.toLowerCase().includes(text.toLowerCase());
}

/** One connection in one line. Every fact has its name: logs are read line by line, and searched. */
export function formatConnection(
  connection: Connection,
  { owners = false, platform, unicode }: ConnectionTextOptions,
): string {
  const facts = [
    ['alive', formatAlive(connection)],
    ['rtt', formatRoundTrip(connection)],
    ['retransmissions', formatRetransmissions(connection)],
    ['unread', formatUnread(connection)],
    ['unacked', formatUnacked(connection)],
    ['timer', formatTimer(connection, platform)],
    ['process', owners ? formatProcesses(connection) : ''],
  ].filter(([, text]) => text !== '');
  const parts = [
    `${connection.state} ${formatLocal(connection)} ${formatPeer(connection)}`.trimEnd(),
    ...facts.map(([name, text]) => `${name} ${text}`),
    ...markedProblems(connection).map(({ message }) => message),
  ];
  return toPrintable(parts.join('; '), unicode);
}
