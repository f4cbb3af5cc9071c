// Detects whether a silent peer still accepts queued data, in this program or in the kernel. A ping waits behind that
// queue, so progress is the only possible sign of life.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Evidence } from './classify';

export class DeliveryProgress {
  /** Time of the last call of `hasAdvanced()`. */
  askedAt = 0;
  readonly #stream: Duplex;
  /** Bytes acknowledged at that time. `undefined`: `hasAdvanced()` was not called yet. */
  #acked: number | undefined;
  /** Acknowledged bytes once the initial queue is delivered. The queue includes pings. */
  #end = 0;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Whether the peer has acknowledged more since the last call. `isBlocked`: no ping was sent since then. */
  hasAdvanced(evidence: Evidence, now: number, isBlocked: boolean): boolean {
    const before = this.#acked;
    const acked = this.#ackedBytes(evidence);
    this.askedAt = now;
    this.#acked = acked;
    if (before === undefined) {
      this.#end = acked + this.#queuedBytes(evidence);
      return false;
    }
    // Behind the initial queue are only pings. The peer's kernel acknowledges them even if its program hangs.
    return acked > before && (isBlocked || before < this.#end);
  }

  #queuedBytes({ bytesAcked, bytesInFlight, unsentBytes }: Evidence): number {
    const inKernel = Number.isNaN(bytesAcked) ? 0 : (bytesInFlight || 0) + (unsentBytes || 0);
    return inKernel + this.#stream.writableLength;
  }

  #ackedBytes({ bytesAcked }: Evidence): number {
    if (!Number.isNaN(bytesAcked)) return bytesAcked;
    // This kernel does not report it. Use the bytes that the kernel has accepted.
    const { bytesWritten = 0 } = this.#stream as Partial<Socket>;
    return bytesWritten - this.#stream.writableLength;
  }
}
