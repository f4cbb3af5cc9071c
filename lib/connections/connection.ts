// What a connection of this system is to people, whichever system lists it.

import type { TcpState } from '../tcp-info/states';
import type { TcpInfo } from '../tcp-info/tcp-info';

/** The timer of a connection that runs now. A kernel shows one, which hides the others. */
export interface ConnectionTimer {
  /**
   * `'retransmission'`: data (or a SYN, a FIN) is unacknowledged. `'keepalive'`: nothing is, and the next
   * probe is due when it fires. `'persist'`: the peer's window is closed, and will be probed.
   * `'time-wait'`: the connection is over and forgotten after it. `'delayed-ack'`: newest kernels.
   * `'unknown'`: a kind that is newer than this package.
   */
  readonly kind:
    | 'retransmission'
    | 'keepalive'
    | 'persist'
    | 'time-wait'
    | 'delayed-ack'
    | 'unknown';
  /** When it fires, in milliseconds from now. */
  readonly expires: number;
  /** Probes (keepalive, persist) or retransmissions in a row that are out and unanswered. */
  readonly count: number;
}

/** A process that holds a descriptor of a connection. */
export interface ConnectionOwner {
  readonly pid: number;
  /** The name of its program, on Linux as ps(1) has it; `null` where it cannot be read, and on Windows. */
  readonly name: string | null;
  /** Its descriptor of the connection; `null` where the system does not tell. */
  readonly fd: number | null;
}

/** A TCP connection, or a listening socket, of this network namespace. */
export interface Connection {
  readonly family: 'IPv4' | 'IPv6';
  readonly state: TcpState;
  readonly localAddress: string;
  readonly localPort: number;
  /** `'0.0.0.0'` or `'::'` of a listening socket. */
  readonly remoteAddress: string;
  /** 0 of a listening socket. */
  readonly remotePort: number;
  /** The timer that runs; `null`: none does, or the system does not tell (macOS, Windows). */
  readonly timer: ConnectionTimer | null;
  /** Bytes that were received and wait to be read. Of a listening socket: connections that wait. */
  readonly receiveQueue: number | null;
  /** Bytes unacknowledged or unsent. Of a listening socket: how many connections may wait. */
  readonly sendQueue: number | null;
  /** The user that the socket belongs to. */
  readonly uid: number | null;
  /** The socket's inode, as `/proc/<pid>/fd` shows it; 0 and `null`: it has none (any more). */
  readonly inode: number | null;
  /**
   * The kernel's own number of the socket, never reused, as decimal digits (it has 64 bits): equal to the
   * option `cookie` of the program's own sockets. `null` on macOS and Windows.
   */
  readonly cookie: string | null;
  /** Index of the interface that the socket is bound to; 0: none. */
  readonly interfaceIndex: number | null;
  /** Whether it is (a subflow of) a Multipath TCP connection; `null` where that cannot be known. */
  readonly mptcp: boolean | null;
  /** The congestion control algorithm, with `tcpInfo`. */
  readonly congestionControl: string | null;
  /** What the kernel knows of the connection, if asked for: not of `TIME-WAIT`, `SYN-RECEIVED`. */
  readonly tcpInfo: TcpInfo | null;
  /**
   * The processes that hold it, as far as this process may see them. `[]`: no process holds it (any more).
   * `null`: not asked for, or not known, because none of its holders may be seen: another user's process,
   * one of another PID namespace, or any process where `/proc` cannot be read.
   */
  readonly owners: readonly ConnectionOwner[] | null;
}

/** Which connections, and what of them. All conditions have to hold. */
export interface ConnectionFilter {
  /** In one of these states; without it all. */
  readonly state?: TcpState | readonly TcpState[] | undefined;
  /** Of one family. An IPv6 socket that serves IPv4 peers (`::ffff:192.0.2.1`) is `'IPv6'`. */
  readonly family?: 'IPv4' | 'IPv6' | undefined;
  /** The port of either end is one of these. */
  readonly port?: number | readonly number[] | undefined;
  readonly localPort?: number | readonly number[] | undefined;
  readonly remotePort?: number | readonly number[] | undefined;
  /** An address, or a prefix: `'10.0.0.0/8'`, `'fe80::/10'`. */
  readonly localAddress?: string | undefined;
  readonly remoteAddress?: string | undefined;
  /**
   * Only those that this process holds a descriptor of. Linux: throws where `/proc/self/fd` cannot be
   * read.
   */
  readonly ownProcess?: boolean | undefined;
  /** Whether to read `tcpInfo` and `congestionControl` too. */
  readonly tcpInfo?: boolean | undefined;
  /**
   * Whether to look for `owners`: walks over the descriptors of every process that may be seen. Without
   * privilege these are the processes of the same user.
   */
  readonly owners?: boolean | undefined;
}
