// diagnoseConnections: what is wrong with the connections of this system, as data.

import type { Connection, ConnectionFilter } from './connection';
import { parseFilter } from './filter';
import { listParsed } from './list';
import type { ConnectionProblem } from './problem';
import { severities } from './problems';

/** A problem, and the connection that has it. */
export interface Diagnosis extends ConnectionProblem {
  /** The connection that has the problem, with its `tcpInfo` and all its `problems`. */
  readonly connection: Connection;
}

/**
 * Returns what is wrong with the connections of this network namespace, as data; the worst first.
 *
 * A connection with two problems comes twice. `listConnections({ problems: true })` has the same as a member of each
 * connection. A problem is only found if the system reports what it follows from. Where the time of the last segment is
 * not reported, `numbers` may be `{}`.
 * @example
 * ```ts
 * for (const { problem, connection, message } of diagnoseConnections({ remotePort: 5432 })) {
 *   console.log(problem, connection.remoteAddress, message); // half-open 192.0.2.7 the peer may be gone: ...
 * }
 * ```
 * @param filter Which connections to look at. Default: all.
 * @returns The problems. `problem` and `numbers` are for programs and stay the same; `message` is for people. Times are
 *   in milliseconds, sizes in bytes.
 * @throws SocketOptionError, TypeError, RangeError as {@link listConnections}.
 * @systems Linux: every problem. Linux without netlink (`/proc/net/tcp`): `'half-open'`, `'handshake-unanswered'`,
 *   `'close-wait'` and `'no-keepalive'`; gVisor has only states. macOS: `'close-wait'` and `'accept-queue-full'`.
 *   Windows: `'close-wait'`. Not on FreeBSD. It was not run on macOS and Windows.
 * @see ss(8), RFC 9293 section 3.8
 */
export function diagnoseConnections(filter?: ConnectionFilter): Diagnosis[] {
  const checked = { ...parseFilter(filter, 'filter'), tcpInfo: true, problems: true };
  const diagnoses = listParsed(checked).flatMap((connection) =>
    (connection.problems ?? []).map((problem) => ({ ...problem, connection })),
  );
  const rank = ({ severity }: Diagnosis) => severities.indexOf(severity);
  return diagnoses.sort((a, b) => rank(a) - rank(b));
}
