// sock_diag(7) of Linux: its numbers, and its messages read, of which no length is trusted that stands in
// them. Layouts: include/uapi/linux/netlink.h, sock_diag.h, inet_diag.h.

import { linuxStateIndex, type TcpState, tcpStates } from '../../tcp-info/states';
import type { Ends } from '../filter';

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** The kernel never sends one: with it native/linux_diag.cc says what a watch had to drop. */
const NLMSG_OVERRUN = 4;
export const SOCK_DIAG_BY_FAMILY = 20;

/** Of an answer: the table changed so much meanwhile that the answer may have gaps. */
const NLM_F_DUMP_INTR = 0x10;

/** `struct nlmsghdr`. */
export const HEADER = 16;
/** `struct inet_diag_msg`. */
const MESSAGE = 72;

export const AF_INET = 2;
export const AF_INET6 = 10;
export const IPPROTO_TCP = 6;
export const IPPROTO_MPTCP = 262;

/** Attributes of an answer. */
export const INET_DIAG_INFO = 2;
export const INET_DIAG_CONG = 4;
const INET_DIAG_MARK = 15;
const INET_DIAG_ULP_INFO = 20;
const INET_ULP_INFO_NAME = 1;

/** For an answer that is none: -EPROTO. */
export const BROKEN = -71;

const align = (length: number) => (length + 3) & ~3;

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
        if (length < MESSAGE) {
          this.errno ||= BROKEN;
          return false;
        }
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
    return linuxStateIndex(this.bytes[this.at + 1] as number);
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
  get cookie(): string {
    return String(this.view.getBigUint64(this.at + 44, true));
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
