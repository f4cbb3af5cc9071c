// PeerRegistry: which peer has which connection, where peers come back before the old one is noticed dead.

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { resetAndDestroy } from './kernel';
import { checkStream } from './options';
import { isShownAlive, type PeerCounts, stateCounts, stateCountsAsync } from './peer-states';
import {
  type CheckedRegistryOptions,
  checkedRegistryOptions,
  checkIdentity,
  type PeerContest,
  type PeerRegistryOptions,
  supersededHandler,
} from './registry-options';
import { throwLater } from './ticker';

/** A connection that an identity has. */
export interface Peer<Identity = string, Stream extends Duplex = Socket> {
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

interface Claim<Identity, Stream extends Duplex> extends Peer<Identity, Stream> {
  readonly onClose: () => void;
  readonly onSuperseded: ((newer: Stream) => void) | undefined;
}

/**
 * Which peer has which connection, for servers whose peers lose power or network, and come back with a new
 * connection before the old one is noticed dead.
 *
 * ```js
 * const devices = new PeerRegistry();
 * // As soon as a device has said who it is:
 * if (!devices.claim(deviceId, socket)) socket.end('already connected\n');
 * ```
 *
 * By default the older connection of the same identity is destroyed at once, with an error of code
 * `'ERR_PEER_SUPERSEDED'`: give each socket an `'error'` listener, as for any error of a network. Sockets
 * that close leave the registry by themselves.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, RangeError `ERR_OUT_OF_RANGE` for
 *   wrong options.
 */
export class PeerRegistry<Identity = string, Stream extends Duplex = Socket> extends EventEmitter<{
  /** A connection had to make room for a newer one. It is not in the registry any more. */
  superseded: [older: Peer<Identity, Stream>, newer: Peer<Identity, Stream>];
  /** A connection was not let in. It is left open, to be told and closed by whoever claimed. */
  refused: [identity: Identity, socket: Stream];
  /** A connection was closed, or released. */
  released: [peer: Peer<Identity, Stream>];
}> {
  readonly #options: CheckedRegistryOptions<Identity, Stream>;
  /** The oldest of each identity first. */
  readonly #byIdentity = new Map<Identity, Claim<Identity, Stream>[]>();
  readonly #bySocket = new Map<Stream, Claim<Identity, Stream>>();
  #superseded = 0;
  #refused = 0;

  constructor(options?: PeerRegistryOptions<Identity, Stream>) {
    const checked = checkedRegistryOptions(options);
    super();
    this.#options = checked;
  }

  /**
   * Says that a connection is of a peer. Returns whether it may stay: `false` if the policy refused it, or
   * if it is closed already; such a one disturbs nobody. A socket that had another identity leaves that.
   *
   * `onSuperseded` is called in place of destroying this socket, when a newer one takes its place: to
   * say goodbye in the protocol's words, and to close it.
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for what is no stream, and for an identity that is `undefined`
   *   or `null`: under it, peers that have nothing in common would take each other's place.
   */
  claim(
    identity: Identity,
    socket: Stream,
    options?: { readonly onSuperseded?: ((newer: Stream) => void) | undefined },
  ): boolean {
    checkIdentity(identity);
    checkStream(socket);
    const onSuperseded = supersededHandler<Stream>(options);
    if (socket.destroyed) return false;
    const before = this.#bySocket.get(socket);
    if (before?.identity === identity) return true;

    const leaving = this.#leavingFor(identity, socket);
    if (leaving === null) {
      this.#refused++;
      this.emit('refused', identity, socket);
      return false;
    }
    if (before !== undefined) this.#remove(before);
    const claim: Claim<Identity, Stream> = {
      ...{ identity, socket, since: Date.now(), onSuperseded },
      onClose: () => void this.release(socket),
    };
    for (const older of leaving) this.#remove(older);
    this.#add(claim);
    for (const older of leaving) this.#supersede(older, claim);
    return true;
  }

  /** Forgets a connection, and leaves it open. Returns whether it was known. */
  release(socket: Stream): boolean {
    const claim = this.#bySocket.get(socket);
    if (claim === undefined) return false;
    this.#remove(claim);
    this.emit('released', peerOf(claim));
    return true;
  }

  /** Forgets all connections, and leaves them open. */
  clear(): void {
    for (const claim of this.#bySocket.values()) this.#remove(claim);
  }

  /** The connections of an identity, the oldest first. */
  get(identity: Identity): Stream[] {
    return (this.#byIdentity.get(identity) ?? []).map(({ socket }) => socket);
  }

  /** The identity of a connection; `undefined` if it has none here. */
  identityOf(socket: Stream): Identity | undefined {
    return this.#bySocket.get(socket)?.identity;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#bySocket.size;
  }

  /** All connections, in the order in which they were claimed. */
  *[Symbol.iterator](): Generator<Peer<Identity, Stream>, void, undefined> {
    for (const claim of this.#bySocket.values()) yield peerOf(claim);
  }

  /**
   * How many there are, by the state that the kernel has them in: about a microsecond for each, in one
   * call. `null` is what a system does not tell; without an addon all of it, and all are `unknown`.
   */
  counts(): PeerCounts {
    return { ...this.#totals(), ...stateCounts([...this.#bySocket.keys()]) };
  }

  /** The same, off the main thread. */
  async countsAsync(): Promise<PeerCounts> {
    const states = await stateCountsAsync([...this.#bySocket.keys()]);
    return { ...this.#totals(), ...states };
  }

  #totals(): Pick<PeerCounts, 'identities' | 'connections' | 'superseded' | 'refused'> {
    return {
      identities: this.#byIdentity.size,
      connections: this.#bySocket.size,
      superseded: this.#superseded,
      refused: this.#refused,
    };
  }

  /** Which claims have to make room for a new one; `null`: it may not come in. */
  #leavingFor(identity: Identity, newer: Stream): Claim<Identity, Stream>[] | null {
    const { limit } = this.#options;
    const held = this.#byIdentity.get(identity) ?? [];
    // Those that are destroyed, and did not tell yet, are in nobody's way.
    const gone = held.filter(({ socket }) => socket.destroyed);
    const open = held.filter(({ socket }) => !socket.destroyed);
    if (open.length < limit) return gone;
    const loser = this.#loserOf(identity, open, newer);
    return loser === undefined ? null : [...gone, loser];
  }

  #loserOf(
    identity: Identity,
    open: readonly Claim<Identity, Stream>[],
    newer: Stream,
  ): Claim<Identity, Stream> | undefined {
    const { policy, aliveWithin } = this.#options;
    const oldest = open[0] as Claim<Identity, Stream>;
    if (policy === 'supersede') return oldest;
    if (policy === 'refuse') return undefined;
    if (policy === 'refuse-if-alive') {
      const alive = isShownAlive(
        open.map(({ socket }) => socket),
        aliveWithin,
      );
      return open.find((_, index) => !alive[index]);
    }
    const contest: PeerContest<Identity, Stream> = { identity, older: peerOf(oldest), newer };
    return policy(contest) === 'refuse' ? undefined : oldest;
  }

  #add(claim: Claim<Identity, Stream>): void {
    const { identity, socket, onClose } = claim;
    const held = this.#byIdentity.get(identity);
    if (held === undefined) this.#byIdentity.set(identity, [claim]);
    else held.push(claim);
    this.#bySocket.set(socket, claim);
    socket.once('close', onClose);
  }

  #remove(claim: Claim<Identity, Stream>): void {
    const { identity, socket, onClose } = claim;
    const left = this.#byIdentity.get(identity)?.filter((one) => one !== claim) ?? [];
    if (left.length > 0) this.#byIdentity.set(identity, left);
    else this.#byIdentity.delete(identity);
    this.#bySocket.delete(socket);
    socket.off('close', onClose);
  }

  #supersede(older: Claim<Identity, Stream>, newer: Claim<Identity, Stream>): void {
    if (older.socket.destroyed) {
      this.emit('released', peerOf(older));
      return;
    }
    this.#superseded++;
    try {
      if (older.onSuperseded === undefined)
        resetAndDestroy(older.socket, new PeerSupersededError());
      else older.onSuperseded(newer.socket);
    } catch (error) {
      // The newer connection stands, whatever the older one's code throws.
      throwLater(error);
    }
    this.emit('superseded', peerOf(older), peerOf(newer));
  }
}

function peerOf<Identity, Stream extends Duplex>({
  identity,
  socket,
  since,
}: Claim<Identity, Stream>): Peer<Identity, Stream> {
  return { identity, socket, since };
}
