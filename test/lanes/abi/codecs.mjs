// The places of members in structures that code of lib/ decodes and encodes with offsets in its text. They are found by
// what the code reads and writes.

import { source } from '../../../scripts/source.mjs';

const lib = await source([
  'connections/linux/messages',
  'connections/linux/request',
  'connections/win32',
  'mptcp/mptcp-info',
  'connections/filter',
]);

/**
 * The places of members that code reads, found by what it reads: `decode` gets `size` bytes, of which one differs from
 * `bytes`, and returns an object. A member is where a change of a byte changes it.
 */
function placesRead(bytes, from, size, decode) {
  const before = decode(bytes);
  const places = new Map();
  for (let at = from; at < from + size; at++) {
    const changed = bytes.slice();
    changed[at] ^= 0xff;
    const after = decode(changed);
    for (const name of Object.keys(before)) {
      if (!(name in after) || Object.is(before[name], after[name])) continue;
      const place = places.get(name);
      if (place === undefined) places.set(name, { bit: (at - from) * 8, bits: 8 });
      else place.bits = (at - from + 1) * 8 - place.bit;
    }
  }
  return places;
}

/** The places of members that code writes: `encode(name)` returns a message in which this member has other bytes. */
function placesWritten(names, from, encode) {
  const before = encode();
  return names.map((name) => {
    const after = encode(name);
    const at = [...before.keys()].filter(
      (index) => index >= from && before[index] !== after[index],
    );
    return [name, { bit: (at[0] - from) * 8, bits: (at.at(-1) - at[0] + 1) * 8 }];
  });
}

const NLMSGHDR = 16;

/** `struct inet_diag_msg`, as DiagMessages of lib/connections/linux/messages.ts reads it. */
function diagMessage() {
  const SIZE = 72;
  const bytes = new Uint8Array(NLMSGHDR + SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, 20, true);
  bytes[NLMSGHDR + 1] = 1;
  const messages = new lib.DiagMessages();
  const at = (offset) => String(messages.bytes.subarray(offset, offset + 16));
  return placesRead(bytes, NLMSGHDR, SIZE, (changed) => {
    messages.load(changed);
    messages.next();
    return {
      idiag_family: messages.family,
      idiag_state: messages.stateIndex,
      idiag_timer: messages.timer,
      idiag_retrans: messages.retransmits,
      'id.idiag_sport': messages.localPort,
      'id.idiag_dport': messages.remotePort,
      'id.idiag_src[0 ... 3]': at(messages.localAt),
      'id.idiag_dst[0 ... 3]': at(messages.remoteAt),
      'id.idiag_if': messages.interfaceIndex,
      'id.idiag_cookie[0 ... 1]': messages.cookie,
      idiag_expires: messages.expires,
      idiag_rqueue: messages.receiveQueue,
      idiag_wqueue: messages.sendQueue,
      idiag_uid: messages.uid,
      idiag_inode: messages.inode,
    };
  });
}

/** `struct inet_diag_req_v2`, as lib/connections/linux/request.ts writes it. */
function diagRequest() {
  const zero = {
    ...{ family: 0, localPort: 0, remotePort: 0, interfaceIndex: 0, cookie: 0n },
    ...{ localAddress: new Uint8Array(16), remoteAddress: new Uint8Array(16) },
  };
  const other = {
    sdiag_family: { family: 255 },
    'id.idiag_sport': { localPort: 0xffff },
    'id.idiag_dport': { remotePort: 0xffff },
    'id.idiag_src[0 ... 3]': { localAddress: new Uint8Array(16).fill(255) },
    'id.idiag_dst[0 ... 3]': { remoteAddress: new Uint8Array(16).fill(255) },
    'id.idiag_if': { interfaceIndex: 0xffff_ffff },
    'id.idiag_cookie[0 ... 1]': { cookie: 0xffff_ffff_ffff_ffffn },
  };
  const none = lib.parseFilter({ tcpInfo: false }, 'filter');
  const dump = (name) => {
    const filter = { ...none, states: name === 'idiag_states' ? 0x7ff : 0 };
    const protocol = name === 'sdiag_protocol' ? 0 : 6;
    const request = lib.dumpRequest(2, protocol, { ...filter, tcpInfo: name === 'idiag_ext' });
    return request.slice(0, NLMSGHDR + 56);
  };
  const destroy = (name) => lib.destroyRequest({ ...zero, ...other[name] });
  return new Map([
    ...placesWritten(Object.keys(other), NLMSGHDR, destroy),
    ...placesWritten(['sdiag_protocol', 'idiag_ext', 'idiag_states'], NLMSGHDR, dump),
  ]);
}

/** `struct inet_diag_req`, for both address families, as lib/connections/linux/request.ts writes it. */
function oldDiagRequest() {
  const none = lib.parseFilter({ tcpInfo: false }, 'filter');
  return new Map(
    placesWritten(['idiag_ext', 'idiag_states'], NLMSGHDR, (name) => {
      const states = name === 'idiag_states' ? 0x7ff : 0;
      return lib.dumpTcpRequest({ ...none, states, tcpInfo: name === 'idiag_ext' });
    }),
  );
}

