// The public types of problems.

/**
 * What is wrong with a connection, as a stable name for programs.
 *
 * - `'half-open'`: the peer does not answer. It may be gone.
 * - `'handshake-unanswered'`: the peer does not answer the handshake.
 * - `'accept-queue-full'`: the program does not accept fast enough.
 * - `'close-wait'`: the peer has closed the connection, the program here has not.
 * - `'window-closed'`: the peer's program does not read, so data waits here.
 * - `'unread'`: the program here does not read what has arrived.
 * - `'lossy-path'`: many bytes were sent again.
 * - `'no-keepalive'`: keepalive is off. If the peer vanishes while nothing is sent, the program is not told.
 */
export type ProblemCode =
  | 'half-open'
  | 'handshake-unanswered'
  | 'accept-queue-full'
  | 'close-wait'
  | 'window-closed'
  | 'unread'
  | 'lossy-path'
  | 'no-keepalive';

/** How urgent a problem is. `'critical'`: act now. `'warning'`: look at it soon. `'info'`: worth knowing. */
export type ProblemSeverity = 'critical' | 'warning' | 'info';

/** One thing that is wrong with a connection. */
export interface ConnectionProblem {
  /** A stable name of the problem, for programs. */
  readonly problem: ProblemCode;
  /** How urgent the problem is. */
  readonly severity: ProblemSeverity;
  /**
   * The numbers that the problem follows from: times in milliseconds, sizes in bytes. `{}` for `'close-wait'` and
   * `'no-keepalive'` where the system does not report when the last segment came (`/proc/net/tcp`, macOS, Windows).
   */
  readonly numbers: Readonly<Record<string, number>>;
  /** The problem as a sentence, for people. It may change with a new version. */
  readonly message: string;
}
