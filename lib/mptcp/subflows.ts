// Reads the subflows of a Multipath TCP connection: MPTCP_FULL_INFO, and on older kernels MPTCP_SUBFLOW_ADDRS and
// MPTCP_TCPINFO. Layouts: include/uapi/linux/mptcp.h.

import { binding } from '../core/addon';
import { formatAddress } from '../core/address';
import { decodeLinux } from '../tcp-info/generated/linux';
import type { TcpInfo } from '../tcp-info/tcp-info';
import { type ConnectionInfo, decodeInfo, type MptcpSubflow } from './mptcp-info';

/** Where native/platform/linux_subflows.cc puts what it reads, in bytes. */
const HEAD = 256;
const SUBFLOW = 264;
const TCP_INFO = 512;

/** `struct mptcp_full_info` before its `struct mptcp_info`, and `struct mptcp_subflow_data`. */
const FULL_INFO = 40;
const SUBFLOW_DATA = 16;
/** `struct mptcp_subflow_addrs`: two of `struct sockaddr_storage`. */
const ADDRESSES = 256;
const REMOTE = 128;

const MPTCP_TCPINFO = 2;
const MPTCP_SUBFLOW_ADDRS = 3;
const MPTCP_FULL_INFO = 4;

const AF_INET = 2;

/** A subflow without what only sock_diag(7) reports, and the key of its endpoints there. */
export interface FoundSubflow {
  readonly subflow: Omit<MptcpSubflow, 'isLocalBackup' | 'isRemoteBackup'>;
  readonly endpointKey: string;
}

/** How many subflows there is room for at first: the kernel's path manager opened at most 9 until Linux 6.18. */
const USUAL_ROOM = 9;
/** Each address has a number of one byte. */
const MOST_ROOM = 256;
/** How often a read is repeated because the subflows changed meanwhile. The last one counts. */
const MAX_ATTEMPTS = 4;

/** Reads the subflows on any kernel since Linux 5.16; or returns a negative code. */
export function readSubflows(fd: number): FoundSubflow[] | number {
  const full = readFullInfo(fd);
  return typeof full === 'number' ? readSubflowsApart(fd) : full.subflows;
}

/** What the kernel wrote. */
export interface Answer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory. */
  readonly words: Uint32Array;
  /** The length that the kernel reports, or a negative code. */
  readonly length: number;
  /** How many subflows there is room for. */
  readonly room: number;
}

/** Where each structure has the number of subflows, which may be more than there was room for. */
const COUNT_AT = { [MPTCP_FULL_INFO]: 16, [MPTCP_SUBFLOW_ADDRS]: 4, [MPTCP_TCPINFO]: 4 } as const;

/** Reads an option; again with more room, if there was not enough. */
function read(fd: number, option: keyof typeof COUNT_AT): Answer {
  let room = USUAL_ROOM;
  for (let attempt = 1; ; attempt++) {
    const bytes = new Uint8Array(HEAD + room * (SUBFLOW + TCP_INFO));
    const words = new Uint32Array(bytes.buffer);
    const length = binding().readSubflows(fd, option, bytes);
    const count = words[COUNT_AT[option] >> 2] as number;
    if (length < 0 || count <= room || room === MOST_ROOM || attempt === MAX_ATTEMPTS) {
      return { bytes, words, length, room };
    }
    room = Math.min(count + USUAL_ROOM, MOST_ROOM);
  }
}

export interface FullInfo {
  readonly info: ConnectionInfo;
  readonly subflows: FoundSubflow[];
}

/** Reads everything by one system call; or returns a negative code. Linux 6.5. */
export function readFullInfo(fd: number): FullInfo | number {
  const answer = read(fd, MPTCP_FULL_INFO);
  return answer.length < 0 ? answer.length : decodeFullInfo(answer);
}

