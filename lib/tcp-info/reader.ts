// TcpInfoReader: reads one connection again and again into the same memory.

import { readTcpInfo, tcpInfoWords } from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { refused } from './refused';
import { newRow, type Row, rowFields, tcpInfoOfRow } from './row';
import { system } from './system';
import { type TcpInfo, type TcpInfoNumbers, type TcpState, tcpStates } from './tcp-info';

/**
 * Reads the state of connections again and again, without allocating anything: for samplers and
 * dashboards.
 *
 * ```js
 * const reader = new TcpInfoReader();
 * reader.read(socket);
 * histogram.record(reader.rtt);
 * ```
 *
 * It has a getter for each field of {@link TcpInfo}, of what was last read, but as plain numbers: NaN
 * where the object of {@link getTcpInfo} has null. Before the first read, and after one that the kernel refused,
 * all are NaN and `state` is null.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the static block defines a getter for each field.
export class TcpInfoReader {
  /** The values of the last read, in the order of `rowFields`. */
  readonly #row: Row = newRow();

  /**
   * Reads the state of a connection into this reader, and returns it. One system call.
   * @throws as {@link getTcpInfo}
   */
  read(socket: SocketLike): this {
    const length = readTcpInfo(descriptorOf(socket));
    // A failed read leaves NaN, not the values of the read before.
    system.fillRow(tcpInfoWords, 0, Math.max(length, 0), this.#row);
    if (length < 0) throw refused(length);
    return this;
  }

  /** The index of the state in {@link tcpStates}; NaN for none. */
  get stateIndex(): number {
    return this.#row[0] as number;
  }

  /** State of the connection, as RFC 9293 calls it. */
  get state(): TcpState | null {
    return tcpStates[this.stateIndex] ?? null;
  }

  /** What was last read as an object, as {@link getTcpInfo} gives it. */
  toJSON(): TcpInfo {
    return tcpInfoOfRow(this.#row);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): TcpInfo {
    return this.toJSON();
  }

  static {
    for (const [index, field] of rowFields.entries()) {
      if (field === 'state') continue;
      Object.defineProperty(TcpInfoReader.prototype, field, {
        get(this: TcpInfoReader) {
          return this.#row[index];
        },
        configurable: true,
      });
    }
  }
}
export interface TcpInfoReader extends TcpInfoNumbers {}
