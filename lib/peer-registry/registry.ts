// PeerRegistry: knows which peer has which connection. Who makes room for a newer one is decided in policy.ts.

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { callAndCatch, resetAfterFailure, uninterrupted } from '../heartbeat/callbacks';
import { resetAndDestroy } from '../heartbeat/kernel';
import { validateStream } from '../heartbeat/options';
import { type Peer, type PeerIdentity, PeerSupersededError, peerOf } from './peer';
import { type PeerCounts, stateCounts, stateCountsAsync } from './peer-states';
import { connectionToReplace } from './policy';
import {
  type PeerRegistryOptions,
  type ValidatedRegistryOptions,
  validateClaimOptions,
  validateIdentity,
  validateRegistryOptions,
} from './registry-options';

interface Claim<Identity extends PeerIdentity, Stream extends Duplex>
  extends Peer<Identity, Stream> {
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
 * A listener that throws is uncaught, and interrupts nothing: the registry is as if it had not thrown.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, RangeError `ERR_OUT_OF_RANGE` for
 *   wrong options.
 */
export class PeerRegistry<
  Identity extends PeerIdentity = string,
  Stream extends Duplex = Socket,
> extends EventEmitter<{
  /** A connection had to make room for a newer one. It is not in the registry any more. */
  superseded: [older: Peer<Identity, Stream>, newer: Peer<Identity, Stream>];
  /** A connection was refused. It is left open: the caller of `claim()` closes it. */
  refused: [identity: Identity, socket: Stream];
  /** A connection was closed, or released. */
  released: [peer: Peer<Identity, Stream>];
}> {
  readonly #options: ValidatedRegistryOptions<Identity, Stream>;
  /** The oldest of each identity first. */
  readonly #byIdentity = new Map<Identity, Claim<Identity, Stream>[]>();
  readonly #bySocket = new Map<Stream, Claim<Identity, Stream>>();
  #superseded = 0;
  #refused = 0;
  /** A policy of the program is running. It must not change what it decides about. */
  #isDeciding = false;

  constructor(options?: PeerRegistryOptions<Identity, Stream>) {
    const checked = validateRegistryOptions(options);
    super();
    this.#options = checked;
  }

  /**
   * Adds a connection of a peer. Returns whether it may stay: `false` if the policy refused it or it is
   * closed already, and nothing changed; also if an `onSuperseded` or a listener has let a newer one take its
   * place meanwhile. A socket that had another identity leaves that.
   *
   * `onSuperseded` is called in place of destroying this socket, when a newer one takes its place: to
   * say goodbye in the protocol's words, and to close it. If it throws, or returns a promise that is rejected, this
   * socket is destroyed with that error; the newer connection stands.
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for what is no stream, and for an identity that is no string, number or
   *   bigint, `ERR_INVALID_ARG_VALUE` for NaN: under it, peers that have nothing in common would take each other's
   *   place. `ERR_INVALID_RETURN_VALUE` for a policy that returned neither `'supersede'` nor `'refuse'`; what a
   *   policy throws. Error `ERR_PEER_REGISTRY_BUSY` if it is called by a policy. Nothing changed then.
   */
  claim(
    identity: Identity,
    socket: Stream,
    options?: { readonly onSuperseded?: ((newer: Stream) => void) | undefined },
  ): boolean {
    validateIdentity(identity);
    validateStream(socket);
    const onSuperseded = validateClaimOptions<Stream>(options);
    this.#validateIdle();
    if (socket.destroyed) return false;
    if (this.#bySocket.get(socket)?.identity === identity) return true;

    const claim: Claim<Identity, Stream> = {
      ...{ identity, socket, since: Date.now(), onSuperseded },
      onClose: () => this.#forget(claim),
    };
    const leaving = this.#decide(claim);
    if (leaving === null) {
      this.#refused++;
      uninterrupted(() => this.emit('refused', identity, socket));
      return false;
    }
    // A policy may have done that.
    if (socket.destroyed) return false;
    this.#replace(leaving, claim);
    for (const older of leaving) this.#supersede(older, claim);
    return this.#bySocket.get(socket) === claim && !socket.destroyed;
  }

  /**
   * Forgets a connection, and leaves it open. Returns whether it was known.
   * @throws Error `ERR_PEER_REGISTRY_BUSY` if it is called by a policy.
   */
  release(socket: Stream): boolean {
    this.#validateIdle();
    const claim = this.#bySocket.get(socket);
    if (claim === undefined) return false;
    this.#forget(claim);
    return true;
  }

  /**
   * Forgets all connections, and leaves them open.
   * @throws Error `ERR_PEER_REGISTRY_BUSY` if it is called by a policy.
   */
  clear(): void {
    this.#validateIdle();
    const claims = [...this.#bySocket.values()];
    this.#byIdentity.clear();
    this.#bySocket.clear();
    for (const claim of claims) stopListening(claim);
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
   * Counts the connections by their state in the kernel, in one call: about a microsecond for each. A count that a system
   * does not report is `null`. Without the addon all states are `null`, and all connections are `unknown`.
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

  #validateIdle(): void {
    if (!this.#isDeciding) return;
    const message =
      'The registry is asking its policy who stays, and cannot be changed meanwhile: change it after claim() has returned';
    throw Object.assign(new Error(message), { code: 'ERR_PEER_REGISTRY_BUSY' });
  }

  /** Which claims have to make room for a new one, whose socket is listened to then; `null`: it may not come in. */
  #decide(claim: Claim<Identity, Stream>): Claim<Identity, Stream>[] | null {
    this.#isDeciding = true;
    try {
      const leaving = this.#leavingFor(claim);
      const { socket, onClose } = claim;
      if (leaving !== null && !socket.destroyed) socket.once('close', onClose);
      return leaving;
    } finally {
      this.#isDeciding = false;
    }
  }

  #leavingFor({ identity, socket }: Claim<Identity, Stream>): Claim<Identity, Stream>[] | null {
    const open = this.#heldBy(identity).filter((one) => !one.socket.destroyed);
    const isFull = open.length >= this.#options.limit;
    const loser = isFull ? connectionToReplace(this.#options, open, socket) : undefined;
    if (isFull && loser === undefined) return null;
    // Read again, since a policy may have closed connections. A destroyed
    // socket whose 'close' is still to come leaves too.
    return this.#heldBy(identity).filter((one) => one === loser || one.socket.destroyed);
  }

  #heldBy(identity: Identity): readonly Claim<Identity, Stream>[] {
    return this.#byIdentity.get(identity) ?? [];
  }

  /** No code of the program runs before both maps agree again. */
  #replace(leaving: readonly Claim<Identity, Stream>[], claim: Claim<Identity, Stream>): void {
    const before = this.#bySocket.get(claim.socket);
    const removed = before === undefined ? leaving : [before, ...leaving];
    for (const one of removed) this.#remove(one);
    const held = this.#byIdentity.get(claim.identity);
    if (held === undefined) this.#byIdentity.set(claim.identity, [claim]);
    else held.push(claim);
    this.#bySocket.set(claim.socket, claim);
    for (const one of removed) stopListening(one);
  }

  #forget(claim: Claim<Identity, Stream>): void {
    if (this.#bySocket.get(claim.socket) !== claim) return;
    this.#remove(claim);
    stopListening(claim);
    uninterrupted(() => this.emit('released', peerOf(claim)));
  }

  #remove(claim: Claim<Identity, Stream>): void {
    const { identity, socket } = claim;
    const left = this.#heldBy(identity).filter((one) => one !== claim);
    if (left.length > 0) this.#byIdentity.set(identity, left);
    else this.#byIdentity.delete(identity);
    this.#bySocket.delete(socket);
  }

  #supersede(older: Claim<Identity, Stream>, newer: Claim<Identity, Stream>): void {
    const { socket, onSuperseded } = older;
    if (socket.destroyed) {
      uninterrupted(() => this.emit('released', peerOf(older)));
      return;
    }
    this.#superseded++;
    if (onSuperseded === undefined) {
      uninterrupted(() => resetAndDestroy(socket, new PeerSupersededError()));
    } else {
      callAndCatch(
        'onSuperseded',
        () => onSuperseded(newer.socket),
        (error) => resetAfterFailure(socket, error),
      );
    }
    uninterrupted(() => this.emit('superseded', peerOf(older), peerOf(newer)));
  }
}

/** A 'removeListener' listener of the program may throw. */
function stopListening({
  socket,
  onClose,
}: Pick<Claim<never, Duplex>, 'socket' | 'onClose'>): void {
  uninterrupted(() => socket.off('close', onClose));
}
