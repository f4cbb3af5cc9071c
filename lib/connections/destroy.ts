// destroyConnection: closes a connection of any process.

import { binding } from '../core/addon';
import { typeError } from '../core/validate';
import type { Connection } from './connection';
import { currentPlatform, systemCallError } from './this-platform';

/**
 * Closes a connection, or a listening socket, of any process of this network namespace.
 *
 * The process gets `ECONNABORTED`, the peer a reset. On Linux the cookie identifies the socket: a newer socket with the
 * same addresses is never closed. On Windows the addresses and ports identify it, because there are no cookies.
 * @example
 * ```ts
 * for (const connection of listConnections({ remotePort: 5432 })) destroyConnection(connection);
 * ```
 * @param connection A connection that {@link listConnections} returned, also after a round trip through JSON.
 * @throws SocketOptionError `EPERM` without the privilege, `ENOENT` if there is no such connection any more, `ENOTSUP`
 *   if the system cannot do it (macOS, FreeBSD; IPv6 on Windows; Linux without `CONFIG_INET_DIAG_DESTROY`; a connection
 *   from `/proc/net/tcp`), or as {@link listConnections}.
 * @throws TypeError, RangeError for an argument that does not identify a connection.
 * @systems Linux 4.5: `SOCK_DESTROY`, requires CAP_NET_ADMIN. Windows: `SetTcpEntry`, requires an elevated process;
 *   IPv4 only; it was not run there. Not on macOS and FreeBSD.
 * @see sock_diag(7)
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
