// The public face of 'socket-options/heartbeat': loads no addon, and works without one.

export {
  Heartbeat,
  type HeartbeatBeat,
  type HeartbeatLateness,
  HeartbeatTimeoutError,
} from './heartbeat';
export type { HeartbeatOptions } from './options';
export type { DeathReason, PeerDeath } from './verdict';
