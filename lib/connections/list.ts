// listConnections and listConnectionsAsync: the same steps, run at once or in slices.

import { connectionBatches, connectionSlices } from './batches';
import type { Connection, ConnectionFilter } from './connection';
import { type ParsedFilter, parseFilter } from './filter';

/**
 * Lists the TCP connections and listening sockets of this network namespace, of all processes and users.
 *
 *     listConnections({ remotePort: 5432, state: 'ESTABLISHED', tcpInfo: true });
 *
 * Returns times in milliseconds and queues in bytes. A value that could not be read is `null`; a list that
 * could not be read is an error, never an empty list. The list is not a snapshot: a connection that changes
 * meanwhile may be missing.
 *
 * No privilege is needed. On Linux it takes about one microsecond for each connection of the system, and
 * one more for each that is returned: the kernel filters by state, port and address. The kernel also goes through its whole
 * table once, which takes 2 to 5 ms where it has room for 262 144 connections.
 *
 * - Linux: `NETLINK_SOCK_DIAG` (sock_diag(7)); `owners` and `ownProcess` by `/proc/<pid>/fd`. Where that is refused (gVisor,
 *   a container whose seccomp filter does not allow `AF_NETLINK`): `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)). Then
 *   `tcpInfo`, `congestionControl`, `cookie`, `interfaceIndex` and `mptcp` are `null`, and so is the `sendQueue` of a
 *   listening socket; timers have a resolution of 10 ms. gVisor reports no queues and timers.
 * - macOS: sysctl `net.inet.tcp.pcblist_n`. The whole machine, without `tcpInfo`, timers and owners.
 *   Unverified: it was not run on macOS.
 * - Windows: `GetExtendedTcpTable`. The whole machine, without `tcpInfo`, timers and queues. Unverified: it
 *   was not run on Windows.
 * @throws TypeError, RangeError for a wrong filter, before any system call.
 * @throws SocketOptionError if the system has no such list or denies it to this process, and `/proc/net/tcp` too:
 *   `EPROTONOSUPPORT`, `ENOENT` (gVisor, a kernel without `CONFIG_INET_DIAG`), `EACCES`, `EPERM`,
 *   `EAFNOSUPPORT`; `EPROTO` for an incomplete reply; with `ownProcess`, the error of opendir(3) if
 *   `/proc/self/fd` cannot be read.
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
 * Returns the same list as {@link listConnections}, made in slices that block the event loop for about a
 * millisecond: for many thousands of connections, or with `owners`. Pauses of V8's garbage collection come on top of that:
 * they grow with the list, to about 15 ms at 100 000 connections. `tcpInfo` and `problems` take more memory for each
 * connection, and make these pauses longer.
 *
 *     const connections = await listConnectionsAsync({ owners: true });
 *
 * Rejects with the errors that {@link listConnections} throws.
 */
export async function listConnectionsAsync(filter?: ConnectionFilter): Promise<Connection[]> {
  const found: Connection[] = [];
  for await (const batch of connectionSlices(filter)) for (const one of batch) found.push(one);
  return found;
}
