// Decides which connection a newer one of the same identity replaces.

import type { Duplex } from 'node:stream';
import { callbackError } from '../core/validate';
import { type Peer, type PeerIdentity, peerOf } from './peer';
import { peersKnownAlive } from './peer-states';
import type { PeerContest, ValidatedRegistryOptions } from './registry-options';

/**
 * Returns the connection that the newer one replaces. `undefined`: the newer one is refused.
 * @param open The open connections of the identity, the oldest first.
 */
export function connectionToReplace<
  Identity extends PeerIdentity,
  Stream extends Duplex,
  Held extends Peer<Identity, Stream>,
>(
  { policy, aliveWithin }: ValidatedRegistryOptions<Identity, Stream>,
  open: readonly Held[],
  newer: Stream,
): Held | undefined {
  const oldest = open[0] as Held;
  if (policy === 'supersede') return oldest;
  if (policy === 'refuse') return undefined;
  if (policy === 'refuse-if-alive') {
    const alive = peersKnownAlive(
      open.map(({ socket }) => socket),
      aliveWithin,
    );
    return open.find((_, index) => !alive[index]);
  }
  const { identity } = oldest;
  const contest: PeerContest<Identity, Stream> = { identity, older: peerOf(oldest), newer };
  const answer: unknown = policy(contest);
  if (answer === 'supersede') return oldest;
  if (answer === 'refuse') return undefined;
  throw callbackError('policy', "'supersede' or 'refuse'", answer, 'It must answer at once.');
}
