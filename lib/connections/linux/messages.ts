// Decodes messages of sock_diag(7) on Linux. Every length in a message is checked against the bytes that
// there are. Layouts: include/uapi/linux/netlink.h, sock_diag.h, inet_diag.h.

import { AddressFormatter } from '../../core/address';
import { isLittleEndian } from '../../core/byte-order';
import { linuxStateIndex, type TcpState, tcpStates } from '../../tcp-info/states';
import type { EndpointView } from '../filter';

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** The kernel never sends it. By it, native/platform/linux_watch.cc reports how many messages it dropped. */
const NLMSG_OVERRUN = 4;
/** Older than SOCK_DIAG_BY_FAMILY (Linux 3.3), and the only one of them for both address families at once. */
export const TCPDIAG_GETSOCK = 18;
export const SOCK_DIAG_BY_FAMILY = 20;

/** A flag of a reply: the kernel's table changed meanwhile, so the reply may have gaps. */
const NLM_F_DUMP_INTR = 0x10;

/** `struct nlmsghdr`. */
export const NLMSGHDR_SIZE = 16;
/** `struct inet_diag_msg`. */
const INET_DIAG_MSG_SIZE = 72;

export const AF_INET = 2;
export const AF_INET6 = 10;
export const IPPROTO_TCP = 6;
export const IPPROTO_MPTCP = 262;

/** Attributes of a reply. */
export const INET_DIAG_INFO = 2;
export const INET_DIAG_CONG = 4;
const INET_DIAG_MARK = 15;
const INET_DIAG_ULP_INFO = 19;
const INET_ULP_INFO_NAME = 1;
const INET_ULP_INFO_MPTCP = 3;
const MPTCP_SUBFLOW_ATTR_FLAGS = 8;

/** The error for a malformed reply. */
export const NEGATIVE_EPROTO = -71;

const align = (length: number) => (length + 3) & ~3;

/**
 * Reads the messages in a chunk of a reply one by one: `load(chunk)`, then `next()` until it returns false.
 * The getters describe the current socket; the flags cover everything that was read so far.
 */
export class DiagMessages implements EndpointView {
  bytes: Uint8Array = new Uint8Array(0);
  /** The same memory as words, for the decoder of `TCP_INFO`. */
  words: Uint32Array = new Uint32Array(0);
  private readonly addresses = new AddressFormatter();
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** The offset of the next message. */
  private nextAt = 0;
  /** The offset of the current `struct inet_diag_msg`. */
  private at = 0;

  /** Whether the reply is complete (NLMSG_DONE or an error was read). */
  done = false;
  /** The negative error number that the kernel replied; 0 without an error. */
  errno = 0;
  /** Whether the kernel reported that the reply may have gaps. */
  interrupted = false;
  /** For a watch: how many sockets the native thread dropped, and how often the kernel dropped some. */
  dropped = 0;
  overruns = 0;

  /** Offsets and lengths of the attributes of the current socket. */
  infoAt = 0;
  infoLength = 0;
  private congestionAt = 0;
  private congestionLength = 0;
  private lastCongestionControl = '';
  /** Whether the kernel reports attributes that require CAP_NET_ADMIN. */
  privileged = false;
  /** Whether the socket is a subflow of Multipath TCP, if the kernel reports it. */
  multipath = false;
  /** `MPTCP_SUBFLOW_FLAG_*` of a subflow, if the kernel reports them. */
  subflowFlags: number | undefined;

  /** Continues with these bytes. They are copied only if they are not aligned to a word. */
  load(bytes: Uint8Array): void {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    this.bytes = aligned;
    this.words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
    this.view = new DataView(aligned.buffer, aligned.byteOffset, aligned.length);
    this.nextAt = 0;
  }

  /** Moves to the next socket; false if there is none. */
  next(): boolean {
    while (this.bytes.length - this.nextAt >= NLMSGHDR_SIZE) {
      const at = this.nextAt;
      const length = this.view.getUint32(at, isLittleEndian);
      if (length < NLMSGHDR_SIZE || length > this.bytes.length - at) break;
      this.nextAt = at + align(length);
      if ((this.view.getUint16(at + 6, isLittleEndian) & NLM_F_DUMP_INTR) !== 0)
        this.interrupted = true;
      const type = this.view.getUint16(at + 4, isLittleEndian);
      if (this.readMessage(type, at + NLMSGHDR_SIZE, length - NLMSGHDR_SIZE)) return true;
    }
    // The kernel never writes trailing bytes: the chunk is corrupt.
    if (this.nextAt < this.bytes.length) this.errno ||= NEGATIVE_EPROTO;
    this.nextAt = this.bytes.length;
    return false;
  }

