// sock_diag(7) of Linux: requests written, messages read. Pure functions of bytes, which trust no length
// that stands in them. Layouts: include/uapi/linux/netlink.h, sock_diag.h, inet_diag.h.

import { stateIndexOf } from '../tcp-info/linux';
import { type TcpState, tcpStates } from '../tcp-info/tcp-info';
import type { Prefix } from './address';
import type { Conditions, Ends } from './filter';

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** The kernel never sends one: with it native/linux_diag.cc says what a watch had to drop. */
const NLMSG_OVERRUN = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;

const NLM_F_REQUEST = 0x01;
const NLM_F_ACK = 0x04;
const NLM_F_DUMP = 0x300;
/** Of an answer: the table changed so much meanwhile that the answer may have gaps. */
const NLM_F_DUMP_INTR = 0x10;

const HEADER = 16;
/** `struct inet_diag_req_v2`, and `struct inet_diag_msg`. */
const REQUEST = 56;
const MESSAGE = 72;

export const AF_INET = 2;
export const AF_INET6 = 10;
export const IPPROTO_TCP = 6;
export const IPPROTO_MPTCP = 262;

/** Attributes of a request. */
const INET_DIAG_REQ_BYTECODE = 1;
const INET_DIAG_REQ_PROTOCOL = 3;

/** Attributes of an answer. */
const INET_DIAG_INFO = 2;
const INET_DIAG_CONG = 4;
const INET_DIAG_MARK = 15;
const INET_DIAG_ULP_INFO = 20;
const INET_ULP_INFO_NAME = 1;

/** The number that stands for no answer of the kernel at all: -EPROTO. */
const BROKEN = -71;

const align = (length: number) => (length + 3) & ~3;

