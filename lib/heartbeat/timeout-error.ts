// The error that the socket of a dead peer is destroyed with.

import type { DeathReason, PeerDeath } from './peer-death';

const REASONS: Readonly<Record<DeathReason, string>> = {
  silent: 'its system still acknowledges what is sent, its program says nothing',
  vanished: 'the peer does not acknowledge data',
  reset: 'the peer no longer knows the connection',
  unknown: 'whether its system still answers is not known',
};

/**
 * The error of a socket whose peer is dead. Its `code` is `'ETIMEDOUT'`, as in the kernel's own timeouts. If the kernel has
 * closed the connection for another reason, it is the kernel's code: `'ECONNRESET'`, `'EPIPE'`.
 */
export class HeartbeatTimeoutError extends Error {
  readonly code: string;
  /** Why the peer was declared dead, and the last figures of the connection. */
  readonly death: PeerDeath;

  constructor(death: PeerDeath) {
    const seconds = (death.silence / 1_000).toFixed(1);
    const closed = death.state === 'CLOSED' ? ', and the kernel has closed the connection' : '';
    super(`${death.code}: no sign of life for ${seconds} s, ${REASONS[death.reason]}${closed}`);
    this.code = death.code;
    this.death = death;
  }
}
Object.defineProperty(HeartbeatTimeoutError.prototype, 'name', {
  value: 'HeartbeatTimeoutError',
  configurable: true,
  writable: true,
});
