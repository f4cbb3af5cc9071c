// The public types of connections and filters, the same on every system.

import type { TcpState } from '../tcp-info/states';
import type { TcpInfo } from '../tcp-info/tcp-info';
import type { ConnectionProblem } from './problem';

/** The running timer of a connection. The kernel reports one timer; other timers that run are hidden by it. */
export interface ConnectionTimer {
  /**
   * - `'retransmission'`: data, a SYN or a FIN is unacknowledged; it is sent again when the timer fires.
   * - `'keepalive'`: nothing is unacknowledged; a probe is sent when the timer fires.
   * - `'persist'`: the peer's window is closed; it is probed when the timer fires.
   * - `'time-wait'`: the connection is closed; the kernel forgets it when the timer fires.
   * - `'delayed-ack'`: an acknowledgement is sent when the timer fires (newest kernels only).
   * - `'unknown'`: a kind that is newer than this package.
   */
  readonly kind:
    | 'retransmission'
    | 'keepalive'
    | 'persist'
    | 'time-wait'
    | 'delayed-ack'
    | 'unknown';
  /** Milliseconds until the timer fires. */
  readonly expires: number;
  /** Unanswered probes (keepalive, persist) or retransmissions in a row. */
  readonly count: number;
}

/** A process that holds a descriptor of a connection. */
export interface ConnectionOwner {
  readonly pid: number;
  /** The name of its program, on Linux as in ps(1). `null` if it cannot be read, and on Windows. */
  readonly name: string | null;
  /** Its descriptor of the connection. `null` if the system does not report it. */
  readonly fd: number | null;
}

/** A TCP connection, or a listening socket, of this network namespace (on macOS and Windows: this machine). */
export interface Connection {
  readonly family: 'IPv4' | 'IPv6';
  readonly state: TcpState;
  readonly localAddress: string;
  readonly localPort: number;
  /** `'0.0.0.0'` or `'::'` for a listening socket. */
  readonly remoteAddress: string;
  /** 0 for a listening socket. */
  readonly remotePort: number;
  /** The running timer. `null` if none runs, or the system does not report it (macOS, Windows). */
  readonly timer: ConnectionTimer | null;
  /** Received bytes that were not read. For a listening socket: connections that wait for accept(2). */
  readonly receiveQueue: number | null;
  /** Bytes that are unacknowledged or unsent. For a listening socket: how many connections may wait. */
  readonly sendQueue: number | null;
  /** The user that the socket belongs to. `null` if no process holds it, and on Windows. */
  readonly uid: number | null;
  /** The inode, as in `/proc/<pid>/fd`. 0 if no process holds the socket. `null` on macOS and Windows. */
  readonly inode: number | null;
  /**
   * The kernel's 64-bit number of the socket, as decimal digits. It is never reused, and equals the option
   * `cookie` of a socket of this program. `null` on macOS and Windows, and by `/proc/net/tcp`.
   */
  readonly cookie: string | null;
  /** The index of the interface that the socket is bound to; 0 for none. `null` where `cookie` is. */
  readonly interfaceIndex: number | null;
  /** Whether it is a Multipath TCP connection or a subflow of one. `null` if that cannot be known. */
  readonly mptcp: boolean | null;
  /** The congestion control algorithm, if the filter asks for `tcpInfo`. */
  readonly congestionControl: string | null;
  /**
   * The kernel's TCP state, if the filter asks for it. `null` for `TIME-WAIT`, for `SYN-RECEIVED`, for a `FIN-WAIT-2` that no
   * process has open, and where `cookie` is `null`.
   */
  readonly tcpInfo: TcpInfo | null;
  /**
   * The processes that hold it, as far as this process may see them, if the filter asks for `owners`.
   * `[]`: no process holds it. `null`: not known, because this process may not see any holder: a process
   * of another user or PID namespace, or any process if `/proc` cannot be read.
   */
  readonly owners: readonly ConnectionOwner[] | null;
  /** What is wrong with it, the worst first, if the filter asks for `problems`; `[]`: nothing is known to be wrong. */
  readonly problems: readonly ConnectionProblem[] | null;
}

/** Which connections to list, and what to read about each. A connection must meet all conditions. */
export interface ConnectionFilter {
  /** In one of these states. Default: in any state. */
  readonly state?: TcpState | readonly TcpState[] | undefined;
  /** Of this family. An IPv6 socket with an IPv4 peer (`::ffff:192.0.2.1`) is `'IPv6'`. */
  readonly family?: 'IPv4' | 'IPv6' | undefined;
  /** The local or the remote port is one of these. */
  readonly port?: number | readonly number[] | undefined;
  readonly localPort?: number | readonly number[] | undefined;
  readonly remotePort?: number | readonly number[] | undefined;
  /**
   * One of these addresses or prefixes: `'10.0.0.0/8'`, `'fe80::/10'`. An IPv4 prefix also matches the IPv4 peers of IPv6
   * sockets (`::ffff:10.0.0.5`).
   */
  readonly localAddress?: string | readonly string[] | undefined;
  readonly remoteAddress?: string | readonly string[] | undefined;
  /**
   * Only connections that this process holds a descriptor of. On Linux this throws if `/proc/self/fd`
   * cannot be read; on macOS it is not supported.
   */
  readonly ownProcess?: boolean | undefined;
  /** Whether to read `tcpInfo` and `congestionControl` too. Default: false. */
  readonly tcpInfo?: boolean | undefined;
  /**
   * Whether to find the `owners`. Default: false. On Linux this reads the descriptors of every process
   * that this process may see: without privilege, those of the same user.
   */
  readonly owners?: boolean | undefined;
  /** Whether to find the `problems`. Default: false. It reads `tcpInfo` and `congestionControl` too. */
  readonly problems?: boolean | undefined;
}
