// What makes a TcpInfoReader: the view of this system, and a way to fill it without copying.
//
// A reader looks at the place where the addon leaves the structure, as its tenant, for as long as
// nobody else needs that place; only then does it take its structure along into memory of its own.

import { descriptorOf, readTcpInfo, tcpInfo } from '../given';
import type { SocketLike } from '../socket';
import { refused } from './refused';
import { system } from './system';
import type { TcpInfo } from './tcp-info';
import { tcpInfoOf } from './view';

let tenant: Reader | undefined;

/** Has the tenant leave, before somebody else reads. */
export function evict(): void {
  tenant?.moveOut();
  tenant = undefined;
}

class Reader extends system.View {
  read(socket: SocketLike): this {
    const fd = descriptorOf(socket);
    if (tenant !== this) this.moveIn();
    const length = readTcpInfo(fd);
    // What a failed read leaves is nothing, and not what was there before.
    this.look(0, Math.max(length, 0));
    if (length < 0) throw refused(length);
    return this;
  }

  toJSON(): TcpInfo {
    return tcpInfoOf(this);
  }

  moveIn(): void {
    evict();
    tenant = this;
    this.words = tcpInfo;
  }

  moveOut(): void {
    this.words = this.words.slice(0, (this.length + 3) >> 2);
  }
}

/** Makes a new object of a class that has nothing yet into a reader, and its class into that of one. */
export function equip(object: object, prototype: object): void {
  if (!(prototype instanceof Reader)) Object.setPrototypeOf(prototype, Reader.prototype);
  (object as Reader).lookInto(new Uint32Array(0), 0, 0);
}
