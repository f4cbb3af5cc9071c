// NODE_DEBUG=socket-options prints what this package did, as NODE_DEBUG=net prints what Node did.

import { debuglog } from 'node:util';
import { channels } from './channels';

// Without the variable, debuglog() does nothing either, but takes 0.3 ms.
if (process.env.NODE_DEBUG !== undefined) logChannels();

function logChannels(): void {
  const log = debuglog('socket-options');
  if (!log.enabled) return;
  for (const one of Object.values(channels)) {
    one.subscribe((message, name) => log('%s', describe(String(name), message as object)));
  }
}

/** `dead-peer 10.0.0.1:40001 - 192.0.2.7:5432 timeout=20000 silence=19987: read ETIMEDOUT (...)`. */
function describe(name: string, message: object): string {
  const words = [name.slice('socket-options:'.length)];
  let reason = '';
  for (const [key, value] of Object.entries(message)) {
    if (key === 'socket') words.push(...endpointsOf(value));
    else if (value instanceof Error) reason = `: ${value.message}`;
    else if (typeof value === 'number' || typeof value === 'string') words.push(`${key}=${value}`);
  }
  return words.join(' ') + reason;
}

/** No words for a socket that is not connected: it has no peer yet. */
function endpointsOf(socket: unknown): string[] {
  const { localAddress, localPort, remoteAddress, remotePort } = Object(socket);
  if (remoteAddress === undefined) return [];
  return [`${localAddress}:${localPort}`, '-', `${remoteAddress}:${remotePort}`];
}
