// The error that the socket of a dead peer is destroyed with.

import type { DeathReason, PeerDeath } from './peer-death';

const REASONS: Readonly<Record<DeathReason, string>> = {
  silent: 'its system still acknowledges what is sent, its program says nothing',
  vanished: 'the peer does not acknowledge data',
  reset: 'the peer no longer knows the connection',
  unknown: 'whether its system still answers is not known',
};

/**
 * The error of a socket whose peer is dead: a {@link Heartbeat} destroys the socket with it.
 * @example
 * ```ts
 * socket.on('error', (error) => {
 *   if (error instanceof HeartbeatTimeoutError) console.error(error.code, error.death.reason);
 * });
 * ```
 * @systems Every system and runtime.
 * @see errno(3), RFC 1122 section 4.2.3.6
 */
export class HeartbeatTimeoutError extends Error {
  /**
   * The code `'ETIMEDOUT'`, as in the kernel's own timeouts. If the kernel has closed the connection for another
   * reason, it is the kernel's code: `'ECONNRESET'`, `'EPIPE'`.
   */
  readonly code: string;
  /** Why the peer was declared dead, and the last figures of the connection. */
  readonly death: PeerDeath;

  /**
   * Makes an error, for tests and test doubles of programs: heartbeats make their own.
   * @param death Why the peer was declared dead, and the last figures of the connection.
   */
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
