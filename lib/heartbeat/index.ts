// The public entry 'socket-options/heartbeat'. It works without the addon.

export { type Peer, type PeerIdentity, PeerSupersededError } from '../peer-registry/peer';
export type { PeerCounts } from '../peer-registry/peer-states';
export { PeerRegistry } from '../peer-registry/registry';
export type {
  PeerContest,
  PeerPolicy,
  PeerRegistryOptions,
} from '../peer-registry/registry-options';
export {
  Heartbeat,
  type HeartbeatActivity,
  type HeartbeatActivity as HeartbeatBeat,
  type HeartbeatLateness,
} from './heartbeat';
export type { HeartbeatOptions } from './options';
export type { DeathReason, PeerDeath } from './peer-death';
export { HeartbeatTimeoutError } from './timeout-error';
