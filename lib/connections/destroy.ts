// destroyConnection: closes a connection of any process.

import { binding } from '../core/addon';
import { typeError } from '../core/validate';
import type { Connection } from './connection';
import { currentPlatform, systemCallError } from './this-platform';

/**
 * Closes a connection, or a listening socket, of any process of this network namespace. The process gets
 * `ECONNABORTED`, the peer a reset.
 *
 *     for (const connection of listConnections({ remotePort: 5432 })) destroyConnection(connection);
 *
 * `connection` is one that {@link listConnections} returned, also after a round trip through JSON. On Linux
 * its cookie identifies the socket: a newer socket with the same addresses is never closed.
 *
 * - Linux 4.5: `SOCK_DESTROY` of sock_diag(7), requires CAP_NET_ADMIN.
 * - Windows: `SetTcpEntry`, requires an elevated process. IPv4 only, identified by addresses and ports,
 *   because there are no cookies. Unverified: it was not run on Windows.
 * - macOS: not supported.
 * @throws SocketOptionError `EPERM` without the privilege, `ENOENT` if there is no such connection any
 *   more, `ENOTSUP` if the system cannot do it (macOS; Linux without `CONFIG_INET_DIAG_DESTROY`), or as
 *   {@link listConnections}.
 * @throws TypeError, RangeError for an argument that does not identify a connection.
 */
export function destroyConnection(connection: Connection): void {
  if (typeof connection !== 'object' || connection === null) {
    throw typeError('connection', 'a connection of listConnections()', connection);
  }
  const { destroyRequest } = currentPlatform();
  // Each member is read once, so that the kernel gets the value that was checked.
  const { family, localAddress, localPort, remoteAddress, remotePort } = connection;
  const { interfaceIndex, cookie } = connection;
  const identity = {
    family,
    localAddress,
    localPort,
    remoteAddress,
    remotePort,
    interfaceIndex,
    cookie,
  };
  const status = binding().destroyConnection(destroyRequest(identity));
  if (status < 0) throw systemCallError(status, 'destroy');
}
