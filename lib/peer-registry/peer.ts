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
  readonly identity: Identity;
  readonly socket: Stream;
  /** Time of the claim, in milliseconds as `Date.now()` returns it. */
  readonly since: number;
}

/** The error of a superseded socket. Its `code` is `'ERR_PEER_SUPERSEDED'`. */
export class PeerSupersededError extends Error {
  readonly code = 'ERR_PEER_SUPERSEDED';

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
