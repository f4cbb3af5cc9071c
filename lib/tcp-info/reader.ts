// What makes a TcpInfoReader: a row that is filled again and again, and a getter for each of its fields.

import { descriptorOf, readTcpInfo, tcpInfo } from '../given';
import type { SocketLike } from '../socket';
import { refused } from './refused';
import { newRow, type Row, rowFields, tcpInfoOfRow } from './row';
import { system } from './system';
import { type TcpInfo, type TcpState, tcpStates } from './tcp-info';

class Reader {
  declare row: Row;

  read(socket: SocketLike): this {
    const length = readTcpInfo(descriptorOf(socket));
    // What a failed read leaves is nothing, and not what was there before.
    system.fillRow(tcpInfo, 0, Math.max(length, 0), this.row);
    if (length < 0) throw refused(length);
    return this;
  }

  get stateIndex(): number {
    return this.row[0] as number;
  }

  get state(): TcpState | null {
    return tcpStates[this.stateIndex] ?? null;
  }

  toJSON(): TcpInfo {
    return tcpInfoOfRow(this.row);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): TcpInfo {
    return this.toJSON();
  }
}

for (const [index, field] of rowFields.entries()) {
  if (field === 'state') continue;
  Object.defineProperty(Reader.prototype, field, {
    get(this: Reader) {
      return this.row[index];
    },
    configurable: true,
  });
}

/** Makes a new object of a class that has nothing yet into a reader, and its class into that of one. */
export function equip(object: object, prototype: object): void {
  if (!(prototype instanceof Reader)) Object.setPrototypeOf(prototype, Reader.prototype);
  (object as Reader).row = newRow();
}
