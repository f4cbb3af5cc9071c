// The options of a registry, and their validation.

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

/** The argument of a policy function: a new connection of an identity that has reached its `limit`. */
export interface PeerContest<
  Identity extends PeerIdentity = string,
  Stream extends Duplex = Socket,
> {
  /** The identity that has reached its `limit`. */
  readonly identity: Identity;
  /** The oldest connection of the identity. */
  readonly older: Peer<Identity, Stream>;
  /** The stream of the new connection. */
  readonly newer: Stream;
}

/**
 * Decides which connections stay when a new one exceeds the `limit` of its identity.
 *
 * - `'supersede'`: the new one stays. The oldest is destroyed at once.
 * - `'refuse-if-alive'`: connections whose peer is known to be alive stay (see `aliveWithin`). The new one replaces the
 *   oldest of the others. If there is none, the new one is refused. Without the kernel's figures no peer is known to
 *   be alive.
 * - `'refuse'`: the older ones stay. The new one is refused.
 * - A function decides each time. It must return `'supersede'` or `'refuse'` synchronously, and must not change its
 *   registry.
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
  /** Largest number of connections of one identity: an integer of at least 1. Default: 1. */
  readonly limit?: number | undefined;
  /** Which connections stay when a new one exceeds the `limit`. Default: `'supersede'`. */
  readonly policy?: PeerPolicy<Identity, Stream> | undefined;
  /**
   * Required for `'refuse-if-alive'`, in milliseconds: 1 to 2 147 483 647. Default: none. A peer is known to be alive
   * if its system sent or acknowledged something in this time, and no probe or retransmission is unanswered. Choose at
   * least the interval of the protocol's heartbeat, because living peers are silent between two heartbeats.
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
