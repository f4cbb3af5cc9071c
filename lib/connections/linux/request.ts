// Encodes requests of sock_diag(7) on Linux. Layouts: include/uapi/linux/netlink.h, sock_diag.h, inet_diag.h.

import { isLittleEndian } from '../../core/byte-order';
import { linuxStateIndex } from '../../tcp-info/states';
import type { ParsedFilter } from '../filter';
import { compileFilter } from './bytecode';
import {
  INET_DIAG_CONG,
  INET_DIAG_INFO,
  IPPROTO_TCP,
  NLMSGHDR_SIZE,
  SOCK_DIAG_BY_FAMILY,
} from './messages';

const SOCK_DESTROY = 21;

const NLM_F_REQUEST = 0x01;
const NLM_F_ACK = 0x04;
const NLM_F_DUMP = 0x300;

/** `struct inet_diag_req_v2`. */
const INET_DIAG_REQ_V2_SIZE = 56;

/** Attributes of a request. */
const INET_DIAG_REQ_BYTECODE = 1;
const INET_DIAG_REQ_PROTOCOL = 3;

/** The last state of the kernel, for connections that are being accepted. It reports them as TCP_SYN_RECV. */
const TCP_NEW_SYN_RECV = 12;

/** `idiag_states`: the bits of indices in `tcpStates` as bits of the kernel's states. */
function kernelStates(states: number): number {
  let bits = 0;
  for (let state = 1; state <= TCP_NEW_SYN_RECV; state++) {
    if ((states >> linuxStateIndex(state)) & 1) bits |= 1 << state;
  }
  return bits;
}

/** A request for every socket of a family that matches the filter. */
export function dumpRequest(family: number, protocol: number, filter: ParsedFilter): Uint8Array {
  const { states, tcpInfo } = filter;
  const bytecode = protocol === IPPROTO_TCP ? compileFilter(filter) : [];
  const mptcp = protocol !== IPPROTO_TCP;
  const attributes = (bytecode.length > 0 ? 4 + bytecode.length : 0) + (mptcp ? 8 : 0);
  const bytes = newRequest(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, attributes);
  const view = new DataView(bytes.buffer);
  bytes[NLMSGHDR_SIZE] = family;
  // IPPROTO_MPTCP (262) does not fit in the byte: cut off, it would be TCP. A kernel that does not know the
  // attribute below finds no protocol 0, and answers with an error.
  bytes[NLMSGHDR_SIZE + 1] = mptcp ? 0 : protocol;
  if (tcpInfo) bytes[NLMSGHDR_SIZE + 2] = (1 << (INET_DIAG_INFO - 1)) | (1 << (INET_DIAG_CONG - 1));
  view.setUint32(NLMSGHDR_SIZE + 4, kernelStates(states), isLittleEndian);
  let at = NLMSGHDR_SIZE + INET_DIAG_REQ_V2_SIZE;
  if (bytecode.length > 0) {
    view.setUint16(at, 4 + bytecode.length, isLittleEndian);
    view.setUint16(at + 2, INET_DIAG_REQ_BYTECODE, isLittleEndian);
    bytes.set(bytecode, at + 4);
    at += 4 + bytecode.length;
  }
  if (mptcp) {
    view.setUint16(at, 8, isLittleEndian);
    view.setUint16(at + 2, INET_DIAG_REQ_PROTOCOL, isLittleEndian);
    view.setUint32(at + 4, protocol, isLittleEndian);
  }
  return bytes;
}

/** Identifies a socket to the kernel: `struct inet_diag_sockid`. */
export interface SocketId {
  readonly family: number;
  readonly localPort: number;
  readonly remotePort: number;
  /** 4 bytes or 16. */
  readonly localAddress: Uint8Array;
  readonly remoteAddress: Uint8Array;
  readonly interfaceIndex: number;
  readonly cookie: bigint;
}

/** A request to close the socket with exactly this cookie. */
export function destroyRequest(id: SocketId): Uint8Array {
  const bytes = newRequest(SOCK_DESTROY, NLM_F_ACK, 0);
  const view = new DataView(bytes.buffer);
  bytes[NLMSGHDR_SIZE] = id.family;
  bytes[NLMSGHDR_SIZE + 1] = IPPROTO_TCP;
  view.setUint32(NLMSGHDR_SIZE + 4, 0xffffffff, isLittleEndian);
  const at = NLMSGHDR_SIZE + 8;
  view.setUint16(at, id.localPort);
  view.setUint16(at + 2, id.remotePort);
  bytes.set(id.localAddress, at + 4);
  bytes.set(id.remoteAddress, at + 20);
  view.setUint32(at + 36, id.interfaceIndex, isLittleEndian);
  view.setBigUint64(at + 40, id.cookie, isLittleEndian);
  return bytes;
}

function newRequest(type: number, flags: number, attributes: number): Uint8Array {
  const bytes = new Uint8Array(NLMSGHDR_SIZE + INET_DIAG_REQ_V2_SIZE + attributes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, isLittleEndian);
  view.setUint16(4, type, isLittleEndian);
  view.setUint16(6, NLM_F_REQUEST | flags, isLittleEndian);
  return bytes;
}
