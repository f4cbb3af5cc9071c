// The four values that make one promise: chosen together, since each of them alone breaks it.

import type { SocketOptions } from '../catalogue/catalogue';
import {
  boundsOf,
  type DeadPeerBounds,
  type DeadPeerPlatform,
  type DeadPeerValues,
  falseAlarmsPerHour,
  probesOf,
  type Retransmission,
  timerLateness,
} from './rules';

/** What a closed window of the peer means: see {@link DeadPeerOptions.zeroWindow}. */
export type ZeroWindow = 'fail' | 'tolerate';

export interface DeadPeerOptions {
  /**
   * Keepalive probes that have to go unanswered until a peer is called dead: 3 unless given, 1 at the
   * least. With fewer a smaller timeout is possible, and a lost packet may decide.
   */
  readonly minProbes?: number | undefined;
  /**
   * A living peer that does not read closes its window, and data waits in our send queue. On Linux
   * `userTimeout` ends such a connection too, although the peer still answers. `'fail'` (the default)
   * takes that as it is: whoever does not read for about half of the timeout counts as dead.
   * `'tolerate'` leaves the user timeout off, and bounds unacknowledged data by more frequent
   * retransmissions instead: Linux 6.15 (`TCP_RTO_MAX_MS`), and from about 22 s on. macOS and
   * FreeBSD tolerate it anyway, since their keepalive covers data in flight too.
   */
  readonly zeroWindow?: ZeroWindow | undefined;
}

export interface PlanOptions extends DeadPeerOptions {
  /** The system whose rules hold; that which runs, unless given. gVisor (Cloud Run, GKE Sandbox) calls itself Linux. */
  readonly platform?: DeadPeerPlatform | undefined;
  /**
   * The connection's retransmission timeout, in ms: how long it waits for an acknowledgement before it
   * sends data again. It counts into the bounds. 1 000, what TCP begins with, unless given.
   */
  readonly retransmissionTimeout?: number | undefined;
  /** The share of packets that the path loses in each direction, 0 to 1: for `falseAlarmsPerHour`. */
  readonly lossRate?: number | undefined;
}

/** What keeps a promise, and what follows from it: frozen. Times in milliseconds. */
export interface DeadPeerPlan {
  readonly platform: DeadPeerPlatform;
  readonly timeout: number;
  /** What `setDeadPeerTimeout` sets. */
  readonly options: Readonly<SocketOptions>;
  /** Unanswered keepalive probes that end an idle connection. */
  readonly probes: number;
  /** The retransmission timeout that the bounds allow for. */
  readonly retransmissionTimeout: number;
  /** By the system's rules; its timers may be late by a little, for which there is room in `timeout`. */
  readonly bounds: DeadPeerBounds;
  /** Whether a living peer that does not read is ended: see `zeroWindow`. */
  readonly zeroWindow: ZeroWindow;
  /** The chance, 0 to 1, that a living and idle peer is taken for dead within an hour; `null` without a `lossRate`. */
  readonly falseAlarmsPerHour: number | null;
  /** Why these values, in a sentence or two; and what was assumed because it could not be read. */
  readonly why: string;
  /** `false`: by the system's documents and source; nobody has run it there yet. */
  readonly measured: boolean;
}

/** What there is to choose for a plan, checked. */
export interface PlanRequest {
  readonly platform: DeadPeerPlatform;
  readonly minProbes: number;
  readonly zeroWindow: ZeroWindow;
  readonly retransmission: Retransmission;
  /** What `retransmission` assumes because it could not be read, in sentences. */
  readonly assumptions: readonly string[];
  /** Where the system always sends so many probes. */
  readonly fixedCount?: number | undefined;
}

/** More probes than these find no dead peer that fewer would not. */
const ENOUGH_PROBES = 5;
/** Timers are late by so much anywhere, which counts as in time. */
const TIMER_SLACK = 250;
/** What kernels take keepalive times in. */
const SECOND = 1_000;
/** TCP_KEEPIDLE and TCP_KEEPINTVL of Linux, which the others exceed. */
const LONGEST_DELAY = 32_767 * SECOND;
/** TCP_KEEPCNT of Linux and gVisor. */
const MOST_PROBES = 127;
/** TCP_RTO_MAX_MS. */
const SHORTEST_TIMEOUT_MAX = 1_000;
const LONGEST_TIMEOUT_MAX = 120_000;

