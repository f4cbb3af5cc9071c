// Sentences about connections that need attention, and how many connections there are in each state.

import type { Connection } from '../index';
import { tcpStates } from '../tcp-info/states';
import { local, processes, remote } from './connection-table';
import type { Observed } from './suspicion';
import { printable } from './text';

/** From how many connections of one program in CLOSE-WAIT on they are reported. */
const HEAP = 3;
/** How many suspects have a sentence; the others have their mark. */
const TOLD = 20;

/** A sentence for each problem. `listening` are the sockets whose accept queues may be full. */
export function warnings(
  observed: readonly Observed[],
  listening: readonly Connection[],
  unicode: boolean,
): string[] {
  const suspects = observed.filter(({ suspicion }) => suspicion !== null);
  const sentences = suspects
    .slice(0, TOLD)
    .map(
      ({ connection, suspicion }) => `${local(connection)} - ${remote(connection)}: ${suspicion}`,
    );
  if (suspects.length > TOLD) {
    sentences.push(`${suspects.length - TOLD} more suspects are marked with ! in the table`);
  }
  return [...sentences, ...groupWarnings(observed, listening, unicode)].map((sentence) =>
    printable(sentence, unicode),
  );
}

/** Only the sentences that are not about a single connection. */
export function groupWarnings(
  observed: readonly Observed[],
  listening: readonly Connection[],
  unicode: boolean,
): string[] {
  const sentences = heaps(observed.map(({ connection }) => connection));
  for (const socket of listening) {
    const { receiveQueue, sendQueue } = socket;
    // Linux admits one connection more than the limit.
    if (receiveQueue !== null && sendQueue !== null && receiveQueue > sendQueue) {
      sentences.push(
        `${local(socket)}: the accept queue is full (${receiveQueue} connections wait, the limit is ${sendQueue}): the program does not accept fast enough`,
      );
    }
  }
  return sentences.map((sentence) => printable(sentence, unicode));
}

/** Connections that the peer has closed and the program has not: a leak, if they stay. */
function heaps(connections: readonly Connection[]): string[] {
  const waiting = connections.filter(({ state }) => state === 'CLOSE-WAIT');
  const byPort = group(waiting, ({ localPort }) => `on local port ${localPort}`);
  const byPeer = group(waiting, (connection) => `to ${remote(connection)}`);
  const heaps = group(waiting, (connection) => {
    if (connection.owners !== null && connection.owners.length > 0) {
      return `of ${processes(connection)}`;
    }
    // Those of a server share its port, those of a client their peer.
    const port = `on local port ${connection.localPort}`;
    const peer = `to ${remote(connection)}`;
    return (byPort.get(port) ?? 0) >= (byPeer.get(peer) ?? 0) ? port : peer;
  });
  return [...heaps]
    .filter(([, size]) => size >= HEAP)
    .map(
      ([whose, size]) =>
        `${size} connections ${whose} are in CLOSE-WAIT: the peer has closed them, the program here has not`,
    );
}

function group<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const item of items) sizes.set(key(item), (sizes.get(key(item)) ?? 0) + 1);
  return sizes;
}

/** How many are in which state: `12 ESTABLISHED, 3 CLOSE-WAIT`. */
export function counts(connections: readonly Connection[]): string {
  const sizes = group(connections, ({ state }) => state);
  return tcpStates
    .filter((state) => sizes.has(state))
    .map((state) => `${sizes.get(state)} ${state}`)
    .join(', ');
}
