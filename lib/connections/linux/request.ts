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
  TCPDIAG_GETSOCK,
} from './messages';

const SOCK_DESTROY = 21;

const NLM_F_REQUEST = 0x01;
const NLM_F_ACK = 0x04;
const NLM_F_DUMP = 0x300;

/** `struct inet_diag_req`, and `struct inet_diag_req_v2`. */
const INET_DIAG_REQ_SIZE = 60;
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

/** The bits for the attributes that a filter needs. */
function extensions({ tcpInfo }: ParsedFilter): number {
  return tcpInfo ? (1 << (INET_DIAG_INFO - 1)) | (1 << (INET_DIAG_CONG - 1)) : 0;
}

/** A request for every socket of a family that matches the filter. */
export function dumpRequest(family: number, protocol: number, filter: ParsedFilter): Uint8Array {
  const mptcp = protocol !== IPPROTO_TCP;
  const attributes = mptcp ? protocolAttribute(protocol) : bytecodeAttribute(filter);
  const bytes = newRequest(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, INET_DIAG_REQ_V2_SIZE, attributes);
  bytes[NLMSGHDR_SIZE] = family;
  // IPPROTO_MPTCP (262) does not fit in the byte: cut off, it would be TCP. A kernel that does not know the
  // attribute finds no protocol 0, and answers with an error.
  bytes[NLMSGHDR_SIZE + 1] = mptcp ? 0 : protocol;
  bytes[NLMSGHDR_SIZE + 2] = extensions(filter);
  const view = new DataView(bytes.buffer);
  view.setUint32(NLMSGHDR_SIZE + 4, kernelStates(filter.states), isLittleEndian);
  return bytes;
}

/**
 * A request for every TCP socket of both address families that matches the filter. The kernel then goes through its table
 * once: `SOCK_DIAG_BY_FAMILY` takes one family.
 */
export function dumpTcpRequest(filter: ParsedFilter): Uint8Array {
  const attributes = bytecodeAttribute(filter);
  const bytes = newRequest(TCPDIAG_GETSOCK, NLM_F_DUMP, INET_DIAG_REQ_SIZE, attributes);
  bytes[NLMSGHDR_SIZE + 3] = extensions(filter);
  const view = new DataView(bytes.buffer);
  view.setUint32(NLMSGHDR_SIZE + 52, kernelStates(filter.states), isLittleEndian);
  return bytes;
}

const NO_ATTRIBUTE = new Uint8Array(0);

/** What the kernel compares of the filter. */
function bytecodeAttribute(filter: ParsedFilter): Uint8Array {
  const bytecode = compileFilter(filter);
  return bytecode.length === 0 ? NO_ATTRIBUTE : attributeOf(INET_DIAG_REQ_BYTECODE, bytecode);
}

function protocolAttribute(protocol: number): Uint8Array {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, protocol, isLittleEndian);
  return attributeOf(INET_DIAG_REQ_PROTOCOL, value);
}

function attributeOf(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + value.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bytes.length, isLittleEndian);
  view.setUint16(2, type, isLittleEndian);
  bytes.set(value, 4);
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
  const bytes = newRequest(SOCK_DESTROY, NLM_F_ACK, INET_DIAG_REQ_V2_SIZE, NO_ATTRIBUTE);
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
  // The lower word is first on every architecture: sock_diag_check_cookie() in net/core/sock_diag.c.
  view.setUint32(at + 40, Number(id.cookie & 0xffff_ffffn), isLittleEndian);
  view.setUint32(at + 44, Number(id.cookie >> 32n), isLittleEndian);
  return bytes;
}

/** A request with a structure of `size` bytes, which are zero, and these attributes. */
function newRequest(
  type: number,
  flags: number,
  size: number,
  attributes: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(NLMSGHDR_SIZE + size + attributes.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, isLittleEndian);
  view.setUint16(4, type, isLittleEndian);
  view.setUint16(6, NLM_F_REQUEST | flags, isLittleEndian);
  bytes.set(attributes, NLMSGHDR_SIZE + size);
  return bytes;
}
