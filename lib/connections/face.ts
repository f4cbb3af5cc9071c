// The public functions on connections, with their docs.

import { kit } from '../kit';
import type { Connection, ConnectionFilter } from './connection';
import type { ConnectionWatch, ConnectionWatchOptions } from './watch';

// Loaded with the package, since the folder may be gone or out of reach when a call needs it.
const parts = require('./index.js') as typeof import('./index');
parts.useKit(kit());

/**
 * The TCP connections and listening sockets of this network namespace, those of other processes and
 * users too: `listConnections({ remotePort: 5432, state: 'ESTABLISHED', tcpInfo: true })`.
 *
 * Times in milliseconds, queues in bytes. No privilege is needed. In Linux one microsecond for each
 * connection, and as much again for each that is returned; states, ports and addresses are filtered in
 * the kernel. Not an instant's picture: a connection that changes meanwhile may be missed.
 *
 * Linux `NETLINK_SOCK_DIAG` (sock_diag(7)); `owners` and `ownProcess` by `/proc/<pid>/fd`. macOS
 * `net.inet.tcp.pcblist_n`, Windows `GetExtendedTcpTable`: of the whole machine, with less (no
 * `tcpInfo`, no timers); neither has been run yet.
 *
 * What could not be read is an error or `null`, never an empty list.
 * @throws TypeError, RangeError for a wrong filter, before any system call.
 * @throws SocketOptionError where the system has no such list, or keeps it from this process:
 *   `EPROTONOSUPPORT`, `ENOENT` (gVisor, a kernel without `CONFIG_INET_DIAG`), `EACCES`, `EPERM`,
 *   `EAFNOSUPPORT`; `EPROTO` for an answer without an end; with `ownProcess`, where `/proc/self/fd` cannot
 *   be read, the reason with `syscall` `'opendir'`.
 */
export function listConnections(filter?: ConnectionFilter): Connection[] {
  return parts.listConnections(filter);
}

/**
 * The same list as of {@link listConnections}, made in slices that hold the event loop up for about a
 * millisecond at the most: for many thousands of connections, or with `owners`.
 *
 * Rejects with what {@link listConnections} throws.
 */
export async function listConnectionsAsync(filter?: ConnectionFilter): Promise<Connection[]> {
  return parts.listConnectionsAsync(filter);
}

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
  parts.destroyConnection(connection);
}

/**
 * Tells every TCP socket of this network namespace that ends, those of other processes too, with its
 * last counters: `watchClosedConnections().on('closed', ({ remoteAddress, tcpInfo }) => ...)`.
 *
 * Each is told once, as `'CLOSED'`, with its `cookie` and without inode and user, when the kernel is
 * done with it: for the side that closed first on its way to `TIME-WAIT`. `remotePort` is 0 of those
 * that were not connected, as listening ones, and of those whose own side reset the connection
 * (`resetAndDestroy()`): their ends and their counters the kernel has cleared by then.
 *
 * It does not keep the process from ending, unless `ref()` is called. Close it with `close()`, or with
 * `using`.
 *
 * `'error'`: the watch cannot go on and is closed. It reports the connections that it had kept first. As with every
 * EventEmitter, an `'error'` without a listener is thrown. Its code is that of the system call that failed;
 * `EBADF`: the program has closed one of the watch's three descriptors, for example all above 2. The
 * watch then leaves the sockets alone that have their numbers by now. `EINTR`, `ENOBUFS`, `EMSGSIZE` and
 * `EAGAIN` are errors only after 1000 of them in a row without a message.
 *
 * Linux `SKNLGRP_INET_TCP_DESTROY` (sock_diag(7), 4.6), which a thread reads; no privilege is needed.
 * @throws TypeError, RangeError for wrong options.
 * @throws SocketOptionError as {@link listConnections}; `ENOTSUP` on macOS and Windows.
 */
export function watchClosedConnections(options?: ConnectionWatchOptions): ConnectionWatch {
  return parts.watchClosedConnections(options);
}
