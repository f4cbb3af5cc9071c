import { flag, number, type Rows } from './row';

const DSCP = number('IP_TOS', 0, 63, { ipv6: 'IPV6_TCLASS' });

/** Options of the network layer: IPv4, IPv6, and the priority that belongs to them. */
export const ip = () =>
  ({
    /**
     * Differentiated services code point of the packets that are sent, IPv4 and IPv6 alike: 0 to 63, for example 46 for
     * expedited forwarding (EF).
     *
     * It is the upper six bits of `typeOfService` and `trafficClass`. The lower two bits, ECN, do not change. On Linux
     * an IPv6 socket gets both options, so that packets to an IPv4 peer (`::ffff:192.0.2.1`) carry it too. Reading
     * returns the value of the socket's own family. On Linux it also sets `priority`, as `typeOfService` does.
     * @systems Linux, macOS, FreeBSD: `IP_TOS` and `IPV6_TCLASS`. Not on Windows, which ignores `IP_TOS`.
     * @see ip(7), ipv6(7), RFC 2474, RFC 3246
     */
    dscp: {
      kind: 'dscp',
      example: 46,
      firstPacket: true,
      linux: DSCP,
      darwin: DSCP,
      win32: null,
      freebsd: DSCP,
    },
    /**
     * Type of service of the IPv4 packets that are sent, 0 to 255: six bits of DSCP and two of ECN. TCP uses the ECN
     * bits: on a TCP socket Linux does not change them. On Linux it also sets `priority`. Linux also accepts it on an
     * IPv6 socket, for IPv4 peers. macOS refuses it there.
     * @systems Linux, macOS, FreeBSD: `IP_TOS`. Not on Windows, which ignores the option.
     * @see ip(7), RFC 2474
     */
    typeOfService: {
      kind: 'integer',
      measure: 'number',
      example: 0x10,
      firstPacket: true,
      linux: number('IP_TOS', 0, 255),
      darwin: number('IP_TOS', 0, 255),
      win32: null,
      freebsd: number('IP_TOS', 0, 255),
    },
    /**
     * Traffic class of the IPv6 packets that are sent, 0 to 255; refused on an IPv4 socket.
     * @systems Linux, macOS, FreeBSD: `IPV6_TCLASS`. Not on Windows.
     * @see ipv6(7), RFC 3542
     */
    trafficClass: {
      kind: 'integer',
      measure: 'number',
      example: 0x20,
      firstPacket: true,
      linux: number('IPV6_TCLASS', 0, 255),
      darwin: number('IPV6_TCLASS', 0, 255),
      win32: null,
      freebsd: number('IPV6_TCLASS', 0, 255),
    },
    /**
     * Priority of the packets in the queues of this machine. 0 to 6, with CAP_NET_ADMIN up to 2 147 483 647. Accepted
     * sockets do not inherit it. `typeOfService` changes it, so it is set after `typeOfService`.
     * @systems Linux: `SO_PRIORITY`. Not on macOS, Windows and FreeBSD.
     * @see socket(7), tc-prio(8)
     */
    priority: {
      kind: 'integer',
      measure: 'number',
      example: 5,
      firstPacket: true,
      privilege: 'CAP_NET_ADMIN, above 6',
      linux: number('SO_PRIORITY', 0),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Time to live of the IPv4 packets that are sent, 1 to 255 hops; `'system'` restores the system's default.
     * @systems Every system: `IP_TTL`.
     * @see ip(7), RFC 791
     */
    ttl: {
      kind: 'integer',
      measure: 'count',
      example: 40,
      firstPacket: true,
      system: true,
      linux: number('IP_TTL', 1, 255, { system: -1 }),
      darwin: number('IP_TTL', 1, 255),
      win32: number('IP_TTL', 1, 255),
      freebsd: number('IP_TTL', 1, 255),
    },
    /**
     * Hop limit of the IPv6 packets that are sent, 1 to 255; `'system'` restores the system's default. `null` is the
     * system's default, which macOS and FreeBSD do not report as a number. Refused on an IPv4 socket.
     * @systems Every system: `IPV6_UNICAST_HOPS`.
     * @see ipv6(7), RFC 3542
     */
    hopLimit: {
      kind: 'integer',
      measure: 'count',
      example: 40,
      firstPacket: true,
      system: true,
      nullable: true,
      linux: number('IPV6_UNICAST_HOPS', 1, 255, { system: -1 }),
      darwin: number('IPV6_UNICAST_HOPS', 1, 255, { system: -1, none: -1 }),
      win32: number('IPV6_UNICAST_HOPS', 1, 255),
      freebsd: number('IPV6_UNICAST_HOPS', 1, 255, { system: -1, none: -1 }),
    },
    /**
     * An IPv6 socket accepts IPv6 only, no IPv4 peers. Refused on an IPv4 socket, and on every system once the socket
     * has a port (EINVAL; other systems than Linux by their documentation and sources).
     * @systems Every system: `IPV6_V6ONLY`.
     * @see ipv6(7), RFC 3493
     */
    ipv6Only: {
      kind: 'boolean',
      example: true,
      before: 'bind',
      tooLate: ['bound', 'listening', 'connecting', 'connected'],
      linux: flag('IPV6_V6ONLY'),
      darwin: flag('IPV6_V6ONLY'),
      win32: flag('IPV6_V6ONLY'),
      freebsd: flag('IPV6_V6ONLY'),
    },
    /**
     * Bind to an address that this machine does not have, or not yet. Linux accepts it on a bound socket, without an
     * effect.
     * @systems Linux: `IP_FREEBIND`. Not on macOS, Windows and FreeBSD.
     * @see ip(7)
     */
    freeBind: {
      kind: 'boolean',
      example: true,
      before: 'bind',
      tooLate: ['bound', 'listening', 'connecting', 'connected'],
      linux: flag('IP_FREEBIND'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Transparent proxying: receive and send packets of foreign addresses. It acts on a socket that is bound or
     * listens. Once a TCP socket connects, only rules of the firewall see it (`socket transparent 1` of nft). Linux needs
     * CAP_NET_ADMIN or CAP_NET_RAW.
     * @systems Linux: `IP_TRANSPARENT`. FreeBSD: `IP_BINDANY`. Not on macOS and Windows.
     * @see ip(7)
     */
    transparent: {
      kind: 'boolean',
      example: true,
      before: 'bind',
      tooLate: ['connecting', 'connected'],
      privilege: 'CAP_NET_ADMIN or CAP_NET_RAW',
      linux: flag('IP_TRANSPARENT'),
      darwin: null,
      win32: null,
      freebsd: flag('IP_BINDANY'),
    },
    /**
     * Path MTU discovery: `'do'` never fragments, `'dont'` may always fragment, `'want'` follows the route, `'probe'`
     * never fragments and ignores the known path MTU, `'interface'` uses the MTU of the interface and ignores routers,
     * `'omit'` does the same and may fragment. `null`: a setting without a name here.
     * @systems Linux: `IP_MTU_DISCOVER`. Windows: `IP_MTU_DISCOVER`, with `'do'`, `'dont'` and `'probe'`. Not on macOS
     *   and FreeBSD.
     * @see ip(7), RFC 1191
     */
    pathMtuDiscovery: {
      kind: 'enum',
      example: 'probe',
      firstPacket: true,
      nullable: true,
      values: {
        dont: 'IP_PMTUDISC_DONT',
        want: 'IP_PMTUDISC_WANT',
        do: 'IP_PMTUDISC_DO',
        probe: 'IP_PMTUDISC_PROBE',
        interface: 'IP_PMTUDISC_INTERFACE',
        omit: 'IP_PMTUDISC_OMIT',
      },
      linux: flag('IP_MTU_DISCOVER'),
      darwin: null,
      win32: flag('IP_MTU_DISCOVER'),
      freebsd: null,
    },
    /**
     * The known MTU of the path to the peer, in bytes, read only. The error is ENOTCONN unless connected.
     * @systems Linux, Windows: `IP_MTU`. Not on macOS and FreeBSD.
     * @see ip(7), RFC 1191
     */
    mtu: {
      kind: 'integer',
      measure: 'bytes',
      example: 1_500,
      access: 'read',
      linux: number('IP_MTU'),
      darwin: null,
      win32: number('IP_MTU'),
      freebsd: null,
    },
    /**
     * Binding to an address with port 0 chooses the port when the socket connects, so that one port serves several
     * peers. Linux accepts it on a socket with a port, without an effect.
     * @systems Linux 4.2: `IP_BIND_ADDRESS_NO_PORT`. Not on macOS, Windows and FreeBSD.
     * @see ip(7)
     */
    bindAddressNoPort: {
      kind: 'boolean',
      example: true,
      before: 'bind',
      tooLate: ['bound', 'listening', 'connecting', 'connected'],
      linux: flag('IP_BIND_ADDRESS_NO_PORT'),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * The ports from which the kernel chooses one: `{ low, high }`, each 1 to 65 535. `null`, the initial value, and
     * `'system'` are the range of the sysctl net.ipv4.ip_local_port_range. The kernel ignores a bound outside of that
     * range. Linux accepts it on a socket with a port, without an effect. For IPv4 and IPv6.
     * @systems Linux 6.3: `IP_LOCAL_PORT_RANGE`. Not on macOS, Windows and FreeBSD.
     * @see ip(7), ip-sysctl ip_local_port_range
     */
    localPortRange: {
      kind: 'portRange',
      example: { low: 40_000, high: 40_099 },
      before: 'bind',
      tooLate: ['bound', 'listening', 'connecting', 'connected'],
      system: true,
      nullable: true,
      linux: number('IP_LOCAL_PORT_RANGE', 1, 65_535, { system: 0 }),
      darwin: null,
      win32: null,
      freebsd: null,
    },
    /**
     * Where the peer wanted to connect to before a firewall rule (`REDIRECT`, `DNAT`) sent its connection here: `{
     * address, port, family }`, read only. It is the address of the socket itself if no rule changed it. `null`:
     * connection tracking has no such connection.
     *
     * The accepted TCP sockets of a transparent proxy have it, UDP and Unix sockets do not (ENOPROTOOPT, ENOTSUP). With
     * a `TPROXY` rule the original destination is the local address of the socket, and this may be `null`.
     * @systems Linux, with the kernel module nf_conntrack: `SO_ORIGINAL_DST` and `IP6T_SO_ORIGINAL_DST`. Not on macOS,
     *   Windows and FreeBSD.
     * @see iptables-extensions(8), nft(8)
     */
    originalDestination: {
      kind: 'address',
      example: { address: '192.0.2.1', port: 443, family: 'IPv4' },
      nullable: true,
      access: 'read',
      inModule: true,
      linux: flag('SO_ORIGINAL_DST', { ipv6: 'IP6T_SO_ORIGINAL_DST' }),
      darwin: null,
      win32: null,
      freebsd: null,
    },
  }) as const satisfies Rows;
