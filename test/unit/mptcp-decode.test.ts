// Decoding of MPTCP_FULL_INFO, MPTCP_SUBFLOW_ADDRS and MPTCP_TCPINFO, from bytes written here by the places in
// include/uapi/linux/mptcp.h, and flags of subflows by made-up answers of sock_diag(7).

import { beforeEach, describe, expect, test, vi } from 'vitest';
import { getMptcpInfo } from '../../lib/mptcp/get-mptcp-info';
import { decodeInfo, type MptcpInfo } from '../../lib/mptcp/mptcp-info';
import { decodeApart, decodeFullInfo, readSubflows } from '../../lib/mptcp/subflows';

const [MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS, MPTCP_FULL_INFO] = [2, 3, 4];
const ENOPROTOOPT = 92;

type Read = (fd: number, option: number, bytes: Uint8Array) => number;
const kernel = vi.hoisted(() => ({
  read: (() => 0) as Read,
  flags: [] as number[],
  options: {} as Record<string, number>,
}));
vi.mock('../../lib/core/addon', async (original) => ({
  ...(await original<object>()),
  binding: () => ({
    readSubflows: (fd: number, option: number, bytes: Uint8Array) => kernel.read(fd, option, bytes),
  }),
}));
/** The options of the socket. A number below 0 is a refusal. */
vi.mock('../../lib/core/record-buffer', async (original) => {
  const buffer = await original<typeof import('../../lib/core/record-buffer.js')>();
  return {
    ...buffer,
    getRecords: () => {
      const { words } = buffer;
      const value = kernel.options[`${words[0]}/${words[1]}`] ?? -ENOPROTOOPT;
      words[2] = value < 0 ? value : 4;
      words[3] = value;
      return value < 0 ? 0 : 1;
    },
  };
});
/** The key of what sock_diag(7) reports is that of DiagMessages, which test/lanes/mptcp/run.mjs compares with ss(8). */
vi.mock('../../lib/connections/linux/subflow-flags', () => ({
  readSubflowFlags: () => ({ get: () => kernel.flags.shift() }),
}));
// The processor of another system may be this one: the layouts are those of Linux.
vi.spyOn(process, 'platform', 'get').mockReturnValue('linux');

interface Endpoint {
  readonly address: readonly number[];
  readonly port: number;
}
interface MadeSubflow {
  readonly id: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly state?: number;
}

const IPV4: MadeSubflow = {
  id: 0,
  local: { address: [10, 99, 1, 1], port: 0x1234 },
  remote: { address: [10, 99, 1, 2], port: 443 },
};
const IPV6: MadeSubflow = {
  id: 3,
  local: { address: [0xfd, 0x99, 0, 2, ...Array(11).fill(0), 1], port: 50_001 },
  remote: { address: [0xfd, 0x99, 0, 2, ...Array(11).fill(0), 0x0a], port: 0x00ff },
  state: 4,
};

/** The processor's byte order is the kernel's. */
const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const view = (bytes: Uint8Array) => new DataView(bytes.buffer);

/** `struct sockaddr_in` or `sockaddr_in6`: the port is in network byte order. */
function putEndpoint(bytes: Uint8Array, at: number, { address, port }: Endpoint): void {
  const isIpv4 = address.length === 4;
  view(bytes).setUint16(at, isIpv4 ? 2 : 10, isLittle);
  view(bytes).setUint16(at + 2, port, false);
  bytes.set(address, at + (isIpv4 ? 4 : 8));
}

function putAddresses(bytes: Uint8Array, at: number, { local, remote }: MadeSubflow): void {
  putEndpoint(bytes, at, local);
  putEndpoint(bytes, at + 128, remote);
}

/** The first members of struct tcp_info: the state, and the RTO, in microseconds. */
function putTcpInfo(bytes: Uint8Array, at: number, { id, state = 1 }: MadeSubflow): void {
  bytes[at] = state;
  view(bytes).setUint32(at + 8, (id + 1) * 1_000, isLittle);
}

/** Each member of `struct mptcp_info` of Linux 6.18 has a value of its own. */
const INFO_LENGTH = 96;
function putInfo(bytes: Uint8Array, at: number): void {
  bytes.set([1, 2, 3, 4, 5, 6], at);
  const u32 = (offset: number, value: number) =>
    view(bytes).setUint32(at + offset, value, isLittle);
  const u64 = (offset: number, value: bigint) =>
    view(bytes).setBigUint64(at + offset, value, isLittle);
  u32(8, 2);
  u32(12, 0xfedc_ba98);
  u64(16, 0xffff_ffff_ffff_fff1n);
  u64(24, 0xffff_ffff_ffff_fff2n);
  u64(32, 0xffff_ffff_ffff_fff3n);
  bytes.set([7, 8, 1], at + 40);
  u32(44, 9);
  u64(48, 10_000_000_001n);
  u64(56, 10_000_000_002n);
  u64(64, 10_000_000_003n);
  u64(72, 10_000_000_004n);
  bytes[at + 80] = 11;
  u32(84, 12);
  u32(88, 13);
  u32(92, 14);
}

