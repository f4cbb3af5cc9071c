// The connections of this thread that metrics follow: each joins its peer group soon after it was connected, is sampled while it
// is open, and once more before it is closed.

import type { Socket } from 'node:net';
import { FollowedConnection } from './followed-connection';
import { observeConnections, openSockets } from './observe-connections';
import type { PeerGroup } from './peer-group';
import type { PeerGroups } from './peer-groups';
import { Sampler } from './sampler';
import { type TcpHandle, tcpHandleOf } from './tcp-handle';

/** The most connections that are named in one turn of the event loop. */
const NAMED_PER_TURN = 64;

export class FollowedConnections {
  readonly #groups: PeerGroups;
  readonly #sampler: Sampler;
  readonly #stop: () => void;
  /** Only open connections: a handle leaves before it is closed. Node holds the handle of an open socket anyway. */
  readonly #connections = new Map<TcpHandle, FollowedConnection>();
  /** Those without a group: the program may know their peer only after its listeners were called. */
  #newcomers: FollowedConnection[] = [];
  #isNamingPlanned = false;

  constructor(groups: PeerGroups, interval: number) {
    this.#groups = groups;
    this.#sampler = new Sampler(interval, {
      onSample: (connection, sample) => {
        this.#name(connection);
        connection.record(sample);
      },
      onFailure: (connection) => this.#fail(connection),
    });
    this.#stop = observeConnections({
      onOpen: (socket, handle) => this.#follow(socket, handle, true),
      onClosing: (handle) => this.#end(handle),
    });
    for (const { socket, handle } of openSockets()) this.#follow(socket, handle, false);
  }

  /** Returns the group of a connection that is open. */
  groupOf(socket: unknown): PeerGroup {
    const handle = tcpHandleOf(socket);
    const connection = handle === undefined ? undefined : this.#connections.get(handle);
    if (connection !== undefined) this.#name(connection);
    return connection?.group ?? this.#groups.otherGroup;
  }

  /** Names the newcomers now, before a scrape. */
  nameNewcomers(): void {
    const newcomers = this.#newcomers;
    this.#newcomers = [];
    for (const connection of newcomers) this.#name(connection);
  }

  /** Ends all samples. What was counted stays. */
  close(): void {
    this.#stop();
    for (const connection of this.#connections.values()) this.#forget(connection);
    this.#newcomers = [];
  }

  #follow(socket: Socket, handle: TcpHandle, isFresh: boolean): void {
    if (this.#connections.has(handle)) return;
    const connection = new FollowedConnection(socket, handle, isFresh, (due) =>
      this.#sampler.sampleSoon(due),
    );
    this.#connections.set(handle, connection);
    this.#newcomers.push(connection);
    this.#planNaming();
    if (isFresh) this.#sampler.plan(connection);
    else this.#sampler.sampleSoon(connection);
  }

  #planNaming(): void {
    if (this.#isNamingPlanned || this.#newcomers.length === 0) return;
    this.#isNamingPlanned = true;
    setImmediate(() => {
      this.#isNamingPlanned = false;
      for (const connection of this.#newcomers.splice(0, NAMED_PER_TURN)) this.#name(connection);
      this.#planNaming();
    });
  }

  /** Has a connection join its group, unless the filter leaves it out. */
  #name(connection: FollowedConnection): void {
    if (connection.isClosed || connection.group !== undefined) return;
    const group = this.#groups.groupOf(connection.socket);
    // The function of the program may have closed the socket.
    if (connection.isClosed) return;
    if (group === undefined) this.#forget(connection);
    else connection.join(group);
  }

  /** Takes the last sample. */
  #end(handle: TcpHandle): void {
    const connection = this.#connections.get(handle);
    if (connection === undefined) return;
    // First: the function of the program may close the socket once more.
    this.#connections.delete(handle);
    this.#name(connection);
    if (connection.isClosed) return;
    const sample = this.#sampler.readNow(connection);
    if (sample === undefined) connection.group?.add('samplesFailed', 1);
    else connection.recordLast(sample);
    this.#forget(connection);
  }

  /** It could not be read: it was closed without a call of `close()`, or belongs to another process. */
  #fail(connection: FollowedConnection): void {
    connection.group?.add('samplesFailed', 1);
    this.#forget(connection);
  }

  #forget(connection: FollowedConnection): void {
    connection.isClosed = true;
    this.#sampler.cancel(connection);
    this.#connections.delete(connection._handle);
    connection.leave();
  }
}
