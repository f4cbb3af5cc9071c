// What the comparison may leave open, by system: names that no source has, and names of the headers that the tables leave
// out on purpose. The lane fails if a name joins or leaves the first list, and if a name of the headers is in no list.

const STATES_OF_BSD = [
  ...['CLOSED', 'LISTEN', 'SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-1'],
  ...['CLOSING', 'LAST-ACK', 'FIN-WAIT-2', 'TIME-WAIT'],
].map((state) => `state ${state}`);

/** Names that no source has. Their values were read elsewhere: in the sources of xnu and FreeBSD, and in the Windows SDK. */
export const UNVERIFIED = {
  linux: [],
  darwin: [
    // Newer than the headers (macOS 15).
    'SO_BINDTODEVICE',
    // netinet/tcp_fsm.h is in no package.
    ...STATES_OF_BSD,
    // The records of net.inet.tcp.pcblist_n are private to xnu. So are the offsets in lib/connections/darwin.ts.
    ...['XSO_SOCKET', 'XSO_RCVBUF', 'XSO_SNDBUF', 'XSO_INPCB', 'XSO_TCPCB', 'INP_IPV4'].map(
      (name) => `${name} of lib/connections/darwin.ts`,
    ),
    ...['xsocket_n', 'xsockbuf_n', 'xinpcb_n', 'xtcpcb_n'].map(
      (name) => `offsets of ${name} of lib/connections/darwin.ts`,
    ),
  ],
  freebsd: [
    ...STATES_OF_BSD,
    // Rust has two bytes in the place of these bit fields.
    ...['tcp_info.tcpi_snd_wscale', 'tcp_info.tcpi_rcv_wscale'],
    // Newer than Rust's structure.
    'tcp_info.tcpi_rttmin',
  ],
  win32: [
    // Only in the Windows SDK.
    ...['SO_BSP_STATE', 'SO_COMPARTMENT_ID', 'SO_ORIGINAL_DST', 'SO_PAUSE_ACCEPT'],
    ...[
      'SO_PORT_SCALABILITY',
      'SO_RANDOMIZE_PORT',
      'SO_RECEIVED_HOPLIMIT',
      'SO_RECEIVED_PROCESSOR',
    ],
    ...[
      'SO_REUSE_MULTICASTPORT',
      'SO_REUSE_UNICASTPORT',
      'IP_RECVECN',
      'IPV6_RECVECN',
      'AF_HYPERV',
    ],
    ...['OutOfOrderPktsIn', 'EcnNegotiated', 'EceAcksIn', 'PtoEpisodes'].map(
      (member) => `TCP_INFO_v2.${member}`,
    ),
  ],
};

/** The families of names in which every name of the headers must be in the tables, or left out for a reason. */
export const FAMILIES = /^(?:SO|TCP|UDP|IP|IPV6|TLS|MPTCP)_/;

const HEADER_OF_PACKETS = 'describes packets';
const LIMIT = 'a limit or a default, not an option';
const MODULE = 'for one module of the TCP stack, or for its logs';
const FIREWALL = 'configures the firewall, the traffic shaper or IPsec';

const COMMON = [
  [/^IP_(?:DF|MF|RF|OFFMASK|MAXPACKET|MSS)$/, HEADER_OF_PACKETS],
  [
    /^IPV6_(?:VERSION|VERSION_MASK|FLOWINFO_MASK|FLOWLABEL_MASK|FLOWLABEL_LEN|FLOW_ECN_MASK)$/,
    HEADER_OF_PACKETS,
  ],
  [/^IPV6_(?:TLV|PRIORITY|RTHDR)_/, HEADER_OF_PACKETS],
  [/^IP(?:V6)?_(?:DEFAULT_MULTICAST|MAX_|MIN_)/, LIMIT],
  [
    /^TCP_(?:MSS|MINMSS|MAXWIN|MAXHLEN|MAXOLEN|MAX_SACK|MAX_WINSHIFT|MSS_DEFAULT|MSS_DESIRED)$/,
    LIMIT,
  ],
];

const BSD = [
  ...COMMON,
  [/^IPV6_(?:DEFHLIM|FRAGTTL|HLIMDEC|MAXHLIM|MAXOPTHDR|MAXPACKET|MMTU)$/, LIMIT],
  [/^IP(?:V6)?_(?:OLD_)?(?:FW|DUMMYNET|NAT|IPSEC_POLICY)/, FIREWALL],
  [/^IP(?:V6)?_FAITH$|^IP_RSVP_|^IPV6_SOCKOPT_RESERVED1$/, 'no longer has an effect'],
  ['IPV6_BINDV6ONLY', 'another name of IPV6_V6ONLY'],
];

