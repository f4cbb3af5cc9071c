// The public entry 'socket-options/heartbeat'. It works without the addon.

export {
  Heartbeat,
  type HeartbeatActivity,
  type HeartbeatActivity as HeartbeatBeat,
  type HeartbeatDeadMessage,
  type HeartbeatLateMessage,
  type HeartbeatLateness,
} from './heartbeat/heartbeat';
export type { HeartbeatOptions } from './heartbeat/options';
export type { DeathReason, PeerDeath } from './heartbeat/peer-death';
export { HeartbeatTimeoutError } from './heartbeat/timeout-error';
export { type Peer, type PeerIdentity, PeerSupersededError } from './peer-registry/peer';
export type { PeerCounts } from './peer-registry/peer-states';
export { PeerRegistry } from './peer-registry/registry';
export type {
  PeerContest,
  PeerPolicy,
  PeerRegistryOptions,
} from './peer-registry/registry-options';
