// Whether a silent peer still takes what is queued for it, in this program or in the kernel. A ping is behind that queue, so
// the peer can give no other sign of life.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Evidence } from './classify';

export class DeliveryProgress {
  /** When this was last asked. */
  askedAt = 0;
  readonly #stream: Duplex;
  /** Bytes that the peer had acknowledged then. `undefined`: this was never asked. */
  #acked: number | undefined;
  /** The same when everything is acknowledged that was queued at first, pings included. */
  #end = 0;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Whether the peer has taken more since this was last asked. `isBlocked`: no ping was sent since then. */
  hasAdvanced(evidence: Evidence, now: number, isBlocked: boolean): boolean {
    const before = this.#acked;
    const acked = this.#ackedBytes(evidence);
    this.askedAt = now;
    this.#acked = acked;
    if (before === undefined) {
      this.#end = acked + this.#queuedBytes(evidence);
      return false;
    }
    // After the queue come only pings, which any kernel acknowledges.
    return acked > before && (isBlocked || before < this.#end);
  }

  #queuedBytes({ bytesAcked, bytesInFlight, unsentBytes }: Evidence): number {
    const inKernel = Number.isNaN(bytesAcked) ? 0 : (bytesInFlight || 0) + (unsentBytes || 0);
    return inKernel + this.#stream.writableLength;
  }

  #ackedBytes({ bytesAcked }: Evidence): number {
    if (!Number.isNaN(bytesAcked)) return bytesAcked;
    // Where the kernel does not report it: what the kernel itself has taken.
    const { bytesWritten = 0 } = this.#stream as Partial<Socket>;
    return bytesWritten - this.#stream.writableLength;
  }
}
