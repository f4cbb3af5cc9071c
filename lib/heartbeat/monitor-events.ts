// Type of the functions that a monitor calls.

import type { PeerDeath } from './peer-death';

/** Called by a monitor, with the heartbeat that owns it. Each function may close the monitor. */
export interface MonitorEvents<Owner> {
  onActivity(owner: Owner, rtt: number | null): void;
  onLate(owner: Owner, silence: number, unansweredPings: number): void;
  /** If `death.state` is `'CLOSED'`, it must destroy the stream at once: see takeKernelError() in kernel.ts. */
  onDead(owner: Owner, death: PeerDeath): void;
  /** `send` or `isAlive` failed. */
  onFailed(owner: Owner, error: Error): void;
  /** The stream was destroyed. */
  onGone(owner: Owner): void;
}
