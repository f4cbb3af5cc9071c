// What is wrong with the connections of a list, as sentences, and the number of connections in each state.

import { type Connection, type TcpState, tcpStates } from '../../index';
import { markedProblems } from './connection-order';
import { formatEnds, formatProcesses, formatRemote } from './connection-text';
import { toPrintable } from './text';

/** From this number on, connections in CLOSE-WAIT that belong together are reported as a leak. */
const LEAK_THRESHOLD = 3;
/** The greatest number of problems with a sentence of their own; the others only have their mark. */
const MAX_SENTENCES = 20;

/** Collects the problems of connections one by one, and keeps no connection. */
export class Warnings {
  readonly #critical: string[] = [];
  readonly #warnings: string[] = [];
  readonly #ofHidden: string[] = [];
  #count = 0;
  readonly #closing = new ClosingGroups();

  /** `isShown`: whether the connection has a row of its own. */
  add(connection: Connection, isShown = true): void {
    if (connection.state === 'CLOSE-WAIT') this.#closing.add(connection);
    for (const { problem, severity, message } of markedProblems(connection)) {
      const sentence = `${formatEnds(connection)}: ${message}`;
      if (problem === 'close-wait') {
        this.#closing.addSentence(connection, sentence);
        continue;
      }
      if (isShown) this.#count++;
      const list = severity === 'critical' ? this.#critical : this.#warnings;
      const kept = isShown ? list : this.#ofHidden;
      if (kept.length < MAX_SENTENCES) kept.push(sentence);
    }
  }

  /** A sentence for each problem, the worst first. */
  sentences(unicode: boolean): string[] {
    const single = [...this.#critical, ...this.#warnings].slice(0, MAX_SENTENCES);
    const more = this.#count - single.length;
    const closing = this.#closing.singleSentences().slice(0, MAX_SENTENCES - single.length);
    return [
      ...[...single, ...closing].map((sentence) => toPrintable(sentence, unicode)),
      ...(more > 0 ? [`${more} more problems are marked with ! in the table`] : []),
      ...this.groupSentences(unicode),
    ];
  }

  /** The sentences that are about no single row: leaks, and sockets that are left out. */
  groupSentences(unicode: boolean): string[] {
    return [...this.#closing.groupSentences(true), ...this.#ofHidden].map((sentence) =>
      toPrintable(sentence, unicode),
    );
  }

  /** Sentences about what is no problem yet, so that no row is marked: connections that have just come to CLOSE-WAIT. */
  hints(unicode: boolean): string[] {
    return this.#closing.groupSentences(false).map((sentence) => toPrintable(sentence, unicode));
  }
}

/** The peer closed these connections, the program did not: a leak, if they stay. */
class ClosingGroups {
  readonly #byOwner = new Map<string, number>();
  readonly #byPort = new Map<string, number>();
  readonly #byPeer = new Map<string, number>();
  /** Port and peer of those whose owner is not known, and how many have both. */
  readonly #pairs = new Map<string, { port: string; peer: string; count: number }>();
  /** The groups in which a row is marked, by owner, port and peer. */
  readonly #marked = new Set<string>();
  readonly #sentences: { connection: Pick<Connection, 'owners'>; key: string; text: string }[] = [];

  add(connection: Connection): void {
    const owner = ownerOf(connection);
    if (owner !== null) {
      increment(this.#byOwner, owner);
      return;
    }
    const [port, peer] = [portOf(connection), peerOf(connection)];
    increment(this.#byPort, port);
    increment(this.#byPeer, peer);
    const pair = this.#pairs.get(`${port} ${peer}`);
    if (pair === undefined) this.#pairs.set(`${port} ${peer}`, { port, peer, count: 1 });
    else pair.count++;
  }

  /** For a connection whose row is marked. */
  addSentence(connection: Connection, text: string): void {
    const owner = ownerOf(connection);
    const names = owner === null ? [portOf(connection), peerOf(connection)] : [owner];
    for (const name of names) this.#marked.add(name);
    if (this.#sentences.length >= MAX_SENTENCES) return;
    const key = `${portOf(connection)} ${peerOf(connection)}`;
    this.#sentences.push({ connection: { owners: connection.owners }, key, text });
  }

  /** The connections of a server share its port, those of a client their peer. */
  #groupOf({ port, peer }: { port: string; peer: string }): string {
    return (this.#byPort.get(port) ?? 0) >= (this.#byPeer.get(peer) ?? 0) ? port : peer;
  }

  #sizes(): Map<string, number> {
    const sizes = new Map(this.#byOwner);
    for (const pair of this.#pairs.values()) increment(sizes, this.#groupOf(pair), pair.count);
    return sizes;
  }

  groupSentences(marked: boolean): string[] {
    return [...this.#sizes()]
      .filter(([group, size]) => size >= LEAK_THRESHOLD && this.#marked.has(group) === marked)
      .map(
        ([group, size]) =>
          `${size} connections ${group} are in CLOSE-WAIT: the peer has closed them, the program here has not`,
      );
  }

  /** The sentences about connections that are in no group. */
  singleSentences(): string[] {
    const sizes = this.#sizes();
    return this.#sentences
      .filter(({ connection, key }) => {
        const pair = this.#pairs.get(key);
        const group = ownerOf(connection) ?? (pair === undefined ? '' : this.#groupOf(pair));
        return (sizes.get(group) ?? 0) < LEAK_THRESHOLD;
      })
      .map(({ text }) => text);
  }
}

function ownerOf({ owners }: Pick<Connection, 'owners'>): string | null {
  return owners === null || owners.length === 0 ? null : `of ${formatProcesses({ owners })}`;
}
const portOf = (connection: Connection) => `on local port ${connection.localPort}`;
const peerOf = (connection: Connection) => `to ${formatRemote(connection)}`;

function increment(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** The number of connections in each state: `12 ESTABLISHED, 3 CLOSE-WAIT`. */
export function formatStateCounts(counts: ReadonlyMap<TcpState, number>): string {
  return tcpStates
    .filter((state) => counts.has(state))
    .map((state) => `${counts.get(state)} ${state}`)
    .join(', ');
}