/** Names that the tables leave out: a name or a pattern, and why. Members of structures are `structure.member`. */
export const LEFT_OUT = {
  linux: [
    ...COMMON,
    [/^IPV6_(?:FL_|FLOWINFO_)/, 'a value in struct in6_flowlabel_req'],
    [
      /^TLS_(?:CIPHER|CONF|INFO|1_2|1_3|[SG]ET_RECORD)_/,
      'a value in a structure or in a control message',
    ],
    [
      /^MPTCP_(?:PM|RST|ATTR|SUBFLOW_ATTR|SUBFLOW_FLAG|INFO_FLAG)_/,
      'a value of netlink or in a structure',
    ],
    [/^SO_\w+_OLD$/, 'SO_ and the name without it are the same number on 64 bits'],
    [
      'SO_VM_SOCKETS_CONNECT_TIMEOUT',
      'depends on the size of time_t: both numbers are in the table',
    ],
    [/^SO_SECURITY_/, 'no kernel implements it'],
    [/^SO_RDS_/, 'RDS has no streams or datagrams of IP'],
    [/^SO_EE_/, 'a value in struct sock_extended_err'],
    [/^UDP_ENCAP_/, 'a value of UDP_ENCAP'],
    [/^TCP_(?:ACCECN|AO_KEYF|MD5SIG_MAX|AO_MAX|RECEIVE_ZEROCOPY)/, 'a value in a structure'],
    ['TCP_CM_INQ', 'the type of a control message: TCP_INQ'],
    ['TCP_ENCAP_ESPINTCP', 'not a TCP option'],
    [/^TCP_(?:COOKIE_|S_DATA_)/, 'removed in Linux 3.10'],
    [
      /^IPV6_(?:JOIN|LEAVE)_GROUP$|^IPV6_RX(?:HOP|DST)OPTS$|^IP_PMTUDISC$/,
      "glibc's other name of an option",
    ],
  ],
  darwin: [
    ...BSD,
    [/^IPV6_(?:2292|3542)/, 'the names without a number are the options of RFC 3542'],
    [/^IPV6_ADDR_MC_FLAGS/, HEADER_OF_PACKETS],
    ['IP_TRAFFIC_MGT_BACKGROUND', 'no longer has an effect'],
    [/^SO_(?:LABEL|PEERLABEL)$/, 'lib/options/unsafe-options.ts refuses it'],
    [/^SO_(?:NKE|NOTIFYCONFLICT|UPCALLCLOSEWAIT)$/, 'for parts of the kernel'],
    [/^SO_TRACKER_/, 'not an option of a socket'],
    [/^tcp_connection_info\.__pad/, 'padding'],
  ],
  freebsd: [
    ...BSD,
    [
      /^TCP_(?:BBR|RACK|LOG|PCAP|SHARED_CWND|MAXPEAKRATE|IDLE_REDUCE|LRD|PROC_ACC|USE_CMP|PERF)/,
      MODULE,
    ],
    [/^TCP_(?:FIN_IS_RST|FUNCTION_ALIAS|MAXBURST|REUSPORT_LB_NUMA|VENDOR)$/, MODULE],
    [/^TCP_(?:CA_NAME_MAX|FASTOPEN_\w+_LEN|FUNCTION_NAME_LEN_MAX)$/, LIMIT],
    [
      /^IP(?:V6)?_(?:BINDMULTI|RECVRSSBUCKETID|RSSBUCKETID|RSS_LISTEN_BUCKET)$/,
      'for kernels with RSS',
    ],
    ['SO_PROTOTYPE', 'another name of SO_PROTOCOL'],
    ['SO_TS_CLOCK_MAX', LIMIT],
    ['SO_VENDOR', LIMIT],
    ['SO_SPLICE', 'its value holds a descriptor, and moves data past the program'],
    [/^tcp_info\.(?:__tcpi_\w+)$/, 'FreeBSD does not fill it'],
    [/^tcp_info\.tcp_(?:snd|rcv)_wscale$/, "Rust's names of two bit fields"],
  ],
  win32: [
    ...COMMON,
    ['IP_PMTUDISC_MAX', LIMIT],
    [/^SO_(?:CONN|DISC)(?:DATA|OPT)(?:LEN)?$/, 'for protocols other than IP'],
    [/^SO_(?:MAXDG|MAXPATHDG|OPENTYPE|SYNCHRONOUS_\w+)$/, 'for programs of Winsock 1'],
    [/^SO_PROTOCOL_INFO$/, 'SO_PROTOCOL_INFOA or SO_PROTOCOL_INFOW'],
    [/^SO_TIMESTAMP(?:_ID)?$/, 'the type of a control message'],
    [/^UDP_COALESCED_INFO$/, 'the type of a control message'],
    [/^TCP_(?:OFFLOAD|INITIAL_RTO)_/, 'a value in a structure'],
    [
      /^(?:TCP|UDP)_(?:ROW|TABLE|STATS)$|^IP_(?:ADDRROW|ADDRTABLE|FORWARD\w+|NETROW|NETTABLE|STATS)$/,
      'not an option: iphlpapi.h',
    ],
    [
      /^IP_(?:ADAPTER|OPT|FLAG|EXPORT|STATUS|BAD|DEST|ADDR_)_?\w*$/,
      'a result or a flag of iphlpapi.h',
    ],
    [/^TLS_(?:OUT_OF_INDEXES|MINIMUM_AVAILABLE|13_)/, 'not about sockets'],
    ['IPV6_ADDRESS_BITS', HEADER_OF_PACKETS],
    [
      /^IP_(?:SUCCESS|PENDING|UNLOAD|BIND_ADAPTER|UNBIND_ADAPTER|BUF_TOO_SMALL|NO_RESOURCES|HW_ERROR|\w+_ERROR|\w+_PROBLEM|\w+_EXCEEDED|TTL_EXPIRED_\w+|\w+_TOO_BIG|REQ_TIMED_OUT|SOURCE_QUENCH|GENERAL_FAILURE|MEDIA_\w+|\w+_CHANGE|DUPLICATE_\w+|NEGOTIATING_IPSEC|NO_FURTHER_SENDS|RECONFIG_SECFLTR|DEVICE_DOES_NOT_EXIST|UNRECOGNIZED_NEXT_HEADER|PARAM_PROBLEM|UNSPECIFIED_\w+)$/,
      'a result of ICMP functions',
    ],
    ['IP_INTERFACE_WOL_CAPABILITY_CHANGE', 'a result of ICMP functions'],
  ],
};
