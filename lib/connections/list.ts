// listConnections and listConnectionsAsync: the same steps, run at once or in slices.

import { connectionBatches, connectionSlices } from './batches';
import type { Connection, ConnectionFilter } from './connection';
import { type ParsedFilter, parseFilter } from './filter';

/**
 * Lists the TCP connections and listening sockets of this network namespace, of all processes and users.
 *
 * No privilege is needed. The list is not a snapshot: a connection that changes meanwhile may be missing. A list that
 * could not be read is an error, never an empty list.
 *
 * On Linux it takes about one microsecond for each connection of the system, and one more for each that is returned:
 * the kernel filters by state, port and address. The kernel also goes through its whole table once, which takes 2 to 5
 * ms where it has room for 262 144 connections.
 *
 * Where Linux refuses `AF_NETLINK` (gVisor, a seccomp filter of a container), `/proc/net/tcp` and `/proc/net/tcp6` are
 * read. Then `tcpInfo`, `congestionControl`, `cookie`, `interfaceIndex` and `mptcp` are `null`, and so is the
 * `sendQueue` of a listening socket; timers have a resolution of 10 ms. gVisor reports no queues and timers.
 * @example
 * ```ts
 * listConnections({ remotePort: 5432, state: 'ESTABLISHED', tcpInfo: true });
 * ```
 * @param filter Which connections to list, and what to read about each. Default: all connections.
 * @returns The connections: times in milliseconds, queues in bytes. A value that could not be read is `null`.
 * @throws TypeError, RangeError for a wrong filter, before any system call.
 * @throws SocketOptionError if the system has no such list or denies it to this process, and `/proc/net/tcp` too:
 *   `EPROTONOSUPPORT`, `ENOENT` (gVisor, a kernel without `CONFIG_INET_DIAG`), `EACCES`, `EPERM`, `EAFNOSUPPORT`;
 *   `EPROTO` for an incomplete reply; `ENOTSUP` on FreeBSD; with `ownProcess`, `ENOTSUP` on macOS, and the error of
 *   opendir(3) if `/proc/self/fd` cannot be read.
 * @systems Linux: `NETLINK_SOCK_DIAG`; `owners` and `ownProcess` by `/proc/<pid>/fd`. macOS: sysctl
 *   `net.inet.tcp.pcblist_n`, the whole machine, without `tcpInfo`, timers and owners. Windows: `GetExtendedTcpTable`,
 *   the whole machine, without `tcpInfo`, timers and queues. Not on FreeBSD. It was not run on macOS and Windows.
 * @see sock_diag(7), proc(5)
 */
export function listConnections(filter?: ConnectionFilter): Connection[] {
  return listParsed(parseFilter(filter, 'filter'));
}

/** The same by a checked filter. */
export function listParsed(filter: ParsedFilter): Connection[] {
  const found: Connection[] = [];
  for (const batch of connectionBatches(filter)) for (const one of batch) found.push(one);
  return found;
}

/**
 * Lists the same connections as {@link listConnections}, in slices that block the event loop for about a millisecond.
 *
 * It is for many thousands of connections, or for `owners`. Pauses of V8's garbage collection come on top: they grow
 * with the list, to about 15 ms at 100 000 connections. `tcpInfo` and `problems` take more memory for each connection,
 * and make these pauses longer.
 * @example
 * ```ts
 * const connections = await listConnectionsAsync({ owners: true });
 * ```
 * @param filter Which connections to list, and what to read about each. Default: all connections.
 * @returns A promise of the connections: times in milliseconds, queues in bytes.
 * @throws SocketOptionError, TypeError, RangeError as {@link listConnections}: the promise is rejected with them.
 * @systems Linux: `NETLINK_SOCK_DIAG`. macOS: sysctl `net.inet.tcp.pcblist_n`. Windows: `GetExtendedTcpTable`. Not on
 *   FreeBSD. See {@link listConnections}.
 * @see sock_diag(7), proc(5)
 */
export async function listConnectionsAsync(filter?: ConnectionFilter): Promise<Connection[]> {
  const found: Connection[] = [];
  for await (const batch of connectionSlices(filter)) for (const one of batch) found.push(one);
  return found;
}
