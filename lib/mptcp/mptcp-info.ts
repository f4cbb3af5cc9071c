// The record that getMptcpInfo() returns, and the decoder of its part about the whole connection: `struct mptcp_info`.

import type { TcpInfo } from '../tcp-info/tcp-info';

/** A subflow: one of the TCP connections that carry a Multipath TCP connection. */
export interface MptcpSubflow {
  /**
   * Number of the subflow in its connection. The first one has the least, and no number is used twice. Linux 6.5.
   * `null`: the kernel is older.
   */
  readonly id: number | null;
  /** IP version of the subflow. */
  readonly family: 'IPv4' | 'IPv6';
  /** Local IP address of the subflow. */
  readonly localAddress: string;
  /** Local port of the subflow: 0 to 65 535. */
  readonly localPort: number;
  /** IP address of the peer of this subflow. */
  readonly remoteAddress: string;
  /** Port of the peer of this subflow: 0 to 65 535. */
  readonly remotePort: number;
  /**
   * Whether this host asked for the subflow as a backup, which carries data only while no other subflow can. `null` if the
   * kernel does not report it to this process: see {@link getMptcpInfo}.
   */
  readonly isLocalBackup: boolean | null;
  /** Whether the peer asked for the subflow as a backup. `null` as for `isLocalBackup`. */
  readonly isRemoteBackup: boolean | null;
  /** The TCP state of the subflow, as {@link getTcpInfo} returns it. */
  readonly tcpInfo: TcpInfo;
}

/**
 * What the kernel knows of a Multipath TCP connection. Times are in milliseconds, sizes in bytes. A member is `null` if
 * the running kernel is too old to report it. `struct mptcp_info` of Linux 5.16; the version at a member is the first
 * kernel with it, if newer.
 */
export interface MptcpInfo {
  /**
   * Number that identifies the connection on this host: `mptcpi_token`. `ip mptcp monitor` prints it in hexadecimal
   * digits.
   */
  readonly token: number;
  /** Whether the peer's key arrived, so that subflows can be added: `MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED`. */
  readonly isRemoteKeyReceived: boolean;
  /** Whether the data has checksums: `mptcpi_csum_enabled`. Linux 5.17. */
  readonly isChecksumEnabled: boolean | null;
  /** Number of subflows beside the first one, open or being opened: `mptcpi_subflows`. */
  readonly extraSubflows: number;
  /** How many of them the path manager of the kernel allows: `mptcpi_subflows_max`. 0: a program manages the paths. */
  readonly extraSubflowsMax: number;
  /** Number of open subflows: `mptcpi_subflows_total`. Linux 6.7. */
  readonly subflowsTotal: number | null;
  /** Number of addresses that this host announced to the peer (ADD_ADDR): `mptcpi_add_addr_signal`. */
  readonly addAddrSignal: number;
  /** How many addresses this host can announce: `mptcpi_add_addr_signal_max`. */
  readonly addAddrSignalMax: number;
  /** Number of announced addresses of the peer that this host accepted: `mptcpi_add_addr_accepted`. */
  readonly addAddrAccepted: number;
  /** How many addresses of the peer this host may accept: `mptcpi_add_addr_accepted_max`. */
  readonly addAddrAcceptedMax: number;
  /** Number of local addresses that subflows were opened from: `mptcpi_local_addr_used`. Linux 5.17. */
  readonly localAddrUsed: number | null;
  /** How many local addresses are there for it: `mptcpi_local_addr_max`. Linux 5.17. */
  readonly localAddrMax: number | null;
  /** Data sequence number of the next byte to send: `mptcpi_write_seq`. Decimal digits: 64 bits do not fit a number. */
  readonly writeSeq: string;
  /** First data sequence number that is not acknowledged: `mptcpi_snd_una`. Decimal digits. */
  readonly sndUna: string;
  /** Data sequence number that is expected next: `mptcpi_rcv_nxt`. Decimal digits. */
  readonly rcvNxt: string;
  /** Payload sent, in bytes, each byte counted once: `mptcpi_bytes_sent`. Linux 6.5. */
  readonly bytesSent: number | null;
  /** Payload received in order, in bytes: `mptcpi_bytes_received`. Linux 6.5. */
  readonly bytesReceived: number | null;
  /** Payload that the peer acknowledged, in bytes: `mptcpi_bytes_acked`. Linux 6.5. */
  readonly bytesAcked: number | null;
  /** Payload sent again on another subflow, in bytes: `mptcpi_bytes_retrans`. Linux 6.5. */
  readonly bytesRetransmitted: number | null;
  /** Number of times that payload was sent again on another subflow: `mptcpi_retransmits`. Linux 6.5. */
  readonly retransmits: number | null;
  /** Time since payload was sent, in milliseconds: `mptcpi_last_data_sent`. Linux 6.10. */
  readonly timeSinceLastDataSent: number | null;
  /** Time since payload arrived, in milliseconds: `mptcpi_last_data_recv`. Linux 6.10. */
  readonly timeSinceLastDataReceived: number | null;
  /** Time since the peer acknowledged data, in milliseconds: `mptcpi_last_ack_recv`. Linux 6.10. */
  readonly timeSinceLastAckReceived: number | null;
  /** The open subflows, the oldest first. */
  readonly subflows: readonly MptcpSubflow[];
}

