// TcpInfoReader: reads connections again and again into the same memory.

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
 * Reads the state of connections again and again without allocating: for samplers and dashboards.
 *
 * ```js
 * const reader = new TcpInfoReader();
 * reader.read(socket);
 * histogram.record(reader.rtt);
 * ```
 *
 * It has a getter for each field of {@link TcpInfo}. A getter returns the value of the last read, as a plain
 * number: NaN where the object of {@link getTcpInfo} has null. Before the first read, and after one that the
 * kernel refused, every number is NaN and `state` is null.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the static block defines a getter for each field.
export class TcpInfoReader {
  /** The values of the last read. Not `#values`: a Proxy of a reader and a comparison of two have to see them. */
  private readonly values = newValues();

  /**
   * Reads the state of a connection into this reader, and returns it. One system call.
   * @throws as {@link getTcpInfo}
   */
  read(socket: SocketLike): this {
    const length = readTcpInfo(descriptorOf(socket));
    // A failed read leaves NaN, not the values of the read before.
    system.fillValues(tcpInfoWords, 0, Math.max(length, 0), this.values);
    if (length < 0) throw readError(length);
    return this;
  }

  /** The index of the state in {@link tcpStates}; NaN for none. */
  get stateIndex(): number {
    return this.values[0] as number;
  }

  /** State of the connection, as RFC 9293 calls it. */
  get state(): TcpState | null {
    return stateAt(this.stateIndex);
  }

  /** What was last read as an object, as {@link getTcpInfo} gives it. */
  toJSON(): TcpInfo {
    return tcpInfoOf(this.values);
  }

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
