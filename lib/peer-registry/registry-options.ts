// The options of a registry, and their checks.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  typeError,
  validateFunction,
  validateNumber,
  validateOptions,
  valueError,
} from '../core/validate';
import { validateDuration } from '../heartbeat/options';
import type { Peer, PeerIdentity } from './peer';

/** An identity has one connection more than it may have. */
export interface PeerContest<
  Identity extends PeerIdentity = string,
  Stream extends Duplex = Socket,
> {
  readonly identity: Identity;
  /** The oldest that it has. */
  readonly older: Peer<Identity, Stream>;
  readonly newer: Stream;
}

/**
 * Which connections stay when an identity has one more than it may have.
 *
 * - `'supersede'`: the newer one stays. The oldest is destroyed at once.
 * - `'refuse-if-alive'`: connections stay that the kernel shows alive, see `aliveWithin`. The oldest of the others goes.
 *   Where the kernel does not report it, no connection is shown alive.
 * - `'refuse'`: the older ones stay.
 * - A function decides each time. It must return one of the two words at once. While it runs, nothing else can be
 *   claimed or released.
 */
export type PeerPolicy<Identity extends PeerIdentity = string, Stream extends Duplex = Socket> =
  | 'supersede'
  | 'refuse-if-alive'
  | 'refuse'
  | ((contest: PeerContest<Identity, Stream>) => 'supersede' | 'refuse');

/** Options of a {@link PeerRegistry}. */
export interface PeerRegistryOptions<
  Identity extends PeerIdentity = string,
  Stream extends Duplex = Socket,
> {
  /** How many connections an identity may have: 1 without it. */
  readonly limit?: number | undefined;
  /** `'supersede'` without it. */
  readonly policy?: PeerPolicy<Identity, Stream> | undefined;
  /**
   * For `'refuse-if-alive'`, which needs it: a connection is alive if its peer's system sent or acknowledged
   * something within so many milliseconds, and no probe or retransmission waits for an answer. No less than
   * the interval of the protocol's heartbeat: in between, living peers are silent too.
   */
  readonly aliveWithin?: number | undefined;
}

export interface ValidatedRegistryOptions<Identity extends PeerIdentity, Stream extends Duplex> {
  readonly limit: number;
  readonly policy: PeerPolicy<Identity, Stream>;
  readonly aliveWithin: number;
}

const POLICIES: readonly unknown[] = ['supersede', 'refuse-if-alive', 'refuse'];

export function validateRegistryOptions<Identity extends PeerIdentity, Stream extends Duplex>(
  options: PeerRegistryOptions<Identity, Stream> = {},
): ValidatedRegistryOptions<Identity, Stream> {
  const members = validateOptions(options, 'options', ['limit', 'policy', 'aliveWithin']);
  const { limit = 1, policy = 'supersede', aliveWithin } = members;
  validateNumber(limit, 'options.limit', { integer: true, min: 1 });
  if (typeof policy !== 'function' && !POLICIES.includes(policy)) {
    const words = POLICIES.map((word) => `'${word}'`).join(', ');
    throw valueError('options.policy', `must be ${words} or a function`, policy);
  }
  if (aliveWithin !== undefined || policy === 'refuse-if-alive') {
    validateDuration('aliveWithin', aliveWithin, 1);
  }
  return { limit, policy, aliveWithin: aliveWithin ?? 0 };
}

export function validateIdentity(identity: unknown): void {
  if (!['string', 'number', 'bigint'].includes(typeof identity)) {
    const allowed = 'a string, a number or a bigint, which the peer is known by';
    throw typeError('identity', allowed, identity);
  }
  if (Number.isNaN(identity)) throw valueError('identity', 'must not be NaN', identity);
}

export function validateClaimOptions<Stream extends Duplex>(
  options: { readonly onSuperseded?: ((newer: Stream) => void) | undefined } = {},
): ((newer: Stream) => void) | undefined {
  const { onSuperseded } = validateOptions(options, 'options', ['onSuperseded']);
  if (onSuperseded !== undefined) validateFunction(onSuperseded, 'options.onSuperseded');
  return onSuperseded;
}
