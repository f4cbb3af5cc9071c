// The public face of 'socket-options/heartbeat': loads no addon, and works without one.

export {
  Heartbeat,
  type HeartbeatBeat,
  type HeartbeatLateness,
  HeartbeatTimeoutError,
} from './heartbeat';
export type { HeartbeatOptions } from './options';
export type { PeerCounts } from './peer-states';
export { type Peer, PeerRegistry, PeerSupersededError } from './registry';
export type {
  PeerContest,
  PeerIdentity,
  PeerPolicy,
  PeerRegistryOptions,
} from './registry-options';
export type { DeathReason, PeerDeath } from './verdict';
