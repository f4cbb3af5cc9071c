// The method with which Node opens, binds and listens, after it has looked up the name of the host. It is called for every
// kind of server, and has no public name.

import type { Server } from 'node:net';
import { beforeBind, type EarlyHandle, type Family, tcpHandlePrototype } from './early-handle';

/** Node 20 to 26 call it in listenInCluster(): lib/net.js. */
export const LISTEN = '_listen2';

export type ListenMethod = (this: unknown, ...args: unknown[]) => void;

export type ListeningServer = Server & {
  [LISTEN]: ListenMethod;
  readonly _handle?: EarlyHandle | null;
};

/**
 * Calls the method, and `prepare` for each handle that it is about to bind: two, if there is no IPv6. Node makes the handle
 * within the method, so only its class can be changed in time. It is changed for this one synchronous call.
 */
export function listenAfter(
  prepare: (handle: EarlyHandle, family: Family) => void,
  server: ListeningServer,
  method: ListenMethod,
  args: readonly unknown[],
): void {
  const prototype = tcpHandlePrototype();
  const restore = prototype === null ? undefined : beforeBind(prototype, prepare);
  try {
    Reflect.apply(method, server, args);
  } finally {
    restore?.();
  }
}