/** Decodes what the kernel wrote for MPTCP_FULL_INFO. */
export function decodeFullInfo({ bytes, words, length, room }: Answer): FullInfo {
  const [, tcpInfoSize = 0, subflowKernelSize = 0, subflowSize = 0, count = 0] = words;
  // The addresses end the structure. What is before them is longer on 64-bit kernels.
  const addressesAt = subflowKernelSize - ADDRESSES;
  const subflows = Array.from({ length: Math.min(count, room) }, (_, i) => {
    const at = HEAD + i * subflowSize;
    const infoAt = HEAD + room * SUBFLOW + i * tcpInfoSize;
    const tcpInfo = decodeLinux(words, infoAt >> 2, tcpInfoSize);
    return foundSubflow(words[at >> 2] as number, bytes, at + addressesAt, tcpInfo);
  });
  return { info: decodeInfo(bytes.buffer, FULL_INFO, length - FULL_INFO), subflows };
}

/**
 * Reads the subflows by more system calls, for kernels before Linux 6.5; or returns a negative code. Addresses and TCP
 * information come apart, in the same order. They belong together if the addresses are the same before and after.
 */
export function readSubflowsApart(fd: number): FoundSubflow[] | number {
  for (let attempt = 1; ; attempt++) {
    const before = read(fd, MPTCP_SUBFLOW_ADDRS);
    if (before.length < 0) return before.length;
    const infos = read(fd, MPTCP_TCPINFO);
    if (infos.length < 0) return infos.length;
    const after = read(fd, MPTCP_SUBFLOW_ADDRS);
    if (Buffer.compare(before.bytes, after.bytes) === 0 || attempt === MAX_ATTEMPTS) {
      return decodeApart(before, infos);
    }
  }
}

/** Decodes what the kernel wrote for MPTCP_SUBFLOW_ADDRS and for MPTCP_TCPINFO. */
export function decodeApart(addresses: Answer, infos: Answer): FoundSubflow[] {
  const [, count = 0] = addresses.words;
  const [, infoCount = 0, , tcpInfoSize = 0] = infos.words;
  const most = Math.min(addresses.room, infos.room);
  return Array.from({ length: Math.min(count, infoCount, most) }, (_, i) => {
    const infoAt = SUBFLOW_DATA + i * tcpInfoSize;
    const tcpInfo = decodeLinux(infos.words, infoAt >> 2, tcpInfoSize);
    return foundSubflow(null, addresses.bytes, SUBFLOW_DATA + i * ADDRESSES, tcpInfo);
  });
}

/** Makes a subflow of `struct mptcp_subflow_addrs` at byte `at`. */
function foundSubflow(
  id: number | null,
  bytes: Uint8Array,
  at: number,
  tcpInfo: TcpInfo,
): FoundSubflow {
  // A 16-bit number below 256, in the byte order of the processor.
  const family = (bytes[at] as number) | (bytes[at + 1] as number);
  const local = endpointOf(bytes, at, family);
  const remote = endpointOf(bytes, at + REMOTE, family);
  return {
    subflow: {
      id,
      family: family === AF_INET ? 'IPv4' : 'IPv6',
      localAddress: local.address,
      localPort: local.port,
      remoteAddress: remote.address,
      remotePort: remote.port,
      tcpInfo,
    },
    // As DiagMessages.endpointKey of lib/connections/linux/messages.ts.
    endpointKey: String.fromCharCode(
      family,
      ...local.portBytes,
      ...remote.portBytes,
      ...local.addressBytes,
      ...remote.addressBytes,
    ),
  };
}

/** Decodes `struct sockaddr_in` or `struct sockaddr_in6`. The port and the address are in network byte order. */
function endpointOf(bytes: Uint8Array, at: number, family: number) {
  const [size, addressAt] = family === AF_INET ? [4, at + 4] : [16, at + 8];
  const portBytes = bytes.subarray(at + 2, at + 4);
  const addressBytes = new Uint8Array(16);
  addressBytes.set(bytes.subarray(addressAt, addressAt + size));
  return {
    address: formatAddress(bytes, addressAt, size),
    port: ((portBytes[0] as number) << 8) | (portBytes[1] as number),
    portBytes,
    addressBytes,
  };
}
