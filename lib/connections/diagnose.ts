// diagnoseConnections: what is wrong with the connections of this system, as data.

import type { Connection, ConnectionFilter } from './connection';
import { parseFilter } from './filter';
import { listParsed } from './list';
import type { ConnectionProblem } from './problem';
import { severities } from './problems';

/** A problem, and the connection that has it. */
export interface Diagnosis extends ConnectionProblem {
  readonly connection: Connection;
}

/**
 * Returns what is wrong with the connections of this network namespace, as data; the worst first.
 *
 * ```js
 * for (const { problem, connection, message } of diagnoseConnections({ remotePort: 5432 })) {
 *   console.log(problem, connection.remoteAddress, message); // half-open 192.0.2.7 the peer may be gone: ...
 * }
 * ```
 *
 * A connection with two problems comes twice. `listConnections({ problems: true })` has the same as a member of each
 * connection. Times are in milliseconds, sizes in bytes. A problem is only found if the system reports what it follows from:
 * Windows has the states, so only `'close-wait'` is found there; macOS also has the accept queues (`'accept-queue-full'`).
 * Linux without netlink (`/proc/net/tcp`) has states and timers: `'half-open'`, `'handshake-unanswered'`, `'close-wait'` and
 * `'no-keepalive'`; gVisor only states. Where the time of the last segment is not reported, `numbers` may be `{}`.
 * @returns The problems. `problem` and `numbers` are for programs and stay the same; `message` is for people.
 * @throws The errors of {@link listConnections}.
 * @see {@link ProblemCode}, ss(8), RFC 9293 section 3.8
 */
export function diagnoseConnections(filter?: ConnectionFilter): Diagnosis[] {
  const checked = { ...parseFilter(filter, 'filter'), tcpInfo: true, problems: true };
  const diagnoses = listParsed(checked).flatMap((connection) =>
    (connection.problems ?? []).map((problem) => ({ ...problem, connection })),
  );
  const rank = ({ severity }: Diagnosis) => severities.indexOf(severity);
  return diagnoses.sort((a, b) => rank(a) - rank(b));
}