/** For `idiag_states`: bits of the kernel's numbers of states, made from bits of ours. */
function kernelStates(states: number): number {
  let bits = 0;
  for (let state = 1; state <= LAST_STATE; state++) {
    if ((states >> stateIndexOf(state)) & 1) bits |= 1 << state;
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

// The filter that the kernel runs for each socket: operations of four bytes { code, yes, no } with an
// operand after them. A jump goes so many bytes on, `no` where the condition fails; the end of the code
// accepts, and four bytes beyond it refuses.

const JMP = 1;
const S_GE = 2;
const S_LE = 3;
const D_GE = 4;
const D_LE = 5;
const S_COND = 7;
const D_COND = 8;

/** Ports of more than that are left to `matches`: the kernel looks at all of them for each socket. */
const MOST_PORTS = 32;

/** Conditions of which one must hold: each is operations that all must hold. */
type Alternatives = readonly (readonly Operation[])[];

interface Operation {
  readonly code: number;
  readonly operand: Uint8Array;
}

/** The conditions on ports and addresses, in the kernel's code; empty where there are none. */
export function bytecodeOf(conditions: Conditions): Uint8Array {
  const { port, localPort, remotePort, localAddress, remoteAddress } = conditions;
  const all: Alternatives[] = [];
  const addPorts = (ports: readonly number[] | undefined, alternatives: () => Alternatives) => {
    if (ports !== undefined && ports.length <= MOST_PORTS) all.push(alternatives());
  };
  addPorts(localPort, () => (localPort ?? []).map(portIs(S_GE, S_LE)));
  addPorts(remotePort, () => (remotePort ?? []).map(portIs(D_GE, D_LE)));
  addPorts(port, () =>
    (port ?? []).flatMap((one) => [portIs(S_GE, S_LE)(one), portIs(D_GE, D_LE)(one)]),
  );
  if (localAddress !== undefined) all.push([[addressIsIn(S_COND, localAddress)]]);
  if (remoteAddress !== undefined) all.push([[addressIsIn(D_COND, remoteAddress)]]);
  return assemble(all);
}

/** Two operations, since the one for "equal" is newer (Linux 4.16). */
function portIs(notBelow: number, notAbove: number): (port: number) => Operation[] {
  return (port) => {
    // The port is where an operation has `no`, in an operation of its own that is none.
    const operand = new Uint8Array(4);
    new DataView(operand.buffer).setUint16(2, port, true);
    return [
      { code: notBelow, operand },
      { code: notAbove, operand },
    ];
  };
}

/** `struct inet_diag_hostcond`; one of IPv4 the kernel also holds against mapped addresses. */
function addressIsIn(code: number, { bytes, bits }: Prefix): Operation {
  const operand = new Uint8Array(8 + bytes.length);
  operand[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  operand[1] = bits;
  new DataView(operand.buffer).setInt32(4, -1, true);
  operand.set(bytes, 8);
  return { code, operand };
}

const sizeOf = ({ operand }: Operation) => 4 + operand.length;
const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
/** With the jump to the end of the group that follows each alternative but the last. */
const sizeOfGroup = (group: Alternatives) =>
  total(group.map((operations) => total(operations.map(sizeOf)) + 4)) - 4;

function assemble(all: readonly Alternatives[]): Uint8Array {
  const bytes = new Uint8Array(total(all.map(sizeOfGroup)));
  const view = new DataView(bytes.buffer);
  const refused = bytes.length + 4;
  let at = 0;
  const put = (code: number, yes: number, no: number) => {
    bytes[at] = code;
    bytes[at + 1] = yes;
    view.setUint16(at + 2, no, true);
  };
  for (const group of all) {
    const end = at + sizeOfGroup(group);
    group.forEach((operations, index) => {
      const last = index === group.length - 1;
      const next = last ? refused : at + total(operations.map(sizeOf)) + 4;
      for (const operation of operations) {
        put(operation.code, sizeOf(operation), next - at);
        bytes.set(operation.operand, at + 4);
        at += sizeOf(operation);
      }
      if (!last) {
        put(JMP, 4, end - at);
        at += 4;
      }
    });
  }
  return bytes;
}

/**
 * The messages in a piece of an answer, one after the other: `read(bytes)`, then `next()` until it is
 * false. What is found of each stays until the next one.
 */
export class DiagMessages implements Ends {
  bytes: Uint8Array = new Uint8Array(0);
  /** The same memory as words, where `TCP_INFO` is read. */
  words: Uint32Array = new Uint32Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private after = 0;
  private at = 0;

  /** Whether the kernel has said that this was all. */
  done = false;
  /** The negative code of a refusal; 0 without one. */
  errno = 0;
  /** Whether the kernel has said that there may be gaps. */
  interrupted = false;
  /** Of a watch, as last told: what was dropped here, and how often the kernel had to drop. */
  dropped = 0;
  overruns = 0;

  /** Of the socket that `next` found: attributes, where they begin and how long they are. */
  infoAt = 0;
  infoLength = 0;
  private congestionAt = 0;
  private congestionLength = 0;
  /** Whether it is known what runs over the socket, and whether that is Multipath TCP. */
  privileged = false;
  multipath = false;

  /** Reads these bytes from now on. They are not copied, unless they begin within a word. */
  read(bytes: Uint8Array): void {
    const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    this.bytes = whole;
    this.words = new Uint32Array(whole.buffer, whole.byteOffset, whole.length >> 2);
    this.view = new DataView(whole.buffer, whole.byteOffset, whole.length);
    this.after = 0;
  }

  /** Goes to the next socket; false where there is none. */
  next(): boolean {
    while (this.bytes.length - this.after >= HEADER) {
      const at = this.after;
      const length = this.view.getUint32(at, true);
      if (length < HEADER || length > this.bytes.length - at) break;
      this.after = at + align(length);
      if ((this.view.getUint16(at + 6, true) & NLM_F_DUMP_INTR) !== 0) this.interrupted = true;
      if (this.take(this.view.getUint16(at + 4, true), at + HEADER, length - HEADER)) return true;
    }
    // What is left is no message: a piece that the kernel wrote has none of that.
    if (this.after < this.bytes.length) this.errno ||= BROKEN;
    this.after = this.bytes.length;
    return false;
  }

  /** Takes the `length` bytes of a message; true if it is a socket. */
  private take(type: number, at: number, length: number): boolean {
    switch (type) {
      case SOCK_DIAG_BY_FAMILY:
        if (length < MESSAGE) return false;
        this.at = at;
        this.takeAttributes(at + MESSAGE, at + length);
        return true;
      case NLMSG_DONE:
        this.done = true;
        // With an error of its own where the kernel could not go on.
        if (length >= 4) this.errno ||= Math.min(this.view.getInt32(at, true), 0);
        return false;
      case NLMSG_ERROR:
        this.done = true;
        this.errno ||= length >= 4 ? Math.min(this.view.getInt32(at, true), 0) : BROKEN;
        return false;
      case NLMSG_OVERRUN:
        if (length >= 16) {
          this.dropped = Number(this.view.getBigUint64(at, true));
          this.overruns = Number(this.view.getBigUint64(at + 8, true));
        }
        return false;
      default:
        return false;
    }
  }

  private takeAttributes(from: number, end: number): void {
    this.infoLength = this.congestionLength = 0;
    this.privileged = this.multipath = false;
    for (let at = from; end - at >= 4; ) {
      const length = this.view.getUint16(at, true);
      if (length < 4 || length > end - at) return;
      // Without the two flags in the upper bits, which say how a payload is written.
      switch (this.view.getUint16(at + 2, true) & 0x3fff) {
        case INET_DIAG_INFO:
          this.infoAt = at + 4;
          this.infoLength = length - 4;
          break;
        case INET_DIAG_CONG:
          this.congestionAt = at + 4;
          this.congestionLength = length - 4;
          break;
        case INET_DIAG_MARK:
          // Told to those with CAP_NET_ADMIN, as is what follows.
          this.privileged = true;
          break;
        case INET_DIAG_ULP_INFO:
          this.multipath = this.nameOfProtocol(at + 4, at + length) === 'mptcp';
          break;
      }
      at += align(length);
    }
  }

  private nameOfProtocol(from: number, end: number): string {
    if (end - from < 4) return '';
    const length = this.view.getUint16(from, true);
    const named = (this.view.getUint16(from + 2, true) & 0x3fff) === INET_ULP_INFO_NAME;
    return named && length >= 4 && length <= end - from ? this.text(from + 4, length - 4) : '';
  }

  /** Characters up to the first that is 0. */
  private text(at: number, length: number): string {
    let text = '';
    for (let i = at; i < at + length && this.bytes[i] !== 0; i++) {
      text += String.fromCharCode(this.bytes[i] as number);
    }
    return text;
  }

  get family(): number {
    return this.bytes[this.at] as number;
  }
  get addressSize(): number {
    return this.family === AF_INET6 ? 16 : 4;
  }
  get stateIndex(): number {
    return stateIndexOf(this.bytes[this.at + 1] as number);
  }
  get state(): TcpState {
    // A state that is newer than this package: of such a socket nothing is known to go on.
    return tcpStates[this.stateIndex] ?? 'CLOSED';
  }
  get timer(): number {
    return this.bytes[this.at + 2] as number;
  }
  get retransmits(): number {
    return this.bytes[this.at + 3] as number;
  }
  get localPort(): number {
    return this.view.getUint16(this.at + 4);
  }
  get remotePort(): number {
    return this.view.getUint16(this.at + 6);
  }
  get localAt(): number {
    return this.at + 8;
  }
  get remoteAt(): number {
    return this.at + 24;
  }
  get interfaceIndex(): number {
    return this.view.getUint32(this.at + 40, true);
  }
  get cookie(): bigint {
    return this.view.getBigUint64(this.at + 44, true);
  }
  get expires(): number {
    return this.view.getUint32(this.at + 52, true);
  }
  get receiveQueue(): number {
    return this.view.getUint32(this.at + 56, true);
  }
  get sendQueue(): number {
    return this.view.getUint32(this.at + 60, true);
  }
  get uid(): number {
    return this.view.getUint32(this.at + 64, true);
  }
  get inode(): number {
    return this.view.getUint32(this.at + 68, true);
  }
  get congestionControl(): string | null {
    return this.congestionLength === 0 ? null : this.text(this.congestionAt, this.congestionLength);
  }
  /** Ports and addresses as a key, the same for a Multipath TCP connection and its first subflow. */
  get key(): string {
    return String.fromCharCode(this.family, ...this.bytes.subarray(this.at + 4, this.at + 40));
  }
}
