// Marks the handles of connections that supervision bounds, for other bundles: each has a copy of this file.

/** In the registry of symbols, because each copy must have the same one. */
const SUPERVISED = Symbol.for('socket-options.supervised');

interface MarkedHandle {
  [SUPERVISED]?: boolean;
}

/** Notes on a handle whether supervision ends its connection if the peer is dead. */
export function markSupervised(handle: object, isSupervised: boolean): void {
  (handle as MarkedHandle)[SUPERVISED] = isSupervised;
}

/** Whether supervision ends the connection of this handle if the peer is dead. */
export function isMarkedSupervised(handle: object): boolean {
  return (handle as MarkedHandle)[SUPERVISED] === true;
}
