// Rejects options with which the kernel reads or writes memory beyond the value, or opens a descriptor. The list has
// numbers, because headers are older than kernels.

import { valueError } from '../core/validate';

type Call = 'getsockopt' | 'setsockopt';

/** An option that is rejected: level, number, name, the call, and why. */
type UnsafeOption = readonly [
  level: number,
  number: number,
  name: string,
  call: Call,
  reason: string,
];

const READS_ADDRESS = 'the kernel reads from an address that the value holds';
const WRITES_ADDRESS = 'the kernel writes to an address that the value holds';
const OPENS = 'it opens a new descriptor, which nothing would close';

const LINUX: readonly UnsafeOption[] = [
  // net/core/filter.c: sk_get_filter counts the length in instructions of 8 bytes.
  ...both(1, 26, 'SO_ATTACH_FILTER', {
    getsockopt:
      'Linux counts the length in instructions of 8 bytes, and would write past the value',
    setsockopt: READS_ADDRESS,
  }),
  [1, 51, 'SO_ATTACH_REUSEPORT_CBPF', 'setsockopt', READS_ADDRESS],
  // net/core/sock.c: sk_getsockopt installs a pidfd.
  [1, 77, 'SO_PEERPIDFD', 'getsockopt', `${OPENS}; SO_PEERCRED has the process id`],
  // net/ipv4/tcp.c: struct tcp_zerocopy_receive.
  [6, 35, 'TCP_ZEROCOPY_RECEIVE', 'getsockopt', WRITES_ADDRESS],
  // net/ipv4/tcp_ao.c: tcp_ao_copy_mkts_to_user treats the length as the length of one key of many.
  [
    ...([6, 41, 'TCP_AO_GET_KEYS', 'getsockopt'] as const),
    'Linux treats the length as the length of one key, and reads the number of keys from the value',
  ],
  // net/mptcp/sockopt.c: struct mptcp_full_info.
  [284, 4, 'MPTCP_FULL_INFO', 'getsockopt', WRITES_ADDRESS],
  // net/ipv4/netfilter/ip_tables.c, arp_tables.c, net/ipv6/netfilter/ip6_tables.c,
  // net/bridge/netfilter/ebtables.c: `counters` and `entries` of struct ipt_replace and similar ones.
  [0, 64, 'IPT_SO_SET_REPLACE', 'setsockopt', WRITES_ADDRESS],
  [41, 64, 'IP6T_SO_SET_REPLACE', 'setsockopt', WRITES_ADDRESS],
  [0, 96, 'ARPT_SO_SET_REPLACE', 'setsockopt', WRITES_ADDRESS],
  [0, 128, 'EBT_SO_SET_ENTRIES', 'setsockopt', WRITES_ADDRESS],
  [0, 129, 'EBT_SO_SET_COUNTERS', 'setsockopt', READS_ADDRESS],
  [0, 129, 'EBT_SO_GET_ENTRIES', 'getsockopt', WRITES_ADDRESS],
  [0, 131, 'EBT_SO_GET_INIT_ENTRIES', 'getsockopt', WRITES_ADDRESS],
  // net/sctp/socket.c: sctp_getsockopt_connectx3, sctp_getsockopt_peeloff.
  [132, 111, 'SCTP_SOCKOPT_CONNECTX3', 'getsockopt', READS_ADDRESS],
  [132, 102, 'SCTP_SOCKOPT_PEELOFF', 'getsockopt', OPENS],
  [132, 122, 'SCTP_SOCKOPT_PEELOFF_FLAGS', 'getsockopt', OPENS],
  // net/packet/af_packet.c: fanout_set_data_cbpf.
  [263, 22, 'PACKET_FANOUT_DATA', 'setsockopt', READS_ADDRESS],
  // net/rds/rdma.c: struct rds_get_mr_args.
  [276, 2, 'RDS_GET_MR', 'setsockopt', WRITES_ADDRESS],
  [276, 7, 'RDS_GET_MR_FOR_DEST', 'setsockopt', WRITES_ADDRESS],
  // net/xdp/xsk.c: struct xdp_umem_reg.
  [283, 4, 'XDP_UMEM_REG', 'setsockopt', WRITES_ADDRESS],
];

const DARWIN: readonly UnsafeOption[] = [
  // bsd/sys/socket.h: struct mac. bsd/netinet/in.h: struct __msfilterreq.
  ...both(0xffff, 0x1010, 'SO_LABEL', { getsockopt: WRITES_ADDRESS, setsockopt: READS_ADDRESS }),
  [0xffff, 0x1011, 'SO_PEERLABEL', 'getsockopt', WRITES_ADDRESS],
  ...both(0, 74, 'IP_MSFILTER', { getsockopt: WRITES_ADDRESS, setsockopt: READS_ADDRESS }),
  ...both(41, 74, 'IPV6_MSFILTER', { getsockopt: WRITES_ADDRESS, setsockopt: READS_ADDRESS }),
];

/** None is known on Windows. */
const UNSAFE_OPTIONS: Readonly<Record<string, readonly UnsafeOption[]>> = {
  linux: LINUX,
  darwin: DARWIN,
};

function both(level: number, number: number, name: string, reasons: Record<Call, string>) {
  return (['getsockopt', 'setsockopt'] as const).map(
    (call): UnsafeOption => [level, number, name, call, reasons[call]],
  );
}

/** @throws TypeError `ERR_INVALID_ARG_VALUE` for an option with which the kernel would use memory beyond the value. */
export function rejectUnsafeOption(call: Call, level: number, number: number): void {
  for (const [ofLevel, ofNumber, name, ofCall, reason] of UNSAFE_OPTIONS[process.platform] ?? []) {
    if (ofLevel === level && ofNumber === number && ofCall === call) {
      throw valueError('name', `cannot be ${name} for ${call}: ${reason}`, number);
    }
  }
}
