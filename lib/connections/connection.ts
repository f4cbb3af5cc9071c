// The public types of connections and filters, the same on every system.

import type { TcpState } from '../tcp-info/states';
import type { TcpInfo } from '../tcp-info/tcp-info';
import type { ConnectionProblem } from './problem';

/** The running timer of a connection. The kernel reports one timer; it hides others that run. */
export interface ConnectionTimer {
  /**
   * What happens when the timer fires.
   *
   * - `'retransmission'`: data, a SYN or a FIN is unacknowledged; it is sent again.
   * - `'keepalive'`: nothing is unacknowledged; a probe is sent.
   * - `'persist'`: the peer's window is closed; it is probed.
   * - `'time-wait'`: the connection is closed; the kernel forgets it.
   * - `'delayed-ack'`: an acknowledgement is sent (newest kernels only).
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
  /** Number of unanswered probes (keepalive, persist) or retransmissions in a row. */
  readonly count: number;
}

/** A process that holds a descriptor of a connection. */
export interface ConnectionOwner {
  /** Process ID of the owner, as this process sees it. */
  readonly pid: number;
  /** Name of the owner's program, on Linux as in ps(1). `null` if it cannot be read, and on Windows. */
  readonly name: string | null;
  /** The owner's descriptor of the connection: an integer of at least 0. `null` if the system does not report it. */
  readonly fd: number | null;
}

/** A TCP connection, or a listening socket, of this network namespace (on macOS and Windows: of this machine). */
export interface Connection {
  /** IP version of the socket. An IPv6 socket with an IPv4 peer (`::ffff:192.0.2.1`) is `'IPv6'`. */
  readonly family: 'IPv4' | 'IPv6';
  /** State of the connection, under the name of RFC 9293. */
  readonly state: TcpState;
  /** Local IP address, without a zone. `'0.0.0.0'` or `'::'` if the socket is bound to all addresses. */
  readonly localAddress: string;
  /** Local port: 0 to 65 535. */
  readonly localPort: number;
  /** IP address of the peer. `'0.0.0.0'` or `'::'` for a listening socket. */
  readonly remoteAddress: string;
  /** Port of the peer: 0 to 65 535; 0 for a listening socket. */
  readonly remotePort: number;
  /** The running timer. `null` if none runs, or the system does not report it (macOS, Windows). */
  readonly timer: ConnectionTimer | null;
  /**
   * Received bytes that were not read; for a listening socket, the number of connections that wait for accept(2).
   * `null` if the system does not report it (Windows, gVisor).
   */
  readonly receiveQueue: number | null;
  /**
   * Bytes that are unacknowledged or unsent; for a listening socket, how many connections may wait. `null` if the
   * system does not report it (Windows, gVisor; a listening socket of `/proc/net/tcp`).
   */
  readonly sendQueue: number | null;
  /** User ID of the socket's owner. `null` if no process holds the socket, and on Windows. */
  readonly uid: number | null;
  /** Number of the inode, as in `/proc/<pid>/fd`. 0 if no process holds the socket. `null` on macOS and Windows. */
  readonly inode: number | null;
  /**
   * The kernel's 64-bit number of the socket, as decimal digits. It is never reused, and equals the option `cookie` of
   * a socket of this program. `null` on macOS and Windows, and by `/proc/net/tcp`.
   */
  readonly cookie: string | null;
  /** Index of the interface that the socket is bound to; 0 for none. `null` where `cookie` is. */
  readonly interfaceIndex: number | null;
  /** Whether it is a Multipath TCP connection or a subflow of one. `null` if that cannot be known. */
  readonly mptcp: boolean | null;
  /** Name of the congestion control algorithm. `null` unless the filter asks for `tcpInfo`, and where `tcpInfo` is. */
  readonly congestionControl: string | null;
  /**
   * The kernel's TCP state, if the filter asks for it. `null` otherwise, for `TIME-WAIT`, for `SYN-RECEIVED`, for a
   * `FIN-WAIT-2` that no process has open, and where `cookie` is `null`.
   */
  readonly tcpInfo: TcpInfo | null;
  /**
   * The processes that hold the connection, as far as this process may see them, if the filter asks for `owners`. `[]`:
   * no process holds it. `null`: not asked for, or not known: this process may not see any holder (a process of another
   * user or PID namespace, or any process if `/proc` cannot be read).
   */
  readonly owners: readonly ConnectionOwner[] | null;
  /**
   * What is wrong with the connection, the worst first, if the filter asks for `problems`. `[]`: nothing is known to be
   * wrong. `null`: not asked for.
   */
  readonly problems: readonly ConnectionProblem[] | null;
}

/**
 * Which connections to list, and what to read about each. A connection must meet all conditions; a member that is
 * `undefined` is no condition.
 */
export interface ConnectionFilter {
  /** Only connections in one of these states. Default: in any state. */
  readonly state?: TcpState | readonly TcpState[] | undefined;
  /** Only connections of this IP version. An IPv6 socket with an IPv4 peer (`::ffff:192.0.2.1`) is `'IPv6'`. */
  readonly family?: 'IPv4' | 'IPv6' | undefined;
  /** Only connections whose local or remote port is one of these: 0 to 65 535. */
  readonly port?: number | readonly number[] | undefined;
  /** Only connections whose local port is one of these: 0 to 65 535. */
  readonly localPort?: number | readonly number[] | undefined;
  /** Only connections whose remote port is one of these: 0 to 65 535. */
  readonly remotePort?: number | readonly number[] | undefined;
  /**
   * Only connections whose local address is one of these, or in one of these prefixes: `'10.0.0.0/8'`, `'fe80::/10'`.
   * An IPv4 prefix also matches the IPv4 peers of IPv6 sockets (`::ffff:10.0.0.5`).
   */
  readonly localAddress?: string | readonly string[] | undefined;
  /** Only connections whose remote address is one of these, or in one of these prefixes, as for `localAddress`. */
  readonly remoteAddress?: string | readonly string[] | undefined;
  /**
   * Only connections that this process holds a descriptor of. Default: false. On Linux this throws if `/proc/self/fd`
   * cannot be read; on macOS it is not supported.
   */
  readonly ownProcess?: boolean | undefined;
  /** Whether to read `tcpInfo` and `congestionControl` too. Default: false. */
  readonly tcpInfo?: boolean | undefined;
  /**
   * Whether to find the `owners`. Default: false. On Linux this reads the descriptors of every process that this
   * process may see: without privilege, those of the same user.
   */
  readonly owners?: boolean | undefined;
  /** Whether to find the `problems`. Default: false. It reads `tcpInfo` and `congestionControl` too. */
  readonly problems?: boolean | undefined;
}
