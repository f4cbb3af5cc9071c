// destroyConnection: ends a connection, of whichever process it is.

import { binding } from '../core/addon';
import { typeError } from '../core/validate';
import type { Connection } from './connection';
import { failed, system } from './this-platform';

/**
 * Ends a connection, or a listening socket, of this or of any other process of the network namespace:
 * one that {@link listConnections} returned. Its process gets `ECONNABORTED`, its peer a reset.
 *
 * The socket is named by its cookie: never another one that has the same addresses by now. A connection
 * that went through JSON does as well.
 *
 * Linux `SOCK_DESTROY` (4.5), with CAP_NET_ADMIN. Windows `SetTcpEntry`, elevated: IPv4 only, named by
 * its addresses and ports, since there are no cookies (not run yet).
 * @throws SocketOptionError `EPERM` without that privilege, `ENOENT` where the connection is gone,
 *   `ENOTSUP` where the system cannot (macOS; Linux without `CONFIG_INET_DIAG_DESTROY`), or as
 *   {@link listConnections}.
 * @throws TypeError, RangeError for what is no connection that can be named.
 */
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