/** `struct mptcp_info`, as decodeInfo() of lib/mptcp/mptcp-info.ts reads it. */
function mptcpInfo() {
  const SIZE = 96;
  return placesRead(new Uint8Array(SIZE), 0, SIZE, (bytes) => {
    const info = lib.decodeInfo(bytes.buffer, 0, SIZE);
    return {
      mptcpi_subflows: info.extraSubflows,
      mptcpi_add_addr_signal: info.addAddrSignal,
      mptcpi_add_addr_accepted: info.addAddrAccepted,
      mptcpi_subflows_max: info.extraSubflowsMax,
      mptcpi_add_addr_signal_max: info.addAddrSignalMax,
      mptcpi_add_addr_accepted_max: info.addAddrAcceptedMax,
      mptcpi_flags: info.isRemoteKeyReceived,
      mptcpi_token: info.token,
      mptcpi_write_seq: info.writeSeq,
      mptcpi_snd_una: info.sndUna,
      mptcpi_rcv_nxt: info.rcvNxt,
      mptcpi_local_addr_used: info.localAddrUsed,
      mptcpi_local_addr_max: info.localAddrMax,
      mptcpi_csum_enabled: info.isChecksumEnabled,
      mptcpi_retransmits: info.retransmits,
      mptcpi_bytes_retrans: info.bytesRetransmitted,
      mptcpi_bytes_sent: info.bytesSent,
      mptcpi_bytes_received: info.bytesReceived,
      mptcpi_bytes_acked: info.bytesAcked,
      mptcpi_subflows_total: info.subflowsTotal,
      mptcpi_last_data_sent: info.timeSinceLastDataSent,
      mptcpi_last_data_recv: info.timeSinceLastDataReceived,
      mptcpi_last_ack_recv: info.timeSinceLastAckReceived,
    };
  });
}

/** A row of a table of Windows, as lib/connections/win32.ts reads it, in a table of one row. */
function tableRow(family, size, stateAt, names) {
  const bytes = new Uint8Array(4 + size);
  bytes[0] = 1;
  bytes[4 + stateAt] = 5;
  const filter = lib.parseFilter({ owners: true }, 'filter');
  return placesRead(bytes, 4, size, (changed) => {
    const [row] = lib.decodeTcpTable(changed, family, filter);
    if (row === undefined) return { [names.state]: undefined };
    return {
      [names.state]: row.state,
      [names.localAddress]: row.localAddress,
      [names.localPort]: row.localPort,
      [names.remoteAddress]: row.remoteAddress,
      [names.remotePort]: row.remotePort,
      dwOwningPid: row.owners[0].pid,
    };
  });
}

const IPV4_ROW = {
  ...{ state: 'dwState', localAddress: 'dwLocalAddr', localPort: 'dwLocalPort' },
  ...{ remoteAddress: 'dwRemoteAddr', remotePort: 'dwRemotePort' },
};
const IPV6_ROW = {
  ...IPV4_ROW,
  ...{ localAddress: 'ucLocalAddr[0 ... 15]', remoteAddress: 'ucRemoteAddr[0 ... 15]' },
};

/** `MIB_TCPROW`, as lib/connections/win32.ts writes it. The state is always the same, and is first. */
function destroyRow() {
  const zero = { localAddress: '0.0.0.0', remoteAddress: '0.0.0.0', localPort: 0, remotePort: 0 };
  const other = {
    dwLocalAddr: { localAddress: '255.255.255.255' },
    dwLocalPort: { localPort: 65_535 },
    dwRemoteAddr: { remoteAddress: '255.255.255.255' },
    dwRemotePort: { remotePort: 65_535 },
  };
  const encode = (name) => lib.windowsDestroyRequest({ family: 'IPv4', ...zero, ...other[name] });
  return new Map([
    ...placesWritten(Object.keys(other), 0, encode),
    ['dwState', { bit: encode().indexOf(12) * 8, bits: 8 }],
  ]);
}

/** The structures that code reads and writes, by the names of C. Code may read a part of a member. */
export function codecStructures(system) {
  if (system === 'linux') {
    return [
      { names: ['inet_diag_msg'], members: diagMessage(), part: true },
      { names: ['inet_diag_req_v2'], members: diagRequest(), part: true },
      { names: ['inet_diag_req'], members: oldDiagRequest(), part: true },
      { names: ['mptcp_info'], members: mptcpInfo(), part: true },
    ];
  }
  if (system !== 'win32') return [];
  return [
    { names: ['MIB_TCPROW_OWNER_PID'], members: tableRow('IPv4', 24, 0, IPV4_ROW), part: true },
    { names: ['MIB_TCP6ROW_OWNER_PID'], members: tableRow('IPv6', 56, 48, IPV6_ROW), part: true },
    { names: ['MIB_TCPROW'], members: destroyRow(), part: true },
  ];
}
