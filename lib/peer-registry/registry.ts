// PeerRegistry: keeps the connections of each peer. policy.ts decides which connection a newer one replaces.

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
 * Keeps one connection for each peer, or up to `limit`.
 *
 * It is for servers whose peers lose power or network, and connect again before the server detects that the old
 * connection is dead. By default the older connection of the same identity is reset at once, with an error of code
 * `'ERR_PEER_SUPERSEDED'`: add an `'error'` listener to each socket. A socket that closes is released automatically.
 *
 * An error thrown by a listener is an uncaught exception. It does not change the registry.
 * @example
 * ```ts
 * const devices = new PeerRegistry();
 * // When the device has sent its identity:
 * if (!devices.claim('device-7', socket)) socket.end('already connected\n');
 * ```
 * @systems Every system and runtime, any Duplex. `'refuse-if-alive'` and the states of `counts()` need the addon:
 *   `TCP_INFO`.
 * @see tcp(7); docs/heartbeats.md has the policies
 */
export class PeerRegistry<
  Identity extends PeerIdentity = string,
  Stream extends Duplex = Socket,
> extends EventEmitter<{
  /** Emitted when a newer connection has replaced an older one. The older one is no longer in the registry. */
  superseded: [older: Peer<Identity, Stream>, newer: Peer<Identity, Stream>];
  /** Emitted when a connection was refused. It stays open: the caller of `claim()` must close it. */
  refused: [identity: Identity, socket: Stream];
  /** Emitted when a connection was closed or released. */
  released: [peer: Peer<Identity, Stream>];
}> {
  readonly #options: ValidatedRegistryOptions<Identity, Stream>;
  /** The connections of each identity, the oldest first. */
  readonly #byIdentity = new Map<Identity, Claim<Identity, Stream>[]>();
  readonly #bySocket = new Map<Stream, Claim<Identity, Stream>>();
  #superseded = 0;
  #refused = 0;
  /** A policy is running. It must not change the registry. */
  #isDeciding = false;

  /**
   * Makes an empty registry, which keeps one connection for each peer. See {@link PeerRegistry}.
   * @example
   * ```ts
   * const devices = new PeerRegistry({ policy: 'refuse-if-alive', aliveWithin: 60_000 });
   * ```
   * @param options The limit, and the policy for connections beyond it. Default: one connection, the newest.
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for an option of the wrong type, `ERR_INVALID_ARG_VALUE` for a value that
   *   is not allowed or an unknown option.
   * @throws RangeError `ERR_OUT_OF_RANGE` for a `limit` or an `aliveWithin` out of its range.
   */
  constructor(options?: PeerRegistryOptions<Identity, Stream>) {
    const checked = validateRegistryOptions(options);
    super();
    this.#options = checked;
  }

  /**
   * Registers a connection of a peer. If the socket is registered under another identity, the new identity replaces it.
   * @param identity The identity of the peer: a string, a number or a bigint.
   * @param socket The connection: a Duplex.
   * @param options `onSuperseded` is called when a newer connection replaces this one, instead of destroying this
   *   socket. It can send a last message, and must close the socket. If it throws, or returns a promise that is
   *   rejected, this socket is reset with that error. The newer connection stays in any case.
   * @returns `true` if the connection is registered. `false` if the policy refused it or the socket is closed: then
   *   nothing changed. Also `false` if a listener or an `onSuperseded` closed, released or replaced it meanwhile.
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for a socket that is not a Duplex, or an identity that is not a string,
   *   number or bigint. `ERR_INVALID_ARG_VALUE` for the identity NaN, which unrelated peers would share.
   *   `ERR_INVALID_RETURN_VALUE` if the policy returned neither `'supersede'` nor `'refuse'`.
   * @throws Error `ERR_PEER_REGISTRY_BUSY` if a policy calls it. Also throws what a policy throws. After an error
   *   nothing has changed.
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
    const replaced = this.#decide(claim);
    if (replaced === null) {
      this.#refused++;
      uninterrupted(() => this.emit('refused', identity, socket));
      return false;
    }
    // The policy may have destroyed the socket.
    if (socket.destroyed) return false;
    this.#replace(replaced, claim);
    for (const older of replaced) this.#supersede(older, claim);
    return this.#bySocket.get(socket) === claim && !socket.destroyed;
  }

  /**
   * Removes a connection from the registry. The socket stays open.
   * @param socket The connection to remove.
   * @returns Whether the connection was registered.
   * @throws Error `ERR_PEER_REGISTRY_BUSY` if a policy calls it.
   */
  release(socket: Stream): boolean {
    this.#validateIdle();
    const claim = this.#bySocket.get(socket);
    if (claim === undefined) return false;
    this.#forget(claim);
    return true;
  }

  /**
   * Removes all connections from the registry, without events. The sockets stay open.
   * @throws Error `ERR_PEER_REGISTRY_BUSY` if a policy calls it.
   */
  clear(): void {
    this.#validateIdle();
    const claims = [...this.#bySocket.values()];
    this.#byIdentity.clear();
    this.#bySocket.clear();
    for (const claim of claims) stopListening(claim);
  }

  /**
   * Returns the connections of an identity.
   * @param identity The identity of the peer.
   * @returns The connections, the oldest first; `[]` if there is none.
   */
  get(identity: Identity): Stream[] {
    return (this.#byIdentity.get(identity) ?? []).map(({ socket }) => socket);
  }

  /**
   * Returns the identity of a connection.
   * @param socket The connection to look up.
   * @returns The identity. `undefined`: the connection is not registered.
   */
  identityOf(socket: Stream): Identity | undefined {
    return this.#bySocket.get(socket)?.identity;
  }

  /** Number of registered connections. */
  get size(): number {
    return this.#bySocket.size;
  }

  /**
   * Iterates over all connections, in the order of their claims.
   * @returns The connections with their identities.
   */
  *[Symbol.iterator](): Generator<Peer<Identity, Stream>, void, undefined> {
    for (const claim of this.#bySocket.values()) yield peerOf(claim);
  }

  /**
   * Counts the connections by their state in the kernel: about 1 µs per connection.
   * @returns The counts. A count that the system does not report is `null`. Without the addon the counts of states are
   *   `null`, and all connections are `unknown`.
   */
  counts(): PeerCounts {
    return { ...this.#totals(), ...stateCounts([...this.#bySocket.keys()]) };
  }

  /**
   * Counts the connections like {@link counts}, off the main thread.
   * @returns A promise of the counts.
   */
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
    const message = 'The policy must not change its registry: do it after claim() returns';
    throw Object.assign(new Error(message), { code: 'ERR_PEER_REGISTRY_BUSY' });
  }

  /** Returns the claims to replace; `null` if the new one is refused. Otherwise adds the new one's 'close' listener. */
  #decide(claim: Claim<Identity, Stream>): Claim<Identity, Stream>[] | null {
    this.#isDeciding = true;
    try {
      const replaced = this.#claimsToReplace(claim);
      const { socket, onClose } = claim;
      if (replaced !== null && !socket.destroyed) socket.once('close', onClose);
      return replaced;
    } finally {
      this.#isDeciding = false;
    }
  }

  #claimsToReplace({
    identity,
    socket,
  }: Claim<Identity, Stream>): Claim<Identity, Stream>[] | null {
    const open = this.#heldBy(identity).filter((one) => !one.socket.destroyed);
    const isFull = open.length >= this.#options.limit;
    const toReplace = isFull ? connectionToReplace(this.#options, open, socket) : undefined;
    if (isFull && toReplace === undefined) return null;
    // Read again, because a policy may have closed connections. A destroyed
    // socket whose 'close' event is pending is replaced too.
    return this.#heldBy(identity).filter((one) => one === toReplace || one.socket.destroyed);
  }

  #heldBy(identity: Identity): readonly Claim<Identity, Stream>[] {
    return this.#byIdentity.get(identity) ?? [];
  }

  /** Updates both maps before any code of the program runs. */
  #replace(replaced: readonly Claim<Identity, Stream>[], claim: Claim<Identity, Stream>): void {
    const before = this.#bySocket.get(claim.socket);
    const removed = before === undefined ? replaced : [before, ...replaced];
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

/** Removes the 'close' listener. A 'removeListener' listener of the program may throw. */
function stopListening({
  socket,
  onClose,
}: Pick<Claim<never, Duplex>, 'socket' | 'onClose'>): void {
  uninterrupted(() => socket.off('close', onClose));
}