const HEAD = 256;
/** The sizes of the arrays of Linux 6.18 on 64 and 32 bits, and the room for one element of each. */
const [SUBFLOW_ROOM, TCP_INFO_ROOM] = [264, 512];
const TCP_INFO_LENGTH = 248;

/** Writes as the kernel does for MPTCP_FULL_INFO. `infoAt`: where the struct of a subflow has its addresses. */
function putFullInfo(bytes: Uint8Array, subflows: readonly MadeSubflow[], addressesAt = 8): number {
  const room = (bytes.length - HEAD) / (SUBFLOW_ROOM + TCP_INFO_ROOM);
  const size = addressesAt + 256;
  [TCP_INFO_LENGTH, TCP_INFO_LENGTH, size, size, subflows.length, room].forEach((value, i) => {
    view(bytes).setUint32(4 * i, value, isLittle);
  });
  putInfo(bytes, 40);
  subflows.slice(0, room).forEach((one, i) => {
    const at = HEAD + i * size;
    view(bytes).setUint32(at, one.id, isLittle);
    putAddresses(bytes, at + addressesAt, one);
    putTcpInfo(bytes, HEAD + room * SUBFLOW_ROOM + i * TCP_INFO_LENGTH, one);
  });
  return 40 + INFO_LENGTH;
}

/** Writes as the kernel does for the two older options: `struct mptcp_subflow_data` and an array. */
function putArray(bytes: Uint8Array, option: number, subflows: readonly MadeSubflow[]): number {
  const size = option === MPTCP_TCPINFO ? 232 : 256;
  const room = Math.floor((bytes.length - 16) / size);
  [16, subflows.length, size, size].forEach((value, i) => {
    view(bytes).setUint32(4 * i, value, isLittle);
  });
  subflows.slice(0, room).forEach((one, i) => {
    if (option === MPTCP_TCPINFO) putTcpInfo(bytes, 16 + i * size, one);
    else putAddresses(bytes, 16 + i * size, one);
  });
  return 16 + Math.min(subflows.length, room) * size;
}

/** What lib/mptcp/subflows.ts gets. */
function answer(room: number, put: (bytes: Uint8Array) => number) {
  const bytes = new Uint8Array(HEAD + room * (SUBFLOW_ROOM + TCP_INFO_ROOM));
  const length = put(bytes);
  return { bytes, words: new Uint32Array(bytes.buffer), length, room };
}

const endpoints = [
  {
    id: 0,
    family: 'IPv4',
    localAddress: '10.99.1.1',
    localPort: 4_660,
    remoteAddress: '10.99.1.2',
    remotePort: 443,
  },
  {
    id: 3,
    family: 'IPv6',
    localAddress: 'fd99:2::1',
    localPort: 50_001,
    remoteAddress: 'fd99:2::a',
    remotePort: 255,
  },
];
const states = [
  { state: 'ESTABLISHED', rto: 1 },
  { state: 'FIN-WAIT-1', rto: 4 },
];

/** The key that DiagMessages.endpointKey makes: family, ports and addresses as in the message of the kernel. */
const keyOf = ({ local, remote }: MadeSubflow) =>
  String.fromCharCode(
    local.address.length === 4 ? 2 : 10,
    ...[local.port >> 8, local.port & 255, remote.port >> 8, remote.port & 255],
    ...[...local.address, ...Array(16).fill(0)].slice(0, 16),
    ...[...remote.address, ...Array(16).fill(0)].slice(0, 16),
  );

describe('MPTCP_FULL_INFO', () => {
  test.each([
    ['64-bit', 8],
    ['32-bit', 4],
  ])('is decoded with two subflows of IPv4 and IPv6 (%s kernel)', (_, addressesAt) => {
    const { subflows } = decodeFullInfo(
      answer(4, (b) => putFullInfo(b, [IPV4, IPV6], addressesAt)),
    );
    expect(subflows.map(({ subflow: { tcpInfo, ...rest } }) => rest)).toEqual(endpoints);
    expect(subflows.map(({ subflow }) => subflow.tcpInfo)).toMatchObject(states);
    expect(subflows.map(({ endpointKey }) => endpointKey)).toEqual([keyOf(IPV4), keyOf(IPV6)]);
  });

  test('of more subflows than there is room for has as many as there is room for', () => {
    const many = Array.from({ length: 5 }, (_, id) => ({ ...IPV4, id }));
    const { subflows } = decodeFullInfo(answer(2, (b) => putFullInfo(b, many)));
    expect(subflows.map(({ subflow }) => subflow.id)).toEqual([0, 1]);
  });

  test('of a connection without open subflows has none', () => {
    expect(decodeFullInfo(answer(2, (b) => putFullInfo(b, []))).subflows).toEqual([]);
  });
});

