// Warnings about connections, as sentences, and the number of connections in each state.

import { type Connection, tcpStates } from '../../index';
import type { Observed } from '../suspicion';
import { formatLocal, formatProcesses, formatRemote } from './connection-text';
import { toPrintable } from './text';

/** From this number on, connections in CLOSE-WAIT that belong together are reported as a leak. */
const LEAK_THRESHOLD = 3;
/** The greatest number of suspects with a sentence of their own; the others only have their mark. */
const MAX_SUSPECT_SENTENCES = 20;

/** A sentence for each problem. `listening`: the sockets whose accept queues may be full. */
export function connectionWarnings(
  observed: readonly Observed[],
  listening: readonly Connection[],
  unicode: boolean,
): string[] {
  const suspects = observed.filter(({ suspicion }) => suspicion !== null);
  const sentences = suspects
    .slice(0, MAX_SUSPECT_SENTENCES)
    .map(
      ({ connection, suspicion }) =>
        `${formatLocal(connection)} - ${formatRemote(connection)}: ${suspicion}`,
    );
  if (suspects.length > MAX_SUSPECT_SENTENCES) {
    const more = suspects.length - MAX_SUSPECT_SENTENCES;
    sentences.push(`${more} more suspects are marked with ! in the table`);
  }
  return [
    ...sentences.map((sentence) => toPrintable(sentence, unicode)),
    ...groupWarnings(observed, listening, unicode),
  ];
}

/** The sentences that are not about a single connection: leaks, and full accept queues. */
export function groupWarnings(
  observed: readonly Observed[],
  listening: readonly Connection[],
  unicode: boolean,
): string[] {
  return [
    ...leakWarnings(observed.map(({ connection }) => connection)),
    ...acceptQueueWarnings(listening),
  ].map((sentence) => toPrintable(sentence, unicode));
}

/** The peer closed these connections, the program did not: a leak, if they stay. */
function leakWarnings(connections: readonly Connection[]): string[] {
  const waiting = connections.filter(({ state }) => state === 'CLOSE-WAIT');
  const onPort = ({ localPort }: Connection) => `on local port ${localPort}`;
  const toPeer = (connection: Connection) => `to ${formatRemote(connection)}`;
  const byPort = countBy(waiting, onPort);
  const byPeer = countBy(waiting, toPeer);
  const leakGroups = countBy(waiting, (connection) => {
    if (connection.owners !== null && connection.owners.length > 0) {
      return `of ${formatProcesses(connection)}`;
    }
    // Connections of a server share its port, those of a client their peer.
    const port = onPort(connection);
    const peer = toPeer(connection);
    return (byPort.get(port) ?? 0) >= (byPeer.get(peer) ?? 0) ? port : peer;
  });
  return [...leakGroups]
    .filter(([, size]) => size >= LEAK_THRESHOLD)
    .map(
      ([group, size]) =>
        `${size} connections ${group} are in CLOSE-WAIT: the peer has closed them, the program here has not`,
    );
}

function acceptQueueWarnings(listening: readonly Connection[]): string[] {
  const sentences: string[] = [];
  for (const socket of listening) {
    const { receiveQueue, sendQueue } = socket;
    // Linux admits one connection more than the limit.
    if (receiveQueue !== null && sendQueue !== null && receiveQueue > sendQueue) {
      sentences.push(
        `${formatLocal(socket)}: the accept queue is full (${receiveQueue} connections wait, the limit is ${sendQueue}): the program does not accept fast enough`,
      );
    }
  }
  return sentences;
}

function countBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** The number of connections in each state: `12 ESTABLISHED, 3 CLOSE-WAIT`. */
export function formatStateCounts(connections: readonly Connection[]): string {
  const counts = countBy(connections, ({ state }) => state);
  return tcpStates
    .filter((state) => counts.has(state))
    .map((state) => `${counts.get(state)} ${state}`)
    .join(', ');
}
