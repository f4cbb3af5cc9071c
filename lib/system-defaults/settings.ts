// The settings of getSystemDefaults(), and their name on each system. Data, as the catalogue is.

import type { KernelUnit, Platform } from '../catalogue/row';

/** A setting as one system has it. */
export interface Setting {
  readonly name: string;
  readonly unit?: KernelUnit;
  /** The value, in the setting's unit, of a system that does not have the setting. */
  readonly builtin?: number;
  /** There is no setting: `name` is the kernel's constant with the value `builtin`. */
  readonly fixed?: true;
  /** There is no setting: `name` is a TCP option that a new socket is asked for. */
  readonly ofNewSocket?: true;
}

/** The systems with a column: those of the catalogue, and gVisor, whose sysctls are made up. */
export type SettingColumn = Platform | 'gvisor';

/** A setting on all systems. */
export type SettingRow = Readonly<Record<SettingColumn, Setting | null>>;

const LINUX = 'net.ipv4.tcp_';
const BSD = 'net.inet.tcp.';

// The constants of gVisor are those of its pkg/tcpip/transport/tcp/. Its files below /proc/sys/net/ipv4 have fixed texts
// (pkg/sentry/fsimpl/proc/tasks_sys.go), which differ from what its sockets do: an interval of 0, for example.

export const settings = {
  /** Time until the first keepalive probe, in milliseconds. Linux: tcp_keepalive_time. */
  keepAliveInitialDelay: {
    linux: { name: `${LINUX}keepalive_time`, unit: 's' },
    darwin: { name: `${BSD}keepidle`, unit: 'ms' },
    win32: { name: 'KeepAliveTime', unit: 'ms', builtin: 7_200_000 },
    freebsd: { name: `${BSD}keepidle`, unit: 'ms' },
    gvisor: { name: 'TCP_KEEPIDLE', unit: 's', ofNewSocket: true },
  },
  /** Time between two keepalive probes, in milliseconds. Linux: tcp_keepalive_intvl. */
  keepAliveInterval: {
    linux: { name: `${LINUX}keepalive_intvl`, unit: 's' },
    darwin: { name: `${BSD}keepintvl`, unit: 'ms' },
    win32: { name: 'KeepAliveInterval', unit: 'ms', builtin: 1_000 },
    freebsd: { name: `${BSD}keepintvl`, unit: 'ms' },
    gvisor: { name: 'TCP_KEEPINTVL', unit: 's', ofNewSocket: true },
  },
  /** Number of unanswered keepalive probes after which the connection fails. Linux: tcp_keepalive_probes. */
  keepAliveCount: {
    linux: { name: `${LINUX}keepalive_probes` },
    darwin: { name: `${BSD}keepcnt` },
    // Fixed since Vista. The registry no longer changes it.
    win32: { name: 'TCP_KEEPCNT', builtin: 10, fixed: true },
    freebsd: { name: `${BSD}keepcnt` },
    gvisor: { name: 'TCP_KEEPCNT', ofNewSocket: true },
  },
  /**
   * How many times unacknowledged data is sent again before the write fails. Linux: tcp_retries2. It stands for the time
   * of so many retransmissions, from the shortest timeout on, each twice as long.
   */
  retransmissions: {
    linux: { name: `${LINUX}retries2` },
    darwin: { name: 'TCP_MAXRXTSHIFT', builtin: 12, fixed: true },
    win32: { name: 'TcpMaxDataRetransmissions', builtin: 5 },
    freebsd: { name: `${BSD}retries` },
    gvisor: { name: 'MaxRetries', builtin: 15, fixed: true },
  },
  /** Shortest retransmission timeout, in milliseconds. Linux 6.11: tcp_rto_min_us, before that fixed. */
  retransmissionTimeoutMin: {
    linux: { name: `${LINUX}rto_min_us`, unit: 'us', builtin: 200_000 },
    darwin: { name: 'TCPTV_REXMTMIN', unit: 'ms', builtin: 30, fixed: true },
    win32: null,
    freebsd: { name: `${BSD}rexmit_min`, unit: 'ms' },
    gvisor: { name: 'MinRTO', unit: 'ms', builtin: 200, fixed: true },
  },
  /** Longest retransmission timeout, in milliseconds. Linux 6.15: tcp_rto_max_ms, before that fixed. */
  retransmissionTimeoutMax: {
    linux: { name: `${LINUX}rto_max_ms`, unit: 'ms', builtin: 120_000 },
    darwin: { name: 'TCPTV_REXMTMAX', unit: 'ms', builtin: 64_000, fixed: true },
    win32: null,
    freebsd: null,
    gvisor: { name: 'MaxRTO', unit: 'ms', builtin: 120_000, fixed: true },
  },
  /** Number of retransmissions after which the route is looked up again. Linux: tcp_retries1. */
  routeCheckRetries: {
    linux: { name: `${LINUX}retries1` },
    darwin: null,
    win32: null,
    freebsd: null,
    gvisor: null,
  },
  /** How many times an unanswered SYN is sent again before connecting fails. Linux: tcp_syn_retries. */
  synRetries: {
    linux: { name: `${LINUX}syn_retries` },
    darwin: null,
    win32: null,
    freebsd: null,
    gvisor: { name: 'TCP_SYNCNT', ofNewSocket: true },
  },
  /** How many of these follow one second apart, before the time doubles. Linux 6.5: tcp_syn_linear_timeouts. */
  synLinearTimeouts: {
    linux: { name: `${LINUX}syn_linear_timeouts`, builtin: 0 },
    darwin: null,
    win32: null,
    freebsd: null,
    gvisor: null,
  },
  /** How long connecting may take, in milliseconds. macOS, FreeBSD: keepinit. */
  connectTimeout: {
    linux: null,
    darwin: { name: `${BSD}keepinit`, unit: 'ms' },
    win32: null,
    freebsd: { name: `${BSD}keepinit`, unit: 'ms' },
    gvisor: null,
  },
  /** How many times a listening socket sends an unanswered SYN-ACK again. Linux: tcp_synack_retries. */
  synAckRetries: {
    linux: { name: `${LINUX}synack_retries` },
    darwin: null,
    win32: null,
    freebsd: null,
    gvisor: null,
  },
  /**
   * Number of retransmissions for a connection that its program has closed; 0 means 8.
   * Linux: tcp_orphan_retries.
   */
  orphanRetries: {
    linux: { name: `${LINUX}orphan_retries` },
    darwin: null,
    win32: null,
    freebsd: null,
    gvisor: null,
  },
  /** How long a closed connection waits for the peer's FIN, in milliseconds. Linux: tcp_fin_timeout. */
  finWait2Timeout: {
    linux: { name: `${LINUX}fin_timeout`, unit: 's' },
    darwin: { name: `${BSD}fin_timeout`, unit: 'ms' },
    win32: null,
    freebsd: { name: `${BSD}finwait2_timeout`, unit: 'ms' },
    gvisor: { name: 'TCP_LINGER2', unit: 's', ofNewSocket: true },
  },
} as const satisfies Readonly<Record<string, SettingRow>>;
