// What a silent peer takes of what waits for it, be it in this program or in the kernel. A ping is behind
// that, so this is the only sign of life that it can give.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Evidence } from './verdict';

export class Uptake {
  readonly #stream: Duplex;
  /** How much the peer had when this was last asked. */
  #acked: number;
  /** How much it has when it has all that waited for it when this was first asked, pings included. */
  readonly #all: number;

  constructor(stream: Duplex, evidence: Evidence) {
    const { bytesAcked, bytesInFlight, unsentBytes } = evidence;
    const inKernel = Number.isNaN(bytesAcked) ? 0 : (bytesInFlight || 0) + (unsentBytes || 0);
    this.#stream = stream;
    this.#acked = this.#takenBy(evidence);
    this.#all = this.#acked + inKernel + stream.writableLength;
  }

  /** Whether it has taken more since this was last asked. `isBlocked`: no ping was sent meanwhile. */
  grows(evidence: Evidence, isBlocked: boolean): boolean {
    const before = this.#acked;
    this.#acked = this.#takenBy(evidence);
    // What is sent later are pings, which any kernel acknowledges.
    return this.#acked > before && (isBlocked || before < this.#all);
  }

  #takenBy({ bytesAcked }: Evidence): number {
    if (!Number.isNaN(bytesAcked)) return bytesAcked;
    // Where the kernel does not tell, what it took itself stands for it.
    const { bytesWritten = 0 } = this.#stream as Partial<Socket>;
    return bytesWritten - this.#stream.writableLength;
  }
}
