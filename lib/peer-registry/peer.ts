// Types of a registered connection, and the error of a connection that a newer one replaces.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The identity of a peer. Objects are not allowed: two equal objects would be two peers. `1` and `'1'` are two peers,
 * too.
 */
export type PeerIdentity = string | number | bigint;

/** A registered connection of an identity. */
export interface Peer<Identity extends PeerIdentity = string, Stream extends Duplex = Socket> {
  /** The identity under which the connection was claimed. */
  readonly identity: Identity;
  /** The stream of the connection. */
  readonly socket: Stream;
  /** Time of the claim, in milliseconds as `Date.now()` returns it. */
  readonly since: number;
}

/**
 * The error of a socket that a newer connection of the same identity replaced: a {@link PeerRegistry} destroys it with
 * this.
 * @example
 * ```ts
 * socket.on('error', (error) => {
 *   if (error instanceof PeerSupersededError) console.log('the peer has come back');
 * });
 * ```
 * @systems Every system and runtime.
 * @see docs/heartbeats.md
 */
export class PeerSupersededError extends Error {
  /** The code of the error: always `'ERR_PEER_SUPERSEDED'`. */
  readonly code = 'ERR_PEER_SUPERSEDED';

  /** Makes an error, for tests and test doubles of programs: registries make their own. */
  constructor() {
    super('The peer has come back with another connection');
  }
}
Object.defineProperty(PeerSupersededError.prototype, 'name', {
  value: 'PeerSupersededError',
  configurable: true,
  writable: true,
});

/** Returns a copy without the registry's internal fields. */
export function peerOf<Identity extends PeerIdentity, Stream extends Duplex>({
  identity,
  socket,
  since,
}: Peer<Identity, Stream>): Peer<Identity, Stream> {
  return { identity, socket, since };
}
