// Remembers which tunings have set which options of a connection. Of two tunings that set the same option the later one wins, also
// if it is one of another copy of this package: those of one copy are called in their order, but the copies are not.

import { SharedMap } from '../core/shared-map';

/** What one tuning sets on the sockets of one side. */
export interface Claim {
  /** The place of the tuning among all tunings of this thread. */
  readonly order: number;
  /** The options, also `deadPeerTimeout`. */
  readonly names: ReadonlySet<string>;
}

const claims = new SharedMap<object, readonly Claim[]>('claims');
const tunings = new SharedMap<typeof globalThis, number>('tunings');

/** Returns the place of a new tuning among all tunings of this thread. */
export function nextOrder(): number {
  const order = (tunings.get(globalThis) ?? 0) + 1;
  tunings.set(globalThis, order);
  return order;
}

/** Notes that a tuning sets its options on the connection of a handle. */
export function noteClaim(handle: object, claim: Claim): void {
  const before = claims.get(handle);
  if (before === undefined) claims.set(handle, [claim]);
  else if (!before.includes(claim)) claims.set(handle, [...before, claim]);
}

/** Whether a later tuning sets this option on the connection of a handle. */
export function isClaimedLater(handle: object, { order }: Claim, name: string): boolean {
  const all = claims.get(handle) ?? [];
  return all.some((claim) => claim.order > order && claim.names.has(name));
}
