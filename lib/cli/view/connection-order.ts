// In which order connections are shown.

import { silenceOf, unansweredTimeouts, unreadBytesOf } from '../../connections/problems';
import { type Connection, type ConnectionProblem, tcpStates } from '../../index';

/** Negative if `a` comes before `b`. */
export type Order = (a: Connection, b: Connection) => number;

/** The values of `--sort`, in the order in which the key `s` of `--watch` goes through them. */
export const SORT_KEYS = [
  ...(['problems', 'alive', 'rtt', 'retrans', 'unread', 'unacked', 'received', 'sent'] as const),
  ...(['state', 'peer'] as const),
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** The problems that a row is marked for. */
export function markedProblems({ problems }: Connection): ConnectionProblem[] {
  return (problems ?? []).filter(({ severity }) => severity !== 'info');
}

/** The severity of the worst problem that the row is marked for; `null`: it is not marked. */
export function severityOf(connection: Connection): 'critical' | 'warning' | null {
  const severities = markedProblems(connection).map(({ severity }) => severity);
  if (severities.length === 0) return null;
  return severities.includes('critical') ? 'critical' : 'warning';
}

const RANKS = { critical: 0, warning: 1, none: 2 } as const;

/** 0 for a critical problem, 1 for a warning, 2 without a mark. */
export const severityRank = (connection: Connection) => RANKS[severityOf(connection) ?? 'none'];

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
const compareStates: Order = (a, b) => tcpStates.indexOf(a.state) - tcpStates.indexOf(b.state);

/** The greatest first; connections without this number last. */
function descending(numberOf: (connection: Connection) => number | null | undefined): Order {
  return (a, b) => {
    const [first, second] = [numberOf(a) ?? -1, numberOf(b) ?? -1];
    return second - first;
  };
}

const isListening = ({ state }: Connection) => state === 'LISTEN';

const ORDERS: Readonly<Record<SortKey, Order>> = {
  problems: (a, b) => severityRank(a) - severityRank(b) || compareStates(a, b),
  alive: descending((connection) => (isListening(connection) ? null : silenceOf(connection))),
  rtt: descending(({ tcpInfo }) => tcpInfo?.rtt),
  retrans: (a, b) =>
    unansweredTimeouts(b) - unansweredTimeouts(a) ||
    descending(({ tcpInfo }) => tcpInfo?.segmentsRetransmitted)(a, b),
  unread: descending((connection) => (isListening(connection) ? null : unreadBytesOf(connection))),
  unacked: descending((connection) => (isListening(connection) ? null : connection.sendQueue)),
  received: descending(({ tcpInfo }) => tcpInfo?.bytesReceived),
  sent: descending(({ tcpInfo }) => tcpInfo?.bytesSent),
  state: compareStates,
  peer: (a, b) => compareText(a.remoteAddress, b.remoteAddress) || a.remotePort - b.remotePort,
};

/** The order by a key; connections that are equal in it are ordered by their endpoints. */
export function orderBy(key: SortKey): Order {
  const order = ORDERS[key];
  return (a, b) => order(a, b) || compareByEndpoints(a, b);
}
