// destroyConnection: ends a connection, of whichever process it is.

import { binding, typeError } from '../given';
import type { Connection } from './connection';
import { failed, system } from './systems';

export function destroyConnection(connection: Connection): void {
  if (typeof connection !== 'object' || connection === null) {
    throw typeError('connection', 'a connection of listConnections()', connection);
  }
  const { destroyRequest } = system();
  // A copy: each member is read once, so that what was checked is what the kernel gets.
  const { family, localAddress, localPort, remoteAddress, remotePort } = connection;
  const { interfaceIndex, cookie } = connection;
  const named = {
    family,
    localAddress,
    localPort,
    remoteAddress,
    remotePort,
    interfaceIndex,
    cookie,
  };
  const status = binding().destroyConnection(destroyRequest(named));
  if (status < 0) throw failed(status, 'destroy');
}
