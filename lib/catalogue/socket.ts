import { duration, flag, number, type Rows } from './row';

/** Options of the socket layer (SOL_SOCKET), for TCP and UDP alike unless a row says otherwise. */
export const socket = () =>
  ({
    /**
     * Size of the send buffer, in bytes. Linux limits it to the sysctl net.core.wmem_max, doubles it for its own data,
     * and no longer adjusts the buffer by itself. Reading returns the doubled value.
     *
     * Linux: 1 to 1 073 741 823; macOS and FreeBSD: 1 to 2 147 483 647; Windows: 0 to 2 147 483 647.
     * @systems Every system: `SO_SNDBUF`.
     * @see socket(7)
     */
    sendBufferSize: {
      kind: 'integer',
      measure: 'bytes',
      example: 65_536,
      linux: number('SO_SNDBUF', 1, 1_073_741_823),
      darwin: number('SO_SNDBUF', 1),
      win32: number('SO_SNDBUF', 0),
      freebsd: number('SO_SNDBUF', 1),
    },
    /**
     * Size of the receive buffer, in bytes. Linux limits it to the sysctl net.core.rmem_max, doubles it for its own
     * data, and no longer adjusts the buffer by itself. Reading returns the doubled value. It must be set before
     * connecting or listening to enlarge the advertised window.
     *
     * Linux: 1 to 1 073 741 823; macOS and FreeBSD: 1 to 2 147 483 647; Windows: 0 to 2 147 483 647.
     * @systems Every system: `SO_RCVBUF`.
     * @see socket(7)
     */
    recvBufferSize: {
      kind: 'integer',
      measure: 'bytes',
      example: 65_536,
      firstPacket: true,
      linux: number('SO_RCVBUF', 1, 1_073_741_823),
      darwin: number('SO_RCVBUF', 1),
      win32: number('SO_RCVBUF', 0),
      freebsd: number('SO_RCVBUF', 1),
    },
    /**
     * How many bytes must be free in the send buffer before the socket is writable. macOS and FreeBSD: 1 to 2 147 483
     * 647. Linux cannot set it, and always returns 1: see `notSentLowWatermark`.
     * @systems Linux (only read), macOS, FreeBSD: `SO_SNDLOWAT`. Not on Windows.
     * @see socket(7)
     */
    sendLowWatermark: {
      kind: 'integer',
      measure: 'bytes',
      example: 4_096,
      linux: number('SO_SNDLOWAT', 1, undefined, { access: 'read' }),
      darwin: number('SO_SNDLOWAT', 1),
      win32: null,
      freebsd: number('SO_SNDLOWAT', 1),
    },
    /**
     * How many bytes must have arrived before the socket is readable. 1 to 2 147 483 647. Linux enlarges the receive
     * buffer for them, and accepts no more than that buffer can hold.
     * @systems Linux, macOS, FreeBSD: `SO_RCVLOWAT`. Not on Windows.
     * @see socket(7)
     */
    recvLowWatermark: {
      kind: 'integer',
      measure: 'bytes',
      example: 4_096,
      firstPacket: true,
      linux: number('SO_RCVLOWAT', 1),
      darwin: number('SO_RCVLOWAT', 1),
      win32: null,
      freebsd: number('SO_RCVLOWAT', 1),
    },
    /**
     * What closing does with unsent data: `{ enable, timeout }`, the timeout in milliseconds and rounded up to whole
     * seconds. With a timeout of 0, closing discards the data and resets the connection. With a longer one, close(2)
     * blocks the thread and Node's event loop until the data is acknowledged or the time is over.
     *
     * Linux: 0 to 2 147 483 647 s; macOS: at most 327 s, because it keeps hundredths of a second in 16 bits; Windows:
     * at most 65 535 s; FreeBSD: at most 32 767 s.
     * @systems Linux, Windows, FreeBSD: `SO_LINGER`. macOS: `SO_LINGER_SEC`.
     * @see socket(7)
     */
    linger: {
      kind: 'linger',
      example: { enable: true, timeout: 0 },
      linux: duration('SO_LINGER', 's', 0, undefined, { layout: 'int' }),
      darwin: duration('SO_LINGER_SEC', 's', 0, 327, { layout: 'int' }),
      win32: duration('SO_LINGER', 's', 0, 65_535, { layout: 'short' }),
      freebsd: duration('SO_LINGER', 's', 0, 32_767, { layout: 'int' }),
    },
    /**
     * Bind to an address that connections in TIME_WAIT still use. Not supported on Windows, where the option with this
     * name lets one program take the port of another.
     *
     * Both sockets need it. A listening socket gives it to the connections that it accepts, also if it is set late, so
     * that the next server can bind while they are there. Once a TCP socket connects, it only lets other sockets bind
     * to its port.
     * @systems Linux, macOS, FreeBSD: `SO_REUSEADDR`. Not on Windows.
     * @see socket(7)
     */
    reuseAddress: {
      kind: 'boolean',
      example: true,
      before: 'bind',
      tooLate: ['connecting', 'connected'],
      linux: flag('SO_REUSEADDR'),
      darwin: flag('SO_REUSEADDR'),
      win32: null,
      freebsd: flag('SO_REUSEADDR'),
    },
    /**
     * Several sockets on one address; the kernel distributes connections among them (not on macOS).
     *
     * All of them need it. It acts on a socket that is bound or listens: the next one can join it. Once a TCP socket
     * connects, it only lets other sockets bind to its port.
     * @systems Linux, macOS: `SO_REUSEPORT`. FreeBSD: `SO_REUSEPORT_LB`. Not on Windows.
     * @see socket(7)
     */
    reusePort: {
      kind: 'boolean',
      example: true,
      before: 'bind',
      tooLate: ['connecting', 'connected'],
      linux: flag('SO_REUSEPORT'),
      darwin: flag('SO_REUSEPORT'),
      win32: null,
      freebsd: flag('SO_REUSEPORT_LB'),
    },
    /**
     * Name of the network interface that the socket is bound to, at most 15 characters; the empty string is none. The
     * error is ENODEV for an interface that does not exist. To change a binding, and always before Linux 5.7, it needs
     * CAP_NET_RAW.
     * @systems Linux, macOS 15: `SO_BINDTODEVICE`. Not on Windows and FreeBSD.
     * @see socket(7)
     */
    bindToDevice: {
      kind: 'string',
      example: 'lo',
      firstPacket: true,
      privilege: 'CAP_NET_RAW, to change a binding or before Linux 5.7',
      refusals: { ENODEV: 'there is no network interface with this name' },
      linux: number('SO_BINDTODEVICE', 0, 15),
      darwin: number('SO_BINDTODEVICE', 0, 15),
      win32: null,
      freebsd: null,
    },
    /**
     * Mark of every packet that the socket sends, for routing and filter rules: 0 to 4 294 967 295. It needs
     * CAP_NET_ADMIN or CAP_NET_RAW.
     * @systems Linux: `SO_MARK`. Not on macOS, Windows and FreeBSD.
     * @see socket(7)
     */
    mark: {
      kind: 'integer',
      measure: 'number',
      example: 7,
      firstPacket: true,
      privilege: 'CAP_NET_ADMIN or CAP_NET_RAW',
      linux: number('SO_MARK', 0, 4_294_967_295),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Busy polling: how long a read without data polls the network device, in milliseconds with fractions, rounded up
     * to whole microseconds; 0 is off. At most 2 147 483.647 ms. Before Linux 6.11, raising it needs CAP_NET_ADMIN.
     * @systems Linux: `SO_BUSY_POLL`. Not on macOS, Windows and FreeBSD.
     * @see socket(7)
     */
    busyPoll: {
      kind: 'duration',
      example: 0.05,
      privilege: 'CAP_NET_ADMIN, to raise it, before Linux 6.11',
      linux: duration('SO_BUSY_POLL', 'us'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * The CPU on which the kernel last handled a packet of this connection. A number from 0 to 2 147 483 647. A
     * listening socket with `reusePort` prefers connections of this CPU. `null`: none.
     * @systems Linux: `SO_INCOMING_CPU`. Not on macOS, Windows and FreeBSD.
     * @see socket(7)
     */
    incomingCpu: {
      kind: 'integer',
      measure: 'number',
      example: 0,
      nullable: true,
      linux: number('SO_INCOMING_CPU', 0, undefined, { none: -1 }),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Highest rate at which the socket sends, in bytes per second, up to 2^53 - 1 (more than 32 bits since Linux 5.0);
     * `Infinity`, the initial value, is no limit. At least 1.
     * @systems Linux: `SO_MAX_PACING_RATE`. Not on macOS, Windows and FreeBSD.
     * @see socket(7), tc-fq(8)
     */
    maxPacingRate: {
      kind: 'rate',
      example: 12_500_000_000,
      linux: number('SO_MAX_PACING_RATE', 1, Number.MAX_SAFE_INTEGER),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Allows sending without copying (`MSG_ZEROCOPY`), for code that passes this flag: Node does not.
     * @systems Linux 4.14: `SO_ZEROCOPY`. Not on macOS, Windows and FreeBSD.
     * @see Documentation/networking/msg_zerocopy.rst of Linux
     */
    zeroCopy: {
      kind: 'boolean',
      example: true,
      linux: flag('SO_ZEROCOPY'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Type of the socket, read only. `null`: a type without a name here.
     * @systems Every system: `SO_TYPE`.
     * @see socket(7)
     */
    type: {
      kind: 'enum',
      example: 'stream',
      nullable: true,
      access: 'read',
      values: { stream: 'SOCK_STREAM', dgram: 'SOCK_DGRAM', raw: 'SOCK_RAW' },
      linux: flag('SO_TYPE'),
      darwin: flag('SO_TYPE'),
      win32: flag('SO_TYPE'),
      freebsd: flag('SO_TYPE'),
    },
    /**
     * Protocol of the socket, read only. `null`: a protocol without a name here.
     * @systems Linux, FreeBSD: `SO_PROTOCOL`. Not on macOS and Windows.
     * @see socket(7)
     */
    protocol: {
      kind: 'enum',
      example: 'tcp',
      nullable: true,
      access: 'read',
      values: {
        tcp: 'IPPROTO_TCP',
        udp: 'IPPROTO_UDP',
        sctp: 'IPPROTO_SCTP',
        mptcp: 'IPPROTO_MPTCP',
      },
      linux: flag('SO_PROTOCOL'),
      darwin: null,
      win32: null,
      freebsd: flag('SO_PROTOCOL'),
    },
    /**
     * Address family of the socket, read only. An IPv6 socket returns `'ipv6'` for an IPv4 peer too. `null`: a family
     * without a name here.
     * @systems Linux, FreeBSD: `SO_DOMAIN`. Not on macOS and Windows.
     * @see socket(7)
     */
    domain: {
      kind: 'enum',
      example: 'ipv4',
      nullable: true,
      access: 'read',
      values: { ipv4: 'AF_INET', ipv6: 'AF_INET6', unix: 'AF_UNIX' },
      linux: flag('SO_DOMAIN'),
      darwin: null,
      win32: null,
      freebsd: flag('SO_DOMAIN'),
    },
    /**
     * Whether the socket listens, read only.
     * @systems Every system: `SO_ACCEPTCONN`.
     * @see socket(7)
     */
    acceptingConnections: {
      kind: 'boolean',
      example: true,
      access: 'read',
      linux: flag('SO_ACCEPTCONN'),
      darwin: flag('SO_ACCEPTCONN'),
      win32: flag('SO_ACCEPTCONN'),
      freebsd: flag('SO_ACCEPTCONN'),
    },
    /**
     * The kernel's own number of this socket, read only. It is not used again while the system runs. sock_diag and BPF
     * identify the socket by it. It has 64 bits and is a string of decimal digits.
     * @systems Linux 4.12: `SO_COOKIE`. Not on macOS, Windows and FreeBSD.
     * @see socket(7), sock_diag(7)
     */
    cookie: {
      kind: 'cookie',
      example: '4711',
      access: 'read',
      linux: flag('SO_COOKIE'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Process, user and group of the peer of a Unix socket, read only: those that it had when it connected or listened.
     * `null` for a socket without such a peer. The process id is 0 for a peer outside of this process id namespace.
     * @systems Linux: `SO_PEERCRED`. Not on macOS, Windows and FreeBSD.
     * @see unix(7)
     */
    peerCredentials: {
      kind: 'credentials',
      example: { pid: 4711, uid: 1000, gid: 1000 },
      nullable: true,
      access: 'read',
      linux: flag('SO_PEERCRED'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
  }) as const satisfies Rows;
