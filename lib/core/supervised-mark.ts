// Marks the handles of connections that supervision bounds, for other bundles: each has a copy of this file.

import { SharedMap } from './shared-map';

const supervised = new SharedMap<object, boolean>('supervised');

/** Notes on a handle whether supervision ends its connection if the peer is dead. */
export function markSupervised(handle: object, isSupervised: boolean): void {
  supervised.set(handle, isSupervised);
}

/** Whether supervision ends the connection of this handle if the peer is dead. */
export function isMarkedSupervised(handle: object): boolean {
  return supervised.get(handle) === true;
}
