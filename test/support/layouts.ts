// The structures of kernels: offset, bytes and name of each field, copied from headers and documents and not from
// the package's code.

type Field = readonly [offset: number, bytes: 1 | 2 | 4 | 8, name: string];

/** include/uapi/linux/tcp.h of Linux 6.18 without its bit fields, which are bytes 6 and 7. */
export const linux: readonly Field[] = [
  ...fields(0, 1, 'state ca_state retransmits probes backoff options'),
  ...fields(
    8,
    4,
    `rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent
     last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss
     reordering rcv_rtt rcv_space total_retrans`,
  ),
  ...fields(104, 8, 'pacing_rate max_pacing_rate bytes_acked bytes_received'),
  ...fields(136, 4, 'segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out'),
  ...fields(160, 8, 'delivery_rate busy_time rwnd_limited sndbuf_limited'),
  ...fields(192, 4, 'delivered delivered_ce'),
  ...fields(200, 8, 'bytes_sent bytes_retrans'),
  ...fields(216, 4, 'dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash'),
  ...fields(240, 2, 'total_rto total_rto_recoveries'),
  ...fields(
    244,
    4,
    `total_rto_time received_ce delivered_e1_bytes delivered_e0_bytes delivered_ce_bytes
     received_e1_bytes received_e0_bytes received_ce_bytes`,
  ),
];

/** bsd/netinet/tcp.h of xnu, `struct tcp_connection_info`; its Fast Open bits are bytes 52 to 55. */
export const darwin: readonly Field[] = [
  ...fields(0, 1, 'state snd_wscale rcv_wscale'),
  ...fields(
    4,
    4,
    `options flags rto maxseg snd_ssthresh snd_cwnd snd_wnd snd_sbbytes rcv_wnd rttcur srtt rttvar`,
  ),
  ...fields(
    56,
    8,
    `txpackets txbytes txretransmitbytes rxpackets rxbytes rxoutoforderbytes txretransmitpackets`,
  ),
];

/** mstcpip.h of the Windows SDK: `TCP_INFO_v2`, which begins as `_v1` and that as `_v0`. */
export const win32: readonly Field[] = [
  [0, 4, 'State'],
  [4, 4, 'Mss'],
  [8, 8, 'ConnectionTimeMs'],
  [16, 1, 'TimestampsEnabled'],
  [20, 4, 'RttUs'],
  [24, 4, 'MinRttUs'],
  [28, 4, 'BytesInFlight'],
  [32, 4, 'Cwnd'],
  [36, 4, 'SndWnd'],
  [40, 4, 'RcvWnd'],
  [44, 4, 'RcvBuf'],
  [48, 8, 'BytesOut'],
  [56, 8, 'BytesIn'],
  [64, 4, 'BytesReordered'],
  [68, 4, 'BytesRetrans'],
  [72, 4, 'FastRetrans'],
  [76, 4, 'DupAcksIn'],
  [80, 4, 'TimeoutEpisodes'],
  [84, 1, 'SynRetrans'],
  [88, 4, 'SndLimTransRwin'],
  [92, 4, 'SndLimTimeRwin'],
  [96, 8, 'SndLimBytesRwin'],
  [104, 4, 'SndLimTransCwnd'],
  [108, 4, 'SndLimTimeCwnd'],
  [112, 8, 'SndLimBytesCwnd'],
  [120, 4, 'SndLimTransSnd'],
  [124, 4, 'SndLimTimeSnd'],
  [128, 8, 'SndLimBytesSnd'],
  [136, 4, 'OutOfOrderPktsIn'],
  [140, 1, 'EcnNegotiated'],
  [144, 4, 'EceAcksIn'],
  [148, 4, 'PtoEpisodes'],
];

/** sys/netinet/tcp.h of FreeBSD, what its kernel fills; window scales are byte 6. */
export const freebsd: readonly Field[] = [
  [0, 1, 'state'],
  [5, 1, 'options'],
  [8, 4, 'rto'],
  ...fields(16, 4, 'snd_mss rcv_mss'),
  [52, 4, 'last_data_recv'],
  ...fields(68, 4, 'rtt rttvar snd_ssthresh snd_cwnd'),
  ...fields(
    96,
    4,
    'rcv_space snd_wnd snd_bwnd snd_nxt rcv_nxt toe_tid snd_rexmitpack rcv_ooopack snd_zerowin',
  ),
  ...fields(132, 4, 'delivered_ce received_ce'),
  [164, 4, 'total_tlp'],
  [168, 8, 'total_tlp_bytes'],
  ...fields(176, 4, 'snd_una snd_max rcv_numsacks rcv_adv dupacks rttmin'),
];

type BitField = readonly [offset: number, shift: number, bits: number, name: string];

/** The bit fields of the same structures: the byte, the first bit and how many. */
export const bitFields: Readonly<Record<string, readonly BitField[]>> = {
  linux: [
    [6, 0, 4, 'snd_wscale'],
    [6, 4, 4, 'rcv_wscale'],
    [7, 0, 1, 'delivery_rate_app_limited'],
    [7, 1, 2, 'fastopen_client_fail'],
  ],
  darwin: [
    [52, 0, 1, 'tfo_cookie_req'],
    [52, 1, 1, 'tfo_cookie_rcv'],
    [52, 2, 1, 'tfo_syn_loss'],
    [52, 3, 1, 'tfo_syn_data_sent'],
    [52, 4, 1, 'tfo_syn_data_acked'],
    [52, 5, 1, 'tfo_syn_data_rcv'],
  ],
  win32: [],
  freebsd: [
    [6, 0, 4, 'snd_wscale'],
    [6, 4, 4, 'rcv_wscale'],
  ],
};

function fields(start: number, bytes: Field[1], names: string): Field[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name, index) => [start + index * bytes, bytes, name]);
}

/** A structure of `length` bytes with these values by name; all other bytes are 0. */
export function structure(
  layout: readonly Field[],
  length: number,
  values: Readonly<Record<string, number | bigint>>,
): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  for (const [name, value] of Object.entries(values)) {
    const field = layout.find(([, , candidate]) => candidate === name);
    if (field === undefined) throw new Error(`no field ${name}`);
    const [offset, size] = field;
    if (size === 8) view.setBigUint64(offset, BigInt(value), true);
    else if (size === 4) view.setUint32(offset, Number(value), true);
    else if (size === 2) view.setUint16(offset, Number(value), true);
    else view.setUint8(offset, Number(value));
  }
  return bytes.slice(0, length);
}