describe('MPTCP_SUBFLOW_ADDRS and MPTCP_TCPINFO', () => {
  const apart = (addresses: readonly MadeSubflow[], infos = addresses, room = 4) =>
    decodeApart(
      answer(room, (b) => putArray(b, MPTCP_SUBFLOW_ADDRS, addresses)),
      answer(room, (b) => putArray(b, MPTCP_TCPINFO, infos)),
    );

  test('are decoded with two subflows of IPv4 and IPv6, without numbers', () => {
    const subflows = apart([IPV4, IPV6]);
    expect(subflows.map(({ subflow: { tcpInfo, ...rest } }) => rest)).toEqual(
      endpoints.map((one) => ({ ...one, id: null })),
    );
    expect(subflows.map(({ subflow }) => subflow.tcpInfo)).toMatchObject(states);
    expect(subflows.map(({ endpointKey }) => endpointKey)).toEqual([keyOf(IPV4), keyOf(IPV6)]);
  });

  test('with different numbers of subflows have those that are in both', () => {
    expect(apart([IPV4, IPV6], [IPV4])).toHaveLength(1);
    expect(apart([IPV4], [IPV4, IPV6])).toHaveLength(1);
  });

  test('of more subflows than there is room for have as many as there is room for', () => {
    const many = Array.from({ length: 9 }, (_, id) => ({ ...IPV4, id }));
    expect(apart(many, many, 2)).toHaveLength(2);
  });
});

describe('struct mptcp_info', () => {
  const memory = new Uint8Array(40 + INFO_LENGTH);
  putInfo(memory, 40);
  const decode = (length: number) => decodeInfo(memory.buffer, 40, length);

  test('is decoded, each member from its place', () => {
    expect(decode(INFO_LENGTH)).toEqual({
      ...{ extraSubflows: 1, addAddrSignal: 2, addAddrAccepted: 3 },
      ...{ extraSubflowsMax: 4, addAddrSignalMax: 5, addAddrAcceptedMax: 6 },
      ...{ isRemoteKeyReceived: true, token: 0xfedc_ba98 },
      writeSeq: '18446744073709551601',
      sndUna: '18446744073709551602',
      rcvNxt: '18446744073709551603',
      ...{ localAddrUsed: 7, localAddrMax: 8, isChecksumEnabled: true, retransmits: 9 },
      bytesRetransmitted: 10_000_000_001,
      bytesSent: 10_000_000_002,
      bytesReceived: 10_000_000_003,
      bytesAcked: 10_000_000_004,
      subflowsTotal: 11,
      timeSinceLastDataSent: 12,
      timeSinceLastDataReceived: 13,
      timeSinceLastAckReceived: 14,
    });
  });

  test('has only the bit of the key in isRemoteKeyReceived', () => {
    const other = memory.slice();
    view(other).setUint32(48, 0xffff_fffd, isLittle);
    expect(decodeInfo(other.buffer, 40, INFO_LENGTH).isRemoteKeyReceived).toBe(false);
  });

  const NEWER: readonly (keyof MptcpInfo)[][] = [
    ['localAddrUsed', 'localAddrMax', 'isChecksumEnabled'],
    ['retransmits', 'bytesRetransmitted', 'bytesSent', 'bytesReceived', 'bytesAcked'],
    ['subflowsTotal'],
    ['timeSinceLastDataSent', 'timeSinceLastDataReceived', 'timeSinceLastAckReceived'],
  ];
  test.each([
    // The lengths that sizeof(struct mptcp_info) had.
    ['Linux 5.16', 40, 0],
    ['Linux 5.17', 48, 1],
    ['Linux 6.5', 80, 2],
    ['Linux 6.7', 84, 3],
    ['Linux 6.10', 96, 4],
  ])('of %s is null in newer members only', (_, length, count) => {
    const missing = Object.entries(decode(length)).flatMap(([name, value]) =>
      value === null ? [name] : [],
    );
    expect(missing.sort()).toEqual(NEWER.slice(count).flat().sort());
  });
});

/** A kernel with these subflows. */
const having =
  (subflows: () => readonly MadeSubflow[], options = [2, 3, 4]): Read =>
  (_, option, bytes) => {
    if (!options.includes(option)) return -ENOPROTOOPT;
    bytes.fill(0);
    return option === MPTCP_FULL_INFO
      ? putFullInfo(bytes, subflows())
      : putArray(bytes, option, subflows());
  };

