// The types of plans. There are two kinds: supervision gives the verdict (supervised-plan.ts), or the kernel's values alone
// decide (kernel-plan.ts).

import type { SocketOptions } from '../catalogue/catalogue';
import type { DeadPeerBounds, DeadPeerPlatform } from './kernel-rules';
import type { Retransmission } from './retransmission';

/** What happens to a peer that keeps its window closed: see {@link DeadPeerOptions.zeroWindow}. */
export type ZeroWindow = 'fail' | 'tolerate';

/** Options of {@link setDeadPeerTimeout}. */
export interface DeadPeerOptions {
  /**
   * How many segments in a row must be unanswered before the peer counts as dead: 1 to 127. Default: 3. With 1 a single
   * lost packet decides.
   */
  readonly minProbes?: number | undefined;
  /**
   * What happens to a living peer that does not read, so that its window is closed and data waits in the send queue.
   * Default: `'tolerate'`.
   *
   * - `'tolerate'`: nothing, as long as its system answers. Where a plan cannot keep that, its `warnings` say so: the
   *   kernel's values alone on Linux before 6.15, Windows and gVisor.
   * - `'fail'`: the connection fails when the window stays closed for about the timeout.
   */
  readonly zeroWindow?: ZeroWindow | undefined;
  /**
   * The longest time in milliseconds for which the connection may be silent: 2 000 to 2^31 - 1. Default: the timeout
   * decides, about a fifth of it. Firewalls, NAT devices and load balancers forget connections that are silent for
   * longer (AWS Network Load Balancer 350 s, Docker Swarm 900 s, many firewalls 1 h).
   */
  readonly maxSilence?: number | undefined;
  /**
   * Whether this package looks at the socket a few times within the timeout and gives the verdict. Default: `true`.
   * With `false`, and for a bare descriptor, the kernel's values alone decide, and the bounds are longer.
   */
  readonly supervise?: boolean | undefined;
}

/** Options of {@link planDeadPeerTimeout}. */
export interface PlanOptions extends DeadPeerOptions {
  /**
   * The system whose rules apply. Default: this one. gVisor (Cloud Run, GKE Sandbox) reports that it is Linux.
   * `'mptcp'`: a Multipath TCP connection of Linux.
   */
  readonly platform?: DeadPeerPlatform | undefined;
  /**
   * The connection's retransmission timeout, in milliseconds: how long it waits for an acknowledgement before it sends
   * data again. 1 to 120 000. Default: 1 000, the initial value of TCP (RFC 6298). The bounds include it.
   */
  readonly retransmissionTimeout?: number | undefined;
  /**
   * The share of packets that the path loses in each direction: 0 to 1. The chances of false alarms need it. Default:
   * none.
   */
  readonly lossRate?: number | undefined;
}

/** Which points of the promise a plan keeps: docs/dead-peers.md. */
export interface PlanPromise {
  /** Whether the program gets the error of a dead peer within the timeout, in every state of the connection. */
  readonly isToldInTime: boolean;
  /** Whether a peer whose system answers is never ended, however long its program does not read. */
  readonly sparesLivingPeers: boolean;
  /** Whether at least `minProbes` segments in a row must be unanswered, whenever the call was made. */
  readonly survivesLostPackets: boolean;
  /** Whether neither the round-trip time nor a lost packet changes what the plan keeps. */
  readonly isIndependentOfPath: boolean;
  /** Whether `warnings` has everything that the plan does not keep, with the bound that holds. */
  readonly namesLimits: boolean;
}

/** The values for a dead-peer timeout, and the bounds that follow. Frozen. Times are in milliseconds. */
export interface DeadPeerPlan {
  /** The system whose rules apply. */
  readonly platform: DeadPeerPlatform;
  /** The timeout that was asked for, in milliseconds. */
  readonly timeout: number;
  /** Whether this package looks at the socket and gives the verdict. */
  readonly supervised: boolean;
  /** The options that {@link setDeadPeerTimeout} sets. */
  readonly options: Readonly<SocketOptions>;
  /**
   * How many keepalive probes the kernel sends to an idle, silent peer within the timeout. Of a supervised socket,
   * `minProbes` of them must be unanswered, and `options.keepAliveCount` is larger, so that the kernel does not end it
   * first. Without supervision, this number ends an idle connection.
   */
  readonly probes: number;
  /** How long an answer of a living peer may take, in milliseconds. */
  readonly slowestAnswer: number;
  /** The retransmission timeout that the bounds assume, in milliseconds. */
  readonly retransmissionTimeout: number;
  /** How long it takes at most until the socket fails, in milliseconds, late timers included. */
  readonly bounds: DeadPeerBounds;
  /** What happens to a living peer that does not read: see {@link DeadPeerOptions.zeroWindow}. */
  readonly zeroWindow: ZeroWindow;
  /** The longest silence of an idle connection, in milliseconds: then the kernel probes. */
  readonly maxSilence: number;
  /** The chance, 0 to 1, that a living and idle peer counts as dead within an hour; `null` without a `lossRate`. */
  readonly falseAlarmsPerHour: number | null;
  /**
   * The chance, 0 to 1, of a false alarm within an hour while the program writes, at whatever pace: at most this, if
   * the retransmission timeout of the connection is `retransmissionTimeout` or less. `null` without a `lossRate`, and
   * if the kernel's values alone decide.
   */
  readonly falseAlarmsPerHourWriting: number | null;
  /** Which points of the promise the plan keeps. */
  readonly promise: PlanPromise;
  /** What the plan cannot keep, with the bound that holds instead, as English sentences. The worst first. */
  readonly warnings: readonly string[];
  /** The reason for these values in English, and what was assumed because it could not be read. */
  readonly why: string;
  /** Whether the rules were measured on the system; `false`: they come from its documents and source. */
  readonly measured: boolean;
}

/** The checked input of a plan. */
export interface PlanRequest {
  readonly platform: DeadPeerPlatform;
  readonly minProbes: number;
  readonly zeroWindow: ZeroWindow;
  readonly maxSilence: number | undefined;
  readonly supervise: boolean;
  /** Whether the system has TCP_RTO_MAX_MS (Linux 6.15). */
  readonly hasTimeoutMax: boolean;
  readonly retransmission: Retransmission;
  /** How long the peer of a connection has been silent already. */
  readonly silence: number;
  /** The TCP_RTO_MAX_MS that the socket has instead of the plan's, because the program has set it since. */
  readonly heldTimeoutMax?: number | undefined;
  /** When the kernel sends data again, or probes a closed window, at the latest: by a timer that runs already. 0: none. */
  readonly runningTimer: number;
  /** How many subflows a connection of Multipath TCP has. 1 by default. */
  readonly subflows?: number | undefined;
  /** Which values of `retransmission` are assumed because they could not be read, as sentences. */
  readonly assumptions: readonly string[];
  /** The number of probes, if the system always sends the same number. */
  readonly fixedCount?: number | undefined;
}
