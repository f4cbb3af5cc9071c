import { duration, flag, number, type Rows } from './row';

/** What EINVAL means for a time that is below two ticks. */
const TWO_TICKS = 'it is less than two clock ticks of this kernel, which have 1 to 10 ms';

/** Keepalive, user timeout and the other options of one TCP connection. */
export const tcp = () =>
  ({
    /**
     * Time without any segment from the peer until the first keepalive probe, in milliseconds.
     *
     * Rounded up to whole seconds. Linux: 1 ms to 32 767 s; other systems: 1 ms to 4 294 967 s. `'system'` restores the
     * system's default. A new value restarts the running timer, which counts from the last received segment. On Windows
     * `setKeepAlive` sets milliseconds, and works before 10.1709 too.
     * @systems Linux, Windows 10.1709, FreeBSD: `TCP_KEEPIDLE`. macOS: `TCP_KEEPALIVE`.
     * @see tcp(7), RFC 9293 section 3.8.4
     */
    keepAliveInitialDelay: {
      kind: 'duration',
      example: 30_000,
      system: true,
      linux: duration('TCP_KEEPIDLE', 's', 1, 32_767),
      darwin: duration('TCP_KEEPALIVE', 's', 1, 4_294_967, { system: 0 }),
      win32: duration('TCP_KEEPIDLE', 's', 1, 4_294_967),
      freebsd: duration('TCP_KEEPIDLE', 's', 1, 4_294_967, { system: 0 }),
    },
    /**
     * Time between two keepalive probes, in milliseconds.
     *
     * Rounded up to whole seconds. Linux: 1 ms to 32 767 s; other systems: 1 ms to 4 294 967 s. `'system'` restores the
     * system's default. A new value takes effect after the next probe.
     * @systems Every system: `TCP_KEEPINTVL` (Windows since 10.1709).
     * @see tcp(7), RFC 9293 section 3.8.4
     */
    keepAliveInterval: {
      kind: 'duration',
      example: 5_000,
      system: true,
      linux: duration('TCP_KEEPINTVL', 's', 1, 32_767),
      darwin: duration('TCP_KEEPINTVL', 's', 1, 4_294_967, { system: 0 }),
      win32: duration('TCP_KEEPINTVL', 's', 1, 4_294_967),
      freebsd: duration('TCP_KEEPINTVL', 's', 1, 4_294_967, { system: 0 }),
    },
    /**
     * Number of unanswered keepalive probes after which the connection fails with ETIMEDOUT.
     *
     * Linux: 1 to 127; Windows: 1 to 255; macOS and FreeBSD: 1 to 2 147 483 647. Linux ignores it while `userTimeout`
     * is set. `'system'` restores the system's default.
     * @systems Every system: `TCP_KEEPCNT` (Windows since 10.1703).
     * @see tcp(7), RFC 9293 section 3.8.4
     */
    keepAliveCount: {
      kind: 'integer',
      measure: 'count',
      example: 3,
      system: true,
      linux: number('TCP_KEEPCNT', 1, 127),
      darwin: number('TCP_KEEPCNT', 1, undefined, { system: 0 }),
      win32: number('TCP_KEEPCNT', 1, 255),
      freebsd: number('TCP_KEEPCNT', 1, undefined, { system: 0 }),
    },
    /**
     * Keepalive: the kernel probes a silent peer, and the connection fails if the peer does not answer.
     *
     * Off by default. It is set after the three values above, so that a refused value never leaves keepalive on with
     * the system's two hours. Linux sends no probe while data is unacknowledged or unsent: see `userTimeout`. Only TCP
     * sockets accept it here. Kernels accept it on every socket, without an effect.
     * @systems Every system: `SO_KEEPALIVE`.
     * @see socket(7), RFC 9293 section 3.8.4
     */
    keepAlive: {
      kind: 'boolean',
      example: true,
      tcpOnly: true,
      linux: flag('SO_KEEPALIVE'),
      darwin: flag('SO_KEEPALIVE'),
      win32: flag('SO_KEEPALIVE'),
      freebsd: flag('SO_KEEPALIVE'),
    },
    /**
     * How long sent data may stay unacknowledged, or unsent before a closed window, until the connection fails with
     * ETIMEDOUT, in milliseconds. 0, the initial value, is off: the system's retransmission limit then ends the
     * connection, on Linux after about 15 minutes.
     *
     * Linux: 0 to 2 147 483 647 ms, rounded up to whole milliseconds. macOS and FreeBSD: 0 to 4 294 967 s, rounded up
     * to seconds. Windows documents no number for off: there 0 sets the value of a new socket. While it is set, Linux
     * ignores `keepAliveCount`, and also ends the connection of a living peer that keeps its window closed for so long.
     * @systems Linux: `TCP_USER_TIMEOUT`. macOS: `TCP_RXT_CONNDROPTIME`. Windows 10.1607: `TCP_MAXRTMS`, before that
     *   `TCP_MAXRT`, in seconds. FreeBSD: `TCP_MAXUNACKTIME`.
     * @see tcp(7), RFC 5482
     */
    userTimeout: {
      kind: 'duration',
      example: 45_000,
      firstPacket: true,
      linux: duration('TCP_USER_TIMEOUT', 'ms'),
      darwin: duration('TCP_RXT_CONNDROPTIME', 's', 0, 4_294_967),
      win32: duration('TCP_MAXRTMS', 'ms', 1, undefined, {
        offAsNew: true,
        older: duration('TCP_MAXRT', 's', 1, undefined, { offAsNew: true }),
      }),
      freebsd: duration('TCP_MAXUNACKTIME', 's', 0, 4_294_967),
    },
    /**
     * How many times an unanswered SYN is sent again before connecting fails.
     *
     * 1 to 127. With 6, the initial value, connecting fails after about two minutes. Linux 6.5 adds the sysctl
     * net.ipv4.tcp_syn_linear_timeouts (4) to it. Also the number of times that a listening socket repeats a SYN-ACK.
     * It acts while the socket connects or listens; Linux accepts it on a connected socket, without an effect. macOS
     * and FreeBSD have a time in its place: see `connectTimeout`.
     * @systems Linux: `TCP_SYNCNT`. Not on macOS, Windows and FreeBSD.
     * @see tcp(7), ip-sysctl tcp_syn_retries
     */
    synRetries: {
      kind: 'integer',
      measure: 'count',
      example: 3,
      before: 'connect',
      tooLate: ['connected'],
      linux: number('TCP_SYNCNT', 1, 127),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * How long connecting may take, in milliseconds, rounded up to whole seconds.
     *
     * 1 ms to 4 294 967 s. macOS and FreeBSD accept it on a connected socket, without an effect (by their sources).
     * Linux has a count in its place: see `synRetries`.
     * @systems macOS: `TCP_CONNECTIONTIMEOUT`. FreeBSD: `TCP_KEEPINIT`. Not on Linux and Windows.
     * @see tcp(4) of macOS and FreeBSD
     */
    connectTimeout: {
      kind: 'duration',
      example: 10_000,
      side: 'client',
      before: 'connect',
      tooLate: ['connected'],
      linux: null,
      darwin: duration('TCP_CONNECTIONTIMEOUT', 's', 1, 4_294_967),
      win32: null,
      freebsd: duration('TCP_KEEPINIT', 's', 1, 4_294_967),
    },
    /**
     * Send small segments at once instead of waiting for the acknowledgement of earlier ones (Nagle's algorithm off).
     * @systems Every system: `TCP_NODELAY`.
     * @see tcp(7), RFC 896
     */
    noDelay: {
      kind: 'boolean',
      example: true,
      linux: flag('TCP_NODELAY'),
      darwin: flag('TCP_NODELAY'),
      win32: flag('TCP_NODELAY'),
      freebsd: flag('TCP_NODELAY'),
    },
    /**
     * Hold back partial segments until the option is off again. Linux sends them after 200 ms at the latest.
     * @systems Linux: `TCP_CORK`. macOS, FreeBSD: `TCP_NOPUSH`. Not on Windows.
     * @see tcp(7)
     */
    cork: {
      kind: 'boolean',
      example: true,
      linux: flag('TCP_CORK'),
      darwin: flag('TCP_NOPUSH'),
      win32: null,
      freebsd: flag('TCP_NOPUSH'),
    },
    /**
     * Acknowledge at once instead of waiting for data that carries the acknowledgement. Not permanent: the kernel
     * returns to delayed acknowledgements by itself, so set it again after reading.
     * @systems Linux: `TCP_QUICKACK`. Not on macOS, Windows and FreeBSD.
     * @see tcp(7), RFC 9293 section 3.8.6.3
     */
    quickAck: {
      kind: 'boolean',
      example: false,
      linux: flag('TCP_QUICKACK'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Largest segment to send, in bytes. Set before connecting, it also limits the segments of the peer. A connected
     * socket returns the size in use, which TCP options make smaller than the set value.
     *
     * Linux: 88 to 32 767; macOS and FreeBSD: 1 to 65 535. A listening socket limits its connections by it. Linux
     * accepts it on a connected socket, without an effect; while the socket connects, it limits the own segments only.
     * macOS and FreeBSD can still make it smaller (by their sources).
     * @systems Every system: `TCP_MAXSEG`; Windows only reads it.
     * @see tcp(7), RFC 9293 section 3.7.1
     */
    maxSegmentSize: {
      kind: 'integer',
      measure: 'bytes',
      example: 1_000,
      before: 'connect',
      tooLate: ['connected'],
      linux: number('TCP_MAXSEG', 88, 32_767),
      darwin: number('TCP_MAXSEG', 1, 65_535, { tooLate: [] }),
      win32: number('TCP_MAXSEG', 1, 65_535, { access: 'read' }),
      freebsd: number('TCP_MAXSEG', 1, 65_535, { tooLate: [] }),
    },
    /**
     * Name of the congestion control algorithm, at most 15 characters.
     *
     * The error is ENOENT for an algorithm that this kernel does not have. Without CAP_NET_ADMIN, Linux allows only the
     * algorithms of the sysctl net.ipv4.tcp_allowed_congestion_control.
     * @systems Linux, FreeBSD: `TCP_CONGESTION`. Not on macOS and Windows.
     * @see tcp(7), RFC 5681
     */
    congestionControl: {
      kind: 'string',
      example: 'reno',
      privilege: 'CAP_NET_ADMIN, for an algorithm that is not generally allowed',
      refusals: { ENOENT: 'this kernel has no algorithm with this name' },
      linux: number('TCP_CONGESTION', 1, 15),
      darwin: null,
      win32: null,
      freebsd: number('TCP_CONGESTION', 1, 15),
    },
    /**
     * How many bytes may wait unsent in the kernel before the socket stops being writable.
     *
     * Linux: 1 to 4 294 967 295; macOS: 1 to 2 147 483 647. `'system'` restores the sysctl net.ipv4.tcp_notsent_lowat.
     * @systems Linux, macOS: `TCP_NOTSENT_LOWAT`. Not on Windows and FreeBSD.
     * @see tcp(7)
     */
    notSentLowWatermark: {
      kind: 'integer',
      measure: 'bytes',
      example: 131_072,
      system: true,
      linux: number('TCP_NOTSENT_LOWAT', 1, 4_294_967_295, { system: 0 }),
      darwin: number('TCP_NOTSENT_LOWAT', 1, undefined, { system: 0 }),
      win32: null,
      freebsd: null,
    },
    /**
     * Upper bound of the window that this side advertises, in bytes. 1 to 2 147 483 647. Linux raises small values to
     * half of its smallest receive buffer (1 152 on most machines).
     * @systems Linux: `TCP_WINDOW_CLAMP`. Not on macOS, Windows and FreeBSD.
     * @see tcp(7)
     */
    windowClamp: {
      kind: 'integer',
      measure: 'bytes',
      example: 65_536,
      firstPacket: true,
      linux: number('TCP_WINDOW_CLAMP', 1),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * For a listening socket: accept a connection only when data has arrived, or after this time, in milliseconds. 0 is
     * off.
     *
     * At most 29 887 s. Linux rounds up to the times at which it repeats its SYN-ACK: 1, 3, 7, 15, 31 ... s. An
     * accepted socket returns 0. Until it is connected, a client with this option holds back the last ACK of the
     * handshake for its first data. Linux accepts it on a connected socket, without an effect.
     * @systems Linux: `TCP_DEFER_ACCEPT`. Not on macOS, Windows and FreeBSD.
     * @see tcp(7)
     */
    deferAccept: {
      kind: 'duration',
      example: 7_000,
      before: 'listen',
      tooLate: ['connected'],
      linux: duration('TCP_DEFER_ACCEPT', 's', 0, 29_887),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * For a listening socket: how many TCP Fast Open connections may wait for the end of their handshake; 0 is off.
     * macOS, Windows and FreeBSD have only on (1) and off (0). macOS accepts it only while the socket listens.
     *
     * Linux: 0 to 2 147 483 647. Linux needs bit 2 of the sysctl net.ipv4.tcp_fastopen for an effect. It acts on a
     * socket that listens already. Linux refuses it on a socket that connects or is connected (EINVAL).
     * @systems Linux, macOS, Windows 10.1607, FreeBSD: `TCP_FASTOPEN`.
     * @see tcp(7), RFC 7413
     */
    fastOpen: {
      kind: 'integer',
      measure: 'count',
      example: 128,
      side: 'server',
      before: 'listen',
      tooLate: ['connecting', 'connected'],
      refusals: { EINVAL: 'it is for sockets that listen or will listen' },
      linux: number('TCP_FASTOPEN', 0),
      darwin: number('TCP_FASTOPEN', 0, 1),
      win32: number('TCP_FASTOPEN', 0, 1),
      freebsd: number('TCP_FASTOPEN', 0, 1),
    },
    /**
     * Connect with TCP Fast Open: the SYN carries the first write. If the kernel knows the server, Node emits
     * `'connect'` before any packet, and the SYN waits for the first write. The error is ENOTSUP if bit 1 of the sysctl
     * net.ipv4.tcp_fastopen is off. Linux refuses it on a socket that listens, connects or is connected (EINVAL).
     * @systems Linux 4.11: `TCP_FASTOPEN_CONNECT`. Not on macOS, Windows and FreeBSD.
     * @see tcp(7), RFC 7413
     */
    fastOpenConnect: {
      kind: 'boolean',
      example: true,
      side: 'client',
      before: 'connect',
      tooLate: ['listening', 'connecting', 'connected'],
      refusals: { ENOTSUP: 'the sysctl net.ipv4.tcp_fastopen must contain 1' },
      linux: flag('TCP_FASTOPEN_CONNECT'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * How long a closed connection waits in FIN_WAIT2 for the peer's FIN, in milliseconds, rounded up to whole seconds.
     *
     * 1 ms to 120 s; `'system'` restores the sysctl net.ipv4.tcp_fin_timeout.
     * @systems Linux: `TCP_LINGER2`. Not on macOS, Windows and FreeBSD.
     * @see tcp(7)
     */
    finWait2Timeout: {
      kind: 'duration',
      example: 20_000,
      system: true,
      linux: duration('TCP_LINGER2', 's', 1, 120, { system: 0 }),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Longest time between two retransmissions, in milliseconds. A smaller value detects a dead peer sooner while
     * `userTimeout` is off: with 1 000 ms a write fails after about 15 s.
     *
     * 1 000 to 120 000 ms. The kernel rounds up to its clock tick (1 to 10 ms). `'system'` restores the sysctl
     * net.ipv4.tcp_rto_max_ms.
     * @systems Linux 6.15: `TCP_RTO_MAX_MS`. Not on macOS, Windows and FreeBSD.
     * @see ip-sysctl tcp_rto_max_ms, RFC 6298
     */
    retransmissionTimeoutMax: {
      kind: 'duration',
      example: 10_000,
      firstPacket: true,
      system: true,
      linux: duration('TCP_RTO_MAX_MS', 'ms', 1_000, 120_000),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Shortest retransmission timeout, in milliseconds. The kernel's own 200 ms are many round trips of a local
     * network: a smaller value repeats a lost segment sooner there.
     *
     * 1.001 to 200 ms. The kernel rounds up to its clock tick (1 to 10 ms), and refuses less than two ticks. A route
     * with a locked `rto_min` decides in its place. `'system'` restores the sysctl net.ipv4.tcp_rto_min_us.
     * @systems Linux 6.15: `TCP_RTO_MIN_US`. Not on macOS, Windows and FreeBSD.
     * @see ip-sysctl tcp_rto_min_us, RFC 6298
     */
    rtoMin: {
      kind: 'duration',
      example: 40,
      system: true,
      refusals: { EINVAL: TWO_TICKS },
      linux: duration('TCP_RTO_MIN_US', 'us', 1_001, 200_000),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Longest delay of an acknowledgement, in milliseconds. A smaller value acknowledges sooner, for peers that wait
     * for it and do not set `noDelay`.
     *
     * 1.001 to 200 ms. The kernel rounds up to its clock tick (1 to 10 ms), and refuses less than two ticks. `'system'`
     * restores the value of a new socket.
     * @systems Linux 6.15: `TCP_DELACK_MAX_US`. Not on macOS, Windows and FreeBSD.
     * @see RFC 9293 section 3.8.6.3
     */
    delayedAckMax: {
      kind: 'duration',
      example: 60,
      system: true,
      refusals: { EINVAL: TWO_TICKS },
      linux: duration('TCP_DELACK_MAX_US', 'us', 1_001, 200_000),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Thin streams: do not double the retransmission timeout while fewer than four segments are in flight.
     * @systems Linux: `TCP_THIN_LINEAR_TIMEOUTS`. Not on macOS, Windows and FreeBSD.
     * @see Documentation/networking/tcp-thin.rst of Linux
     */
    thinLinearTimeouts: {
      kind: 'boolean',
      example: true,
      linux: flag('TCP_THIN_LINEAR_TIMEOUTS'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Multipath TCP: one connection over several network paths. It is chosen when a socket is opened, and read from any
     * socket.
     *
     * `connect()`, `listen()`, `tuneSockets()` and `openSocket()` choose it, `setOptions()` does not: an open socket
     * keeps its protocol, so the error is `ERR_SOCKET_TOO_LATE`. Reading returns `false` for a connection that fell
     * back to TCP: its `protocol` stays `'mptcp'` on the side that connected. A new socket and a listening socket of
     * Multipath TCP return `true`.
     *
     * Multipath TCP has keepalive, and lacks many options: `userTimeout`, `retransmissionTimeoutMax`, `synRetries`,
     * `rtoMin` and `ttl` among them. On a kernel that cannot read it, `isSupported('mptcp')` is `false`, and read
     * `protocol` instead.
     * @systems Linux 5.6, and 6.10 to read it: `TCP_IS_MPTCP`. Not on macOS, Windows and FreeBSD.
     * @see Documentation/networking/mptcp.rst of Linux, RFC 8684 section 3.7
     */
    mptcp: {
      kind: 'boolean',
      example: true,
      access: 'open',
      linux: flag('TCP_IS_MPTCP'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
  }) as const satisfies Rows;
