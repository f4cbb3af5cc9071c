// A connection in a registry, and the error that ends it when a newer one takes its place.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * What a peer is known by. Not an object: a registry would take two equal ones for two peers. 1 and `'1'` are two
 * peers, too.
 */
export type PeerIdentity = string | number | bigint;

/** A connection that an identity has. */
export interface Peer<Identity extends PeerIdentity = string, Stream extends Duplex = Socket> {
  readonly identity: Identity;
  readonly socket: Stream;
  /** When it was claimed, in milliseconds as `Date.now()` gives them. */
  readonly since: number;
}

/** What a superseded socket is destroyed with: `code` is `'ERR_PEER_SUPERSEDED'`. */
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

/** Without what only the registry knows of it. */
export function peerOf<Identity extends PeerIdentity, Stream extends Duplex>({
  identity,
  socket,
  since,
}: Peer<Identity, Stream>): Peer<Identity, Stream> {
  return { identity, socket, since };
}
