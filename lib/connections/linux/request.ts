// sock_diag(7) of Linux: requests written. Layouts: include/uapi/linux/netlink.h, sock_diag.h, inet_diag.h.

import { linuxStateIndex } from '../../tcp-info/states';
import type { Conditions } from '../filter';
import { bytecodeOf } from './bytecode';
import {
  HEADER,
  INET_DIAG_CONG,
  INET_DIAG_INFO,
  IPPROTO_TCP,
  SOCK_DIAG_BY_FAMILY,
} from './messages';

const SOCK_DESTROY = 21;

const NLM_F_REQUEST = 0x01;
const NLM_F_ACK = 0x04;
const NLM_F_DUMP = 0x300;

/** `struct inet_diag_req_v2`. */
const REQUEST = 56;

/** Attributes of a request. */
const INET_DIAG_REQ_BYTECODE = 1;
const INET_DIAG_REQ_PROTOCOL = 3;

/** For `idiag_states`: bits of the kernel's numbers of states, made from bits of ours. */
function kernelStates(states: number): number {
  let bits = 0;
  for (let state = 1; state <= LAST_STATE; state++) {
    if ((states >> linuxStateIndex(state)) & 1) bits |= 1 << state;
  }
  return bits;
}
/** TCP_NEW_SYN_RECV: a connection that is not one yet, which is told as TCP_SYN_RECV. */
const LAST_STATE = 12;

/** A request for every socket of a family that the conditions are true of. */
export function dumpRequest(family: number, protocol: number, conditions: Conditions): Uint8Array {
  const { states, tcpInfo } = conditions;
  const bytecode = protocol === IPPROTO_TCP ? bytecodeOf(conditions) : [];
  const mptcp = protocol !== IPPROTO_TCP;
  const attributes = (bytecode.length > 0 ? 4 + bytecode.length : 0) + (mptcp ? 8 : 0);
  const bytes = newRequest(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, attributes);
  const view = new DataView(bytes.buffer);
  bytes[HEADER] = family;
  // Where the kernel does not know the attribute, 0 is no protocol; 262 cut down to a byte would be TCP.
  bytes[HEADER + 1] = mptcp ? 0 : protocol;
  if (tcpInfo) bytes[HEADER + 2] = (1 << (INET_DIAG_INFO - 1)) | (1 << (INET_DIAG_CONG - 1));
  view.setUint32(HEADER + 4, kernelStates(states), true);
  let at = HEADER + REQUEST;
  if (bytecode.length > 0) {
    view.setUint16(at, 4 + bytecode.length, true);
    view.setUint16(at + 2, INET_DIAG_REQ_BYTECODE, true);
    bytes.set(bytecode, at + 4);
    at += 4 + bytecode.length;
  }
  if (mptcp) {
    view.setUint16(at, 8, true);
    view.setUint16(at + 2, INET_DIAG_REQ_PROTOCOL, true);
    view.setUint32(at + 4, protocol, true);
  }
  return bytes;
}

/** What identifies a socket to the kernel: `struct inet_diag_sockid`. */
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

/** A request to end the connection of exactly that cookie. */
export function destroyRequest(id: SocketId): Uint8Array {
  const bytes = newRequest(SOCK_DESTROY, NLM_F_ACK, 0);
  const view = new DataView(bytes.buffer);
  bytes[HEADER] = id.family;
  bytes[HEADER + 1] = IPPROTO_TCP;
  view.setUint32(HEADER + 4, 0xffffffff, true);
  const at = HEADER + 8;
  view.setUint16(at, id.localPort);
  view.setUint16(at + 2, id.remotePort);
  bytes.set(id.localAddress, at + 4);
  bytes.set(id.remoteAddress, at + 20);
  view.setUint32(at + 36, id.interfaceIndex, true);
  view.setBigUint64(at + 40, id.cookie, true);
  return bytes;
}

function newRequest(type: number, flags: number, attributes: number): Uint8Array {
  const bytes = new Uint8Array(HEADER + REQUEST + attributes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F_REQUEST | flags, true);
  return bytes;
}