interface Choice {
  readonly values: DeadPeerValues;
  /** Of `zeroWindow: 'tolerate'` on Linux. */
  readonly timeoutMax: number | null;
  readonly bounds: DeadPeerBounds;
}

/** Whether keepalive alone keeps the promise. */
export function keepAliveSuffices(platform: DeadPeerPlatform): boolean {
  return platform === 'darwin' || platform === 'freebsd';
}

/**
 * Looked at whenever a probe is due: so halfway between the last two of them, or later where timers may
 * be so late that one probe fewer would have gone out by then.
 */
function userTimeoutFor(initialDelay: number, interval: number, probes: number): number {
  const late = timerLateness(initialDelay) + (probes - 1) * timerLateness(interval);
  const between = Math.max(interval / 2, Math.ceil(late * 1.25));
  return initialDelay + (probes - 1) * interval + between;
}

function choiceOf(
  request: PlanRequest,
  probes: number,
  initialDelay: number,
  interval: number,
  timeoutMax: number | null,
): Choice {
  const { platform, retransmission } = request;
  const byCount = keepAliveSuffices(platform) || timeoutMax !== null;
  const userTimeout = byCount ? 0 : userTimeoutFor(initialDelay, interval, probes);
  const chosen = {
    keepAlive: true,
    keepAliveInitialDelay: initialDelay,
    keepAliveInterval: interval,
    keepAliveCount: probes,
    userTimeout,
  };
  // The count that is in effect, also where it is not looked at: for people, and for gVisor.
  const counted = userTimeout > 0 && platform !== 'win32';
  const count = counted ? Math.min(probesOf('linux', chosen), MOST_PROBES) : probes;
  const values = { ...chosen, keepAliveCount: count };
  const bounds =
    timeoutMax === null
      ? boundsOf(platform, values, retransmission)
      : boundsWithin(
          boundsOf(platform, values, { ...retransmission, timeoutMax }),
          request,
          timeoutMax,
        );
  return { values, timeoutMax, bounds };
}

/** A window that is closed when the peer vanishes is probed as often as data is sent again. */
function boundsWithin(
  bounds: DeadPeerBounds,
  request: PlanRequest,
  timeoutMax: number,
): DeadPeerBounds {
  const { retries, timeout } = request.retransmission;
  const busy = Math.max(bounds.busy, timeout + (retries + 1) * timeoutMax);
  return { ...bounds, busy, worst: bounds.idle + busy };
}

/** When at the latest, with timers that are as late as they may be. */
function latest({ values, bounds, timeoutMax }: Choice): number {
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount } = values;
  let late = timerLateness(keepAliveInitialDelay);
  late += keepAliveCount * timerLateness(keepAliveInterval);
  if (bounds.worst > bounds.idle) {
    // Of retransmissions the last is the longest, and takes about half of the time.
    late += timeoutMax === null ? timerLateness(bounds.busy / 2) : bounds.busy / 8;
  }
  return bounds.worst + late;
}

/** The best choice for so many probes: the longest initial delay, and so the fewest probes. */
function longestDelay(request: PlanRequest, timeout: number, probes: number): Choice | undefined {
  // The interval and the longest retransmission timeout are shares of the timeout. Where little of it
  // is left for them (many probes, a long retransmission timeout), they are shares of less, down to
  // the shortest that there are, for which `smallestTimeout` is computed.
  for (let shared = timeout; ; shared /= 2) {
    const choice = longestDelayWith(request, timeout, probes, shared);
    if (choice !== undefined || shared < SECOND) return choice;
  }
}

function longestDelayWith(
  request: PlanRequest,
  timeout: number,
  probes: number,
  shared: number,
): Choice | undefined {
  // So long that it takes more than a short disturbance of the path to lose all of the probes.
  const seconds = Math.min(Math.max(1, Math.floor(shared / (20 * SECOND))), LONGEST_DELAY / SECOND);
  const interval = seconds * SECOND;
  const timeoutMax = timeoutMaxFor(request, shared);
  const at = (delay: number) => choiceOf(request, probes, delay * SECOND, interval, timeoutMax);
  const fits = (delay: number) => latest(at(delay)) <= timeout + TIMER_SLACK;
  if (!fits(1)) return undefined;
  // Whole seconds, so that the two meet.
  let below = 1;
  let above = Math.floor(Math.min(LONGEST_DELAY, timeout) / SECOND) + 1;
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (fits(middle)) below = middle;
    else above = middle;
  }
  return at(below);
}

