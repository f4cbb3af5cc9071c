import type { DeathReason, PeerDeath } from './peer-death';

const REASONS: Readonly<Record<DeathReason, string>> = {
  silent: 'its system still acknowledges what is sent, its program says nothing',
  vanished: 'nothing comes back at all',
  unknown: 'whether its system still answers is not known',
};

/** What the socket of a dead peer is destroyed with: `code` is `'ETIMEDOUT'`, as that of a kernel would be. */
export class HeartbeatTimeoutError extends Error {
  readonly code = 'ETIMEDOUT';
  /** What is known of the peer. */
  readonly death: PeerDeath;

  constructor(death: PeerDeath) {
    const seconds = (death.silence / 1_000).toFixed(1);
    const closed = death.state === 'CLOSED' ? ', and the kernel has closed the connection' : '';
    super(`ETIMEDOUT: no sign of life for ${seconds} s, ${REASONS[death.reason]}${closed}`);
    this.death = death;
  }
}
Object.defineProperty(HeartbeatTimeoutError.prototype, 'name', {
  value: 'HeartbeatTimeoutError',
  configurable: true,
  writable: true,
});