describe('readSubflows', () => {
  const many = Array.from({ length: 40 }, (_, id) => ({ ...IPV4, id }));
  const idsOf = (found: ReturnType<typeof readSubflows>) =>
    typeof found === 'number' ? found : found.map(({ subflow }) => subflow.id);

  test('reads again with more room if there are more subflows than usual', () => {
    kernel.read = having(() => many);
    expect(idsOf(readSubflows(3))).toEqual(many.map(({ id }) => id));
  });

  test('ends although the number of subflows grows with each read', () => {
    let [count, reads] = [10, 0];
    kernel.read = having(() => {
      reads++;
      count += 20;
      return Array.from({ length: count }, (_, id) => ({ ...IPV4, id }));
    });
    expect((idsOf(readSubflows(3)) as number[]).length).toBeGreaterThan(60);
    expect(reads).toBeLessThan(10);
  });

  test('reads addresses and TCP information apart before Linux 6.5', () => {
    kernel.read = having(() => [IPV4, IPV6], [MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS]);
    expect(idsOf(readSubflows(3))).toEqual([null, null]);
  });

  test('reads apart again if the addresses changed meanwhile', () => {
    // Before, the information, and after it: another subflow. Then they stay.
    const answers = [[IPV4], [IPV6], [IPV6]];
    kernel.read = having(() => answers.shift() ?? [IPV6], [MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS]);
    const found = readSubflows(3);
    expect(found).toMatchObject([
      { subflow: { localPort: 50_001, tcpInfo: { state: 'FIN-WAIT-1' } } },
    ]);
  });

  test('returns the code of a refusal', () => {
    kernel.read = having(() => [], []);
    expect(readSubflows(3)).toBe(-ENOPROTOOPT);
  });
});

describe('backup flags', () => {
  beforeEach(() => {
    kernel.read = having(() => [IPV4]);
  });
  // include/uapi/linux/mptcp.h: MPTCP_SUBFLOW_FLAG_BKUP_REM is bit 4, MPTCP_SUBFLOW_FLAG_BKUP_LOC bit 5.
  test.each([
    ['neither', 0, false, false],
    ['the peer', 0x10, false, true],
    ['this host', 0x20, true, false],
    ['both', 0x30, true, true],
    ['neither, with every other flag', 0xffff_ffcf, false, false],
  ])('%s', (_, flags, isLocalBackup, isRemoteBackup) => {
    kernel.flags = [flags];
    expect(getMptcpInfo(0)?.subflows).toMatchObject([{ isLocalBackup, isRemoteBackup }]);
  });

  test('are null if the kernel does not report them', () => {
    kernel.flags = [];
    expect(getMptcpInfo(0)?.subflows).toMatchObject([
      { isLocalBackup: null, isRemoteBackup: null },
    ]);
  });
});

describe('a socket whose kernel refuses MPTCP_INFO', () => {
  // Numbers of the Linux headers: asm-generic/socket.h, linux/tcp.h, linux/in.h, asm-generic/errno.h.
  const [SO_PROTOCOL, TCP_IS_MPTCP, TCP_USER_TIMEOUT] = ['1/38', '6/43', '6/18'];
  const INFO = '284/1';
  const [TCP, MPTCP, UDP] = [6, 262, 17];
  const [EPERM, EOPNOTSUPP] = [1, 95];
  beforeEach(() => {
    kernel.read = having(() => [], []);
  });

  test.each([
    ['of TCP', { [SO_PROTOCOL]: TCP }],
    [
      'that fell back, Linux 6.10',
      { [SO_PROTOCOL]: MPTCP, [TCP_IS_MPTCP]: 0, [INFO]: -EOPNOTSUPP },
    ],
    [
      'that fell back, before',
      { [SO_PROTOCOL]: MPTCP, [TCP_USER_TIMEOUT]: 0, [INFO]: -EOPNOTSUPP },
    ],
  ])('is null: one %s', (_, options) => {
    kernel.options = options;
    expect(getMptcpInfo(0)).toBeNull();
  });

  test.each([
    ['of UDP', { [SO_PROTOCOL]: UDP }, /only TCP sockets have it/],
    ['of Linux before 5.16', { [SO_PROTOCOL]: MPTCP, [INFO]: -EOPNOTSUPP }, /it needs Linux 5.16/],
    ['whose protocol is not known', { [SO_PROTOCOL]: -EPERM }, /EPERM.*SO_PROTOCOL/],
    ['that may not be asked', { [SO_PROTOCOL]: TCP, [INFO]: -EPERM }, /EPERM.*MPTCP_INFO/],
  ])('is an error: one %s', (_, options, message) => {
    kernel.options = options;
    expect(() => getMptcpInfo(0)).toThrow(message);
  });
});
