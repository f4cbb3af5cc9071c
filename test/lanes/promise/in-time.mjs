// Decides whether a program was told of a dead peer in time.

/** Tolerance for timers, in milliseconds. */
const SLACK = 250;

/** Supervision's own reason, and the kernel's. */
const REASONS = new Set(
  `ETIMEDOUT ECONNRESET EPIPE ECONNREFUSED ECONNABORTED EHOSTUNREACH ENETUNREACH EHOSTDOWN ENETDOWN
  ENOTSUP ENONET ENOPROTOOPT EOPNOTSUPP EMSGSIZE EPERM EACCES EPROTO`.split(/\s+/),
);

/**
 * Before Node 24, libuv reports the end of the stream for a reset that arrives together with data, also without this package.
 * No look of supervision comes as soon as this after the last segment.
 */
const hasEndsForResets = Number.parseInt(process.versions.node, 10) < 24;
const AT_ONCE = 250;

/** How long after the peer fell silent a program must be told: the timeout, or the longer bound that the plan named. */
export function allowedFor({ timeout, named }) {
  return Math.max(timeout, named ?? 0) + SLACK;
}

/**
 * Judges a case. `failure`: why there was none, because the package refused the socket or ended it too early. Times are
 * those of `performance.now()`:
 * - `fault`: when the fault began, and `lastArrival`: when the last segment of the peer arrived, as the relay saw it;
 * - `told`: when the program got 'error' or 'close'; `null`: it did not until `watchedUntil`;
 * - `code`: of the error; `null`: there was none, so the stream looked complete;
 * - `endedAt`: when the stream ended as if it were complete; `null`: it did not.
 * `isReset`: the fault answers our segments with a reset.
 *
 * A late verdict is excused by as much as the machine gave this process no time since the peer fell silent: then the looks
 * and their timers are late. So it is not judged: the lane runs the case again.
 */
export function judge({
  failure,
  timeout,
  named,
  fault,
  lastArrival,
  told,
  code,
  endedAt,
  excused,
  isReset,
}) {
  if (failure !== undefined) return { isRight: false, why: failure };
  const since = Math.max(fault, lastArrival);
  const allowed = allowedFor({ timeout, named });
  if (told === null) return { isRight: false, why: 'never told', allowed };
  const after = Math.round(told - since);
  const late = after - allowed;
  if (late > 0 && late > excused(since, told)) {
    return { isRight: false, why: 'told late', after, allowed };
  }
  if (hasEndsForResets && isReset && code === null && endedAt !== null && after < AT_ONCE) {
    return { isRight: true, why: 'end for a reset', after, allowed };
  }
  if (code === null) return { isRight: false, why: 'told without an error', after, allowed };
  if (endedAt > fault) return { isRight: false, why: 'ended as if complete', after, allowed };
  if (!REASONS.has(code)) return { isRight: false, why: `told ${code}`, after, allowed };
  return { isRight: true, why: late > 0 ? 'excused' : 'in time', after, allowed };
}
