// The method with which Node opens, binds and listens, after it has looked up the name of the host. It is called for every
// kind of server, and has no public name.

import type { Server } from 'node:net';
import { beforeBind, type EarlyHandle, type Prepare, tcpHandlePrototype } from './early-handle';

/** Node 20 to 26 call it in listenInCluster(): lib/net.js. */
export const LISTEN = '_listen2';

export type ListenMethod = (this: unknown, ...args: unknown[]) => void;

export type ListeningServer = Server & {
  [LISTEN]: ListenMethod;
  readonly _handle?: EarlyHandle | null;
};

/**
 * Calls the method, and `prepare` for each handle that it is about to bind: two, if there is no IPv6. Node makes the handle
 * within the method, so only its class can be changed in time.
 */
export function listenAfter(
  prepare: Prepare,
  server: ListeningServer,
  method: ListenMethod,
  args: readonly unknown[],
): void {
  observeBind();
  const outer = preparing;
  // A tuning prepares first, then the program.
  preparing = (handle, family) => {
    const isIpv6Only = prepare(handle, family);
    return outer?.(handle, family) ?? isIpv6Only;
  };
  try {
    Reflect.apply(method, server, args);
  } finally {
    preparing = outer;
  }
}

/** For the server that begins to listen in this moment. */
let preparing: Prepare | undefined;
let isObserving = false;

/** Changes the class once: changing it for each call would cost 6 us of compiled code and of garbage. */
function observeBind(): void {
  if (isObserving) return;
  isObserving = true;
  const prototype = tcpHandlePrototype();
  if (prototype !== null) beforeBind(prototype, (handle, family) => preparing?.(handle, family));
}
