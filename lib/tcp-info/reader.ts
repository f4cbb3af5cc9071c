// TcpInfoReader: reads connections repeatedly into the same memory.

import { readTcpInfo, tcpInfoWords } from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { tcpInfoFields } from './generated/field-names';
import { readError } from './read-error';
import { stateAt, type TcpState } from './states';
import { system } from './system';
import type { TcpInfo, TcpInfoNumbers } from './tcp-info';
import { newValues, tcpInfoOf } from './values';

/**
 * Reads the state of connections repeatedly without allocating: for samplers and dashboards.
 *
 * It has a getter for each field of {@link TcpInfo}. A getter returns the number of the last read: NaN where {@link
 * getTcpInfo} returns null. Before the first read, and after a read that failed, every number is NaN and `state` is
 * null.
 * @example
 * ```ts
 * const reader = new TcpInfoReader();
 * for (const socket of sockets) console.log(reader.read(socket).rtt);
 * ```
 * @systems Linux, FreeBSD: `TCP_INFO`. macOS: `TCP_CONNECTION_INFO`. Windows: `SIO_TCP_INFO`. As {@link getTcpInfo}.
 * @see tcp(7), RFC 4898
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the static block defines a getter for each field.
export class TcpInfoReader {
  /** The values of the last read. Not `#values`: a Proxy of a reader, and a deep comparison, need them. */
  private readonly values = newValues();

  /**
   * Reads the state of a connection into this reader, by one system call.
   * @param socket The TCP socket, or its descriptor.
   * @returns This reader, with the new numbers.
   * @throws SocketOptionError, TypeError, RangeError as {@link getTcpInfo}: every number is NaN then.
   */
  read(socket: SocketLike): this {
    // A failed read leaves NaN, not the values of the read before.
    let written = 0;
    try {
      const length = readTcpInfo(descriptorOf(socket));
      if (length < 0) throw readError(length);
      written = length;
    } finally {
      system.fillValues(tcpInfoWords, 0, written, this.values);
    }
    return this;
  }

  /** Index of the state in {@link tcpStates}: 0 to 10. NaN: no state. */
  get stateIndex(): number {
    return this.values[0] as number;
  }

  /** State of the connection, under the name of RFC 9293. `null`: no state. */
  get state(): TcpState | null {
    return stateAt(this.stateIndex);
  }

  /**
   * Returns the last read as an object, in the form of {@link getTcpInfo}.
   * @returns The object: milliseconds and bytes, `null` in place of NaN.
   */
  toJSON(): TcpInfo {
    return tcpInfoOf(this.values);
  }

  /**
   * Returns what `console.log()` shows of a reader.
   * @returns The last read as an object.
   */
  [Symbol.for('nodejs.util.inspect.custom')](): TcpInfo {
    return this.toJSON();
  }

  static {
    for (const [index, field] of tcpInfoFields.entries()) {
      if (field === 'state') continue;
      Object.defineProperty(TcpInfoReader.prototype, field, {
        get(this: TcpInfoReader) {
          return this.values[index];
        },
        configurable: true,
      });
    }
  }
}
export interface TcpInfoReader extends TcpInfoNumbers {}
