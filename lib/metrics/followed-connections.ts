// The connections of this thread that metrics follow: each joins its peer group when it is connected, is sampled while it is open,
// and once more before it is closed.

import type { Socket } from 'node:net';
import { FollowedConnection } from './followed-connection';
import { observeConnections, openSockets } from './observe-connections';
import type { PeerGroup } from './peer-group';
import type { PeerGroups } from './peer-groups';
import { Sampler } from './sampler';
import { type TcpHandle, tcpHandleOf } from './tcp-handle';

export class FollowedConnections {
  readonly #groups: PeerGroups;
  readonly #sampler: Sampler;
  readonly #stop: () => void;
  /** Only open connections: a handle leaves before it is closed. Node holds the handle of an open socket anyway. */
  readonly #connections = new Map<TcpHandle, FollowedConnection>();
  /** Node reports a connection more than once, and the filter is asked once. */
  readonly #leftOut = new WeakSet<TcpHandle>();
  /** Those whose functions of the program run now: they may emit 'connect' again, or close the socket. */
  readonly #joining = new Set<TcpHandle>();
  #isClosed = false;

  constructor(groups: PeerGroups, interval: number) {
    this.#groups = groups;
    this.#sampler = new Sampler(interval, {
      onSample: (connection, sample) => connection.record(sample),
      onFailure: (connection) => this.#fail(connection),
    });
    this.#stop = observeConnections({
      onOpen: (socket, handle) => this.#follow(socket, handle, true),
      onClosing: (handle) => this.#end(handle),
    });
    for (const { socket, handle } of openSockets()) this.#follow(socket, handle, false);
  }

  /** Returns the group of a connection, also by its HTTP/2 session; `undefined`: a filter leaves it out, or was never asked. */
  groupOf(value: unknown): PeerGroup | undefined {
    const handle =
      tcpHandleOf(value) ?? tcpHandleOf((value as { socket?: unknown } | undefined)?.socket);
    const connection = handle === undefined ? undefined : this.#connections.get(handle);
    return connection?.group ?? this.#groups.unfollowed;
  }

  /** Ends all samples. What was counted stays. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
    this.#sampler.close();
    for (const connection of this.#connections.values()) this.#forget(connection);
  }

  #follow(socket: Socket, handle: TcpHandle, isFresh: boolean): void {
    if (this.#connections.has(handle) || this.#leftOut.has(handle)) return;
    if (this.#joining.has(handle)) return;
    this.#joining.add(handle);
    // Now: later its addresses may not be known, because it was reset, or passed to another process.
    const group = this.#groups.groupOf(socket);
    this.#joining.delete(handle);
    if (group === undefined) this.#leftOut.add(handle);
    // The function of the program may have closed the metrics, or the socket.
    if (group === undefined || this.#isClosed) return;
    if (tcpHandleOf(socket) !== handle) {
      if (isFresh) group.add('connectionsCreated', 1);
      return;
    }
    const connection = new FollowedConnection(socket, handle, group, isFresh);
    this.#connections.set(handle, connection);
    if (isFresh) this.#sampler.plan(connection);
    else this.#sampler.sampleSoon(connection);
  }

  /** Takes the last sample. */
  #end(handle: TcpHandle): void {
    const connection = this.#connections.get(handle);
    if (connection === undefined) return;
    // First: a meter of the program may close the socket once more.
    this.#connections.delete(handle);
    const sample = this.#sampler.readNow(connection);
    if (sample === undefined) connection.group.add('samplesFailed', 1);
    else connection.recordLast(sample);
    this.#forget(connection);
  }

  /** It could not be read: it was closed without a call of `close()`, or belongs to another process. */
  #fail(connection: FollowedConnection): void {
    connection.group.add('samplesFailed', 1);
    this.#forget(connection);
  }

  #forget(connection: FollowedConnection): void {
    connection.isClosed = true;
    this.#sampler.cancel(connection);
    this.#connections.delete(connection._handle);
    connection.leave();
  }
}
