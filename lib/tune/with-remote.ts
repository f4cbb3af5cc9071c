// Shows a filter the address that a socket is trying.

import type { Socket } from 'node:net';
import { builtins } from '../core/builtins';
import type { Address } from '../dead-peer/supervision/connect-timeout';

/**
 * A socket that is connecting has no remote address. The filter gets the one that is tried, so that it decides as it will when
 * the socket is connected.
 */
export function withRemote<Result>(
  socket: Socket,
  { address, port }: Address,
  use: () => Result,
): Result {
  const remote = {
    remoteAddress: address,
    remotePort: port,
    remoteFamily: address === undefined ? undefined : `IPv${builtins.net.isIP(address)}`,
  };
  for (const [name, value] of Object.entries(remote)) {
    Object.defineProperty(socket, name, { value, configurable: true });
  }
  try {
    return use();
  } finally {
    for (const name of Object.keys(remote)) Reflect.deleteProperty(socket, name);
  }
}
