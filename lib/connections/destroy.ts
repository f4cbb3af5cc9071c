// destroyConnection: ends a connection, of whichever process it is.

import type { Connection } from './connection';
import { kit } from './kit';
import { refused, system } from './systems';

export function destroyConnection(connection: Connection): void {
  if (typeof connection !== 'object' || connection === null) {
    throw kit.typeError('connection', 'a connection of listConnections()', connection);
  }
  const { destroyRequest } = system();
  const status = kit.binding().destroyConnection(destroyRequest(connection));
  if (status < 0) throw refused(status, 'destroy');
}
