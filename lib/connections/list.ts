// listConnections and listConnectionsAsync: the same steps, run at once or in slices.

import { binding } from '../core/addon';
import type { Connection, ConnectionFilter } from './connection';
import { type ParsedFilter, parseFilter } from './filter';
import { NEGATIVE_EPROTO } from './linux/messages';
import { CHUNK_SIZE, type ConnectionQuery } from './platform';
import { keepAliveByTimer, problemsOf } from './problems';
import { currentPlatform, replyError, systemCallError } from './this-platform';

/** How often a query is made if its reply may have gaps. The last reply is accepted. */
const MAX_ATTEMPTS = 4;

/** The length of a slice in milliseconds. It ends with the step that exceeds it. */
const SLICE_LENGTH = 0.5;

/** Lists connections in steps of less than a millisecond each. */
function* listInSteps(filter: ParsedFilter): Generator<void, Connection[]> {
  const { queries, attachOwners } = currentPlatform();
  const buffer = new Uint8Array(CHUNK_SIZE);
  let found: Connection[] = [];
  for (const newQuery of queries(filter)) {
    for (let attempt = 1; ; attempt++) {
      const query = newQuery();
      const answer = yield* runQuery(query, buffer);
      if (query.interrupted && attempt < MAX_ATTEMPTS) continue;
      if (!query.complete) throw replyError(NEGATIVE_EPROTO, 'list');
      found = found.concat(answer);
      break;
    }
  }
  const listed = yield* attachOwners(found, filter);
  return filter.problems ? yield* withProblems(listed) : listed;
}

/** How many connections are diagnosed in a step. */
const DIAGNOSED_AT_ONCE = 256;

function* withProblems(listed: readonly Connection[]): Generator<void, Connection[]> {
  const found: Connection[] = [];
  for (const connection of listed) {
    found.push({ ...connection, problems: problemsOfConnection(connection) });
    if (found.length % DIAGNOSED_AT_ONCE === 0) yield;
  }
  return found;
}

const problemsOfConnection = (connection: Connection) =>
  problemsOf({ ...connection, keepAlive: keepAliveByTimer(connection, process.platform) });

/** Makes a query; each step reads one chunk of its reply into `buffer`. */
export function* runQuery(
  query: ConnectionQuery,
  buffer: Uint8Array,
): Generator<void, Connection[]> {
  const { openConnectionTable, readConnectionTable, closeConnectionTable } = binding();
  const found: Connection[] = [];
  const chunks: Uint8Array[] = [];
  const table = openConnectionTable(query.request);
  let status = table;
  let failure = status < 0 ? systemCallError(status, 'list') : undefined;
  try {
    while (status > 0) {
      status = readConnectionTable(table, buffer);
      if (status < 0) failure = systemCallError(status, 'list');
      if (status <= 0) break;
      if (query.parseChunk === undefined) chunks.push(buffer.slice(0, status));
      else for (const one of query.parseChunk(buffer.subarray(0, status))) found.push(one);
      yield;
    }
  } finally {
    closeConnectionTable(table);
  }
  if (query.errno < 0) failure ??= replyError(query.errno, 'list');
  if (failure !== undefined && !query.optional) throw failure;
  return query.parseAll === undefined ? found : [...query.parseAll(Buffer.concat(chunks))];
}

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
 * one more for each that is returned: the kernel filters by state, port and address.
 *
 * - Linux: `NETLINK_SOCK_DIAG` (sock_diag(7)); `owners` and `ownProcess` by `/proc/<pid>/fd`.
 * - macOS: sysctl `net.inet.tcp.pcblist_n`. The whole machine, without `tcpInfo`, timers and owners.
 *   Unverified: it was not run on macOS.
 * - Windows: `GetExtendedTcpTable`. The whole machine, without `tcpInfo`, timers and queues. Unverified: it
 *   was not run on Windows.
 * @throws TypeError, RangeError for a wrong filter, before any system call.
 * @throws SocketOptionError if the system has no such list or denies it to this process:
 *   `EPROTONOSUPPORT`, `ENOENT` (gVisor, a kernel without `CONFIG_INET_DIAG`), `EACCES`, `EPERM`,
 *   `EAFNOSUPPORT`; `EPROTO` for an incomplete reply; with `ownProcess`, the error of opendir(3) if
 *   `/proc/self/fd` cannot be read.
 */
export function listConnections(filter?: ConnectionFilter): Connection[] {
  return listParsed(parseFilter(filter, 'filter'));
}

/** The same by a checked filter. */
export function listParsed(filter: ParsedFilter): Connection[] {
  const steps = listInSteps(filter);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Returns the same list as {@link listConnections}, made in slices that block the event loop for about a
 * millisecond at most: for many thousands of connections, or with `owners`.
 *
 *     const connections = await listConnectionsAsync({ owners: true });
 *
 * Rejects with the errors that {@link listConnections} throws.
 */
export async function listConnectionsAsync(filter?: ConnectionFilter): Promise<Connection[]> {
  const steps = listInSteps(parseFilter(filter, 'filter'));
  for (;;) {
    const end = performance.now() + SLICE_LENGTH;
    do {
      const { done, value } = steps.next();
      if (done) return value;
    } while (performance.now() < end);
    await new Promise(setImmediate);
  }
}
