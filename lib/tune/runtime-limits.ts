// Refuses what the runtime, or a filter, keeps tuneSockets() from doing.

import { rows } from '../catalogue/catalogue';
import { SocketOptionError } from '../core/errors';
import { valueError } from '../core/validate';
import { requireBefore } from '../open/early-handle';
import { isEarlyOnly, type Tuning } from './tuning';

/** Options that choose the way of a connection: it would break if the SYN had gone another way. */
const ROUTES = ['mark', 'bindToDevice'];

/** Throws for options that act only before the first packet, where they cannot be set then. */
export function validateEarly(
  tunings: { readonly client: Tuning | undefined; readonly server: Tuning | undefined },
  hasFilter: boolean,
): void {
  for (const [side, tuning] of Object.entries(tunings)) {
    for (const [name, value] of Object.entries(tuning ?? {})) {
      const row = rows()[name];
      if (value === undefined || row === undefined) continue;
      if (!isEarlyOnly(row) && !(side === 'client' && ROUTES.includes(name))) continue;
      requireBefore(side === 'client' ? 'connect' : 'listen');
      if (side === 'client' || !hasFilter) continue;
      const reason =
        'has no effect with a filter: it acts before a server listens, and a filter takes a connected socket';
      throw valueError(`options.server.${name}`, reason, value);
    }
  }
}

/** Throws for what needs more than Bun reports. */
export function refuseOnBun(server: Tuning | undefined, adopt: boolean): void {
  if (process.versions.bun === undefined) return;
  const code = 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';
  if (server !== undefined) {
    throw new SocketOptionError(
      "Bun does not report the sockets that its HTTP servers accept: call setOptions() on the sockets of a net.Server's 'connection' event",
      { code },
    );
  }
  if (adopt) {
    throw new SocketOptionError(
      'Bun does not report the sockets that are open: call tuneSockets() before the sockets are opened',
      { code },
    );
  }
}
