// Takes the problem of a connection that its row is marked with.

import { keepAliveByTimer, problemsOf } from '../connections/problems';
import type { Connection } from '../index';

/** A connection, and why its peer may be gone; `null`: nothing suggests it. */
export interface Observed {
  readonly connection: Connection;
  readonly suspicion: string | null;
}

export const observe = (connection: Connection): Observed => ({
  connection,
  suspicion: findSuspicion(connection),
});

/** Why the peer of a connection may be gone; `null` if nothing suggests it. */
export function findSuspicion(connection: Connection): string | null {
  const evidence = { ...connection, keepAlive: keepAliveByTimer(connection, process.platform) };
  const found = problemsOf(evidence).find(
    ({ problem }) => problem === 'half-open' || problem === 'handshake-unanswered',
  );
  return found?.message ?? null;
}