  /** Reads the `length` bytes of a message; true if it describes a socket. */
  private readMessage(type: number, at: number, length: number): boolean {
    switch (type) {
      case SOCK_DIAG_BY_FAMILY:
      case TCPDIAG_GETSOCK:
        if (length < INET_DIAG_MSG_SIZE) {
          this.errno ||= NEGATIVE_EPROTO;
          return false;
        }
        this.at = at;
        this.readAttributes(at + INET_DIAG_MSG_SIZE, at + length);
        return true;
      case NLMSG_DONE:
        this.done = true;
        // It carries an error if the kernel could not finish the reply.
        if (length >= 4) this.errno ||= Math.min(this.view.getInt32(at, isLittleEndian), 0);
        return false;
      case NLMSG_ERROR:
        this.done = true;
        this.errno ||=
          length >= 4 ? Math.min(this.view.getInt32(at, isLittleEndian), 0) : NEGATIVE_EPROTO;
        return false;
      case NLMSG_OVERRUN:
        if (length >= 16) {
          this.dropped = Number(this.view.getBigUint64(at, isLittleEndian));
          this.overruns = Number(this.view.getBigUint64(at + 8, isLittleEndian));
        }
        return false;
      default:
        return false;
    }
  }

  private readAttributes(from: number, end: number): void {
    this.infoLength = this.congestionLength = 0;
    this.privileged = this.multipath = false;
    this.subflowFlags = undefined;
    for (let at = from; end - at >= 4; ) {
      const length = this.view.getUint16(at, isLittleEndian);
      if (length < 4 || length > end - at) return;
      // The two upper bits are the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER.
      switch (this.view.getUint16(at + 2, isLittleEndian) & 0x3fff) {
        case INET_DIAG_INFO:
          this.infoAt = at + 4;
          this.infoLength = length - 4;
          break;
        case INET_DIAG_CONG:
          this.congestionAt = at + 4;
          this.congestionLength = length - 4;
          break;
        case INET_DIAG_MARK:
          // Only reported with CAP_NET_ADMIN, like INET_DIAG_ULP_INFO.
          this.privileged = true;
          break;
        case INET_DIAG_ULP_INFO:
          this.readProtocol(at + 4, at + length);
          break;
      }
      at += align(length);
    }
  }

  /** Reads the protocol above TCP. The attributes are nested. */
  private readProtocol(from: number, end: number): void {
    const name = this.findAttribute(from, end, INET_ULP_INFO_NAME);
    this.multipath = name !== undefined && this.readText(name.at, name.length) === 'mptcp';
    const subflow = this.findAttribute(from, end, INET_ULP_INFO_MPTCP);
    if (subflow === undefined) return;
    const flags = this.findAttribute(
      subflow.at,
      subflow.at + subflow.length,
      MPTCP_SUBFLOW_ATTR_FLAGS,
    );
    if (flags?.length === 4) this.subflowFlags = this.view.getUint32(flags.at, isLittleEndian);
  }

  /** The place of the first attribute of a type among those from `from` to `end`. */
  private findAttribute(
    from: number,
    end: number,
    type: number,
  ): { at: number; length: number } | undefined {
    for (let at = from; end - at >= 4; ) {
      const length = this.view.getUint16(at, isLittleEndian);
      if (length < 4 || length > end - at) return undefined;
      if ((this.view.getUint16(at + 2, isLittleEndian) & 0x3fff) === type) {
        return { at: at + 4, length: length - 4 };
      }
      at += align(length);
    }
    return undefined;
  }

  /** The characters before the first NUL. */
  private readText(at: number, length: number): string {
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
    // CLOSED for a state that is newer than this package.
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
  get localAddress(): string {
    return this.addresses.format(this.bytes, this.localAt, this.addressSize);
  }
  get remoteAddress(): string {
    return this.addresses.format(this.bytes, this.remoteAt, this.addressSize);
  }
  get interfaceIndex(): number {
    return this.view.getUint32(this.at + 40, isLittleEndian);
  }
  get cookie(): string {
    // The lower word is first on every architecture: sock_diag_save_cookie() in net/core/sock_diag.c.
    const low = this.view.getUint32(this.at + 44, isLittleEndian);
    const high = this.view.getUint32(this.at + 48, isLittleEndian);
    return String(high === 0 ? low : (BigInt(high) << 32n) | BigInt(low));
  }
  get expires(): number {
    return this.view.getUint32(this.at + 52, isLittleEndian);
  }
  get receiveQueue(): number {
    return this.view.getUint32(this.at + 56, isLittleEndian);
  }
  get sendQueue(): number {
    return this.view.getUint32(this.at + 60, isLittleEndian);
  }
  get uid(): number {
    return this.view.getUint32(this.at + 64, isLittleEndian);
  }
  get inode(): number {
    return this.view.getUint32(this.at + 68, isLittleEndian);
  }
  get congestionControl(): string | null {
    if (this.congestionLength === 0) return null;
    const name = this.readText(this.congestionAt, this.congestionLength);
    // Nearly all connections have the same algorithm: they share the string.
    if (name !== this.lastCongestionControl) this.lastCongestionControl = name;
    return this.lastCongestionControl;
  }
  /** Ports and addresses. A Multipath TCP connection and its first subflow have the same key. */
  get endpointKey(): string {
    return String.fromCharCode(this.family, ...this.bytes.subarray(this.at + 4, this.at + 40));
  }
}