/** Two thirds of the time for data; `null` where a user timeout does it. */
function timeoutMaxFor(
  { platform, zeroWindow, retransmission }: PlanRequest,
  timeout: number,
): number | null {
  if (zeroWindow === 'fail' || keepAliveSuffices(platform)) return null;
  const share = (timeout * 2) / 3 / (retransmission.retries + 2);
  return Math.min(Math.max(Math.floor(share), SHORTEST_TIMEOUT_MAX), LONGEST_TIMEOUT_MAX);
}

function best(request: PlanRequest, timeout: number): Choice | undefined {
  for (
    let probes = Math.max(ENOUGH_PROBES, request.minProbes);
    probes >= request.minProbes;
    probes--
  ) {
    const choice = longestDelay(request, timeout, probes);
    if (choice !== undefined) return choice;
  }
  return undefined;
}

/** The smallest timeout that can be promised, in ms. */
export function smallestTimeout(request: PlanRequest): number {
  const timeoutMax = timeoutMaxFor(request, 0);
  const choice = choiceOf(request, request.minProbes, SECOND, SECOND, timeoutMax);
  return Math.max(1, Math.ceil(latest(choice) - TIMER_SLACK));
}

/** The plan for a timeout, or `undefined` where it is too small. */
export function planFor(
  request: PlanRequest,
  timeout: number,
  lossRate?: number,
): DeadPeerPlan | undefined {
  const choice = best(request, timeout);
  if (choice === undefined) return undefined;
  const { platform } = request;
  const { bounds, timeoutMax } = choice;
  const values = withCount(choice.values, request.fixedCount);
  const { userTimeout, ...keepAlive } = values;
  // Frozen: setDeadPeerTimeout() keeps a plan for the next socket and returns the same one.
  return Object.freeze({
    platform,
    timeout,
    options: Object.freeze({
      ...keepAlive,
      ...(keepAliveSuffices(platform) ? {} : { userTimeout }),
      ...(timeoutMax === null ? {} : { retransmissionTimeoutMax: timeoutMax }),
    }),
    probes: probesOf(platform, values),
    retransmissionTimeout: request.retransmission.timeout,
    bounds: Object.freeze(bounds),
    zeroWindow: keepAliveSuffices(platform) ? 'tolerate' : request.zeroWindow,
    falseAlarmsPerHour:
      lossRate === undefined ? null : falseAlarmsPerHour(platform, values, lossRate),
    why: [
      explain(request, { ...choice, values }),
      ...request.assumptions.map((text) => `${text}.`),
    ].join(' '),
    measured: platform === 'linux',
  });
}

/** Closer together, so many probes take as long. */
function withCount(values: DeadPeerValues, count: number | undefined): DeadPeerValues {
  if (count === undefined) return values;
  const together = values.keepAliveInterval * values.keepAliveCount;
  return { ...values, keepAliveInterval: Math.floor(together / count), keepAliveCount: count };
}

function explain(
  { platform, retransmission }: PlanRequest,
  { values, timeoutMax }: Choice,
): string {
  const seconds = (milliseconds: number) => `${milliseconds / 1_000} s`;
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } = values;
  const idle = `An idle peer is probed after ${seconds(keepAliveInitialDelay)} of silence and then every ${seconds(keepAliveInterval)}, and is dead after ${keepAliveCount} unanswered probes`;
  if (keepAliveSuffices(platform)) {
    return `${idle}; keepalive of this system runs while data is unacknowledged too, so that it covers every state.`;
  }
  if (timeoutMax !== null) {
    return `${idle}; data that nobody acknowledges is sent again at least every ${seconds(timeoutMax)}, and given up after ${retransmission.retries} times, since a user timeout would end a living peer that does not read.`;
  }
  const first = `${idle}; while data is unacknowledged no probe goes out, and the user timeout of ${seconds(userTimeout)} ends it, counted from the first retransmission (${seconds(retransmission.timeout)} after it was sent)`;
  return `${first}. A write just before the last probe makes the two add up, which is why each gets about half of the time.`;
}
