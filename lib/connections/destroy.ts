// destroyConnection: ends a connection, of whichever process it is.

import { binding, typeError } from '../given';
import type { Connection } from './connection';
import { refused, system } from './systems';

export function destroyConnection(connection: Connection): void {
  if (typeof connection !== 'object' || connection === null) {
    throw typeError('connection', 'a connection of listConnections()', connection);
  }
  const { destroyRequest } = system();
  const status = binding().destroyConnection(destroyRequest(connection));
  if (status < 0) throw refused(status, 'destroy');
}
