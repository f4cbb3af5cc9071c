// The channels of node:diagnostics_channel on which this package says what it did, for logs, traces and metrics. The messages
// have their types where they are published.

import { type Channel, channel } from 'node:diagnostics_channel';

/** Node's registry holds channels weakly: these stay. Each bundle has them: a channel belongs to its name. */
export const channels = {
  tuned: channel('socket-options:tuned'),
  tuningFailed: channel('socket-options:tuning-failed'),
  deadPeer: channel('socket-options:dead-peer'),
  connectTimeout: channel('socket-options:connect-timeout'),
  heartbeatLate: channel('socket-options:heartbeat:late'),
  heartbeatDead: channel('socket-options:heartbeat:dead'),
} as const;

/** Publishes a message, which is made only for a subscriber. What a subscriber throws is an uncaught exception. */
export function publish<Message extends object>(to: Channel, message: () => Message): void {
  if (to.hasSubscribers) to.publish(message());
}