/** What the kernel reports of the whole connection. */
export type ConnectionInfo = Omit<MptcpInfo, 'subflows'>;

const FLAG_REMOTE_KEY_RECEIVED = 2;

/**
 * Decodes `length` bytes of `struct mptcp_info` at byte `at`, a multiple of 8. Views of the memory have the byte order of
 * the processor, as the kernel's structure has. Not decoded: `mptcpi_endp_laminar_max` and `mptcpi_endp_fullmesh_max` of
 * Linux 6.18. They took the place of padding, so the length does not show whether they are filled.
 */
export function decodeInfo(memory: ArrayBuffer, at: number, length: number): ConnectionInfo {
  const bytes = new Uint8Array(memory, at);
  const words = new Uint32Array(memory, at, length >> 2);
  const longs = new BigUint64Array(memory, at, length >> 3);
  const u8 = (offset: number) => bytes[offset] as number;
  const u32 = (offset: number) => words[offset >> 2] as number;
  const sequence = (offset: number) => String(longs[offset >> 3]);
  /** The value of a newer member, which ends `size` bytes after `offset`; `null` if the kernel did not write it. */
  const newer = (read: (offset: number) => number, offset: number, size: number) =>
    length < offset + size ? null : read(offset);
  const u64 = (offset: number) => Number(longs[offset >> 3]);
  const checksum = newer(u8, 42, 1);
  return {
    token: u32(12),
    isRemoteKeyReceived: (u32(8) & FLAG_REMOTE_KEY_RECEIVED) !== 0,
    isChecksumEnabled: checksum === null ? null : checksum !== 0,
    extraSubflows: u8(0),
    extraSubflowsMax: u8(3),
    subflowsTotal: newer(u8, 80, 1),
    addAddrSignal: u8(1),
    addAddrSignalMax: u8(4),
    addAddrAccepted: u8(2),
    addAddrAcceptedMax: u8(5),
    localAddrUsed: newer(u8, 40, 1),
    localAddrMax: newer(u8, 41, 1),
    writeSeq: sequence(16),
    sndUna: sequence(24),
    rcvNxt: sequence(32),
    bytesSent: newer(u64, 56, 8),
    bytesReceived: newer(u64, 64, 8),
    bytesAcked: newer(u64, 72, 8),
    bytesRetransmitted: newer(u64, 48, 8),
    // It took the place of padding when the counters of bytes came.
    retransmits: length < 80 ? null : u32(44),
    timeSinceLastDataSent: newer(u32, 84, 4),
    timeSinceLastDataReceived: newer(u32, 88, 4),
    timeSinceLastAckReceived: newer(u32, 92, 4),
  };
}
