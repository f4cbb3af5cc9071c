// listConnections and listConnectionsAsync: one walk in steps, made in one go or in slices.

import { binding } from '../core/addon';
import type { Connection, ConnectionFilter } from './connection';
import { type Conditions, conditionsOf } from './filter';
import { BROKEN } from './linux/messages';
import type { Query } from './platform';
import { failed, refused, system } from './this-platform';

/** What the kernel gives in one call, at the most. */
const PIECE = 32 * 1024;

/** How often to ask again where the answer may have gaps; then it is as good as it gets. */
const ATTEMPTS = 4;

/** For how long a slice may keep the event loop, in milliseconds; a step more is possible. */
const SLICE = 0.5;

/** A walk over the answers of the system, in steps of less than a millisecond each. */
function* walk(conditions: Conditions): Generator<void, Connection[]> {
  const { queries, own } = system();
  const memory = new Uint8Array(PIECE);
  let found: Connection[] = [];
  for (const newQuery of queries(conditions)) {
    for (let attempt = 1; ; attempt++) {
      const query = newQuery();
      const answer = yield* read(query, memory);
      if (query.interrupted && attempt < ATTEMPTS) continue;
      if (!query.complete) throw refused(BROKEN, 'list');
      found = found.concat(answer);
      break;
    }
  }
  return yield* own(found, conditions);
}

function* read(query: Query, memory: Uint8Array): Generator<void, Connection[]> {
  const { openConnectionTable, readConnectionTable, closeConnectionTable } = binding();
  const found: Connection[] = [];
  const pieces: Uint8Array[] = [];
  const table = openConnectionTable(query.request);
  let status = table;
  let failure = status < 0 ? failed(status, 'list') : undefined;
  try {
    while (status > 0) {
      status = readConnectionTable(table, memory);
      if (status < 0) failure = failed(status, 'list');
      if (status <= 0) break;
      if (query.parse === undefined) pieces.push(memory.slice(0, status));
      else for (const one of query.parse(memory.subarray(0, status))) found.push(one);
      yield;
    }
  } finally {
    closeConnectionTable(table);
  }
  if (query.errno < 0) failure ??= refused(query.errno, 'list');
  if (failure !== undefined && !query.optional) throw failure;
  return query.whole === undefined ? found : [...query.whole(Buffer.concat(pieces))];
}

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
  const steps = walk(conditionsOf(filter, 'filter'));
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * The same list as of {@link listConnections}, made in slices that hold the event loop up for about a
 * millisecond at the most: for many thousands of connections, or with `owners`.
 *
 * Rejects with what {@link listConnections} throws.
 */
export async function listConnectionsAsync(filter?: ConnectionFilter): Promise<Connection[]> {
  const steps = walk(conditionsOf(filter, 'filter'));
  for (;;) {
    const end = performance.now() + SLICE;
    do {
      const { done, value } = steps.next();
      if (done) return value;
    } while (performance.now() < end);
    await new Promise(setImmediate);
  }
}
