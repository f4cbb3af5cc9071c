// Applies several tunings to one socket: the later one wins.

import { isChosen } from '../dead-peer/choices';
import { planOfServer } from '../dead-peer/dead-peer-timeout';
import type { Bound } from '../dead-peer/supervision/connecting';
import { isSupervised, supervisionOf } from '../dead-peer/supervision/supervisor';
import { protectKeepAlive } from '../options/protect-keepalive';
import type { Connection, Tuner } from './tuner';

/** Tunes a connection, unless the program has chosen its dead-peer timeout already. */
export function tuneBy(tuners: readonly Tuner[], found: Omit<Connection, 'isChosen'>): void {
  const { socket, side, handle, isFresh } = found;
  const { server } = socket as { server?: unknown };
  const hasPlan =
    (isFresh ? supervisionOf(socket) !== undefined : isSupervised(socket)) ||
    planOfServer(server) !== undefined;
  const connection = { ...found, isChosen: hasPlan || isChosen(socket, handle) };
  const controls = tuners
    .map((tuner) => ({ owner: tuner, names: tuner.tune(connection) }))
    .filter(({ names }) => names.length > 0);
  if (controls.length === 0) return;
  protectKeepAlive(socket, handle, controls, (tuner, error) => tuner.report(error, socket, side));
}

/** Returns the bounds of connecting. Of the tunings that want a socket, the last one decides. */
export function boundsBy(tuners: readonly Tuner[]): Bound[] {
  return tuners.flatMap((tuner) => {
    const timeout = tuner.connectTimeout;
    if (timeout === undefined) return [];
    const mayEnd: Bound['mayEnd'] = (socket, addresses) =>
      tuners.findLast((one) => one.boundsConnecting(socket, addresses)) === tuner;
    return [{ timeout, mayEnd }];
  });
}
