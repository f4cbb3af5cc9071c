// Sorts connections into peer groups by the functions of the program. What these return is checked: a wrong value is counted, and
// never breaks a scrape.

import type { Socket } from 'node:net';
import type { HistogramName } from './metric-table';
import { PeerGroup } from './peer-group';

export type PeerFunction = (socket: Socket) => string;
export type FilterFunction = (socket: Socket) => boolean;

/** The functions of the program, and the limit. */
export interface Grouping {
  readonly peer: PeerFunction | undefined;
  readonly filter: FilterFunction | undefined;
  readonly maxPeers: number;
}

/** The group of what has no valid name of its own, or comes after the limit. */
const OTHER = 'other';

/** 1 to 64 characters, without control characters, separators of lines and halves of characters. */
const VALID_NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u;

export class PeerGroups {
  readonly #grouping: Grouping;
  readonly #groups = new Map<string | undefined, PeerGroup>();
  readonly #otherGroup: PeerGroup;
  readonly #onValue: (name: HistogramName, value: number, group: PeerGroup) => void;
  /** How often each function, or the meter, threw or returned a wrong value. */
  readonly errors = { peer: 0, filter: 0, meter: 0 };

  constructor(
    grouping: Grouping,
    onValue: (name: HistogramName, value: number, group: PeerGroup) => void,
  ) {
    this.#grouping = grouping;
    this.#onValue = onValue;
    // So that a scrape before the first connection has the metrics, with 0.
    this.#otherGroup = this.#groupNamed(grouping.peer === undefined ? undefined : OTHER);
  }

  get all(): Iterable<PeerGroup> {
    return this.#groups.values();
  }

  /** Returns the group of a connection; `undefined`: the filter leaves it out. Calls the functions of the program. */
  groupOf(socket: Socket): PeerGroup | undefined {
    const { peer, filter } = this.#grouping;
    if (filter !== undefined && !this.#isWanted(filter, socket)) return undefined;
    return peer === undefined
      ? this.#groupNamed(undefined)
      : this.#groupNamed(this.#nameOf(peer, socket));
  }

  /** The group of connections that are not followed; `undefined`: nobody knows whether the filter wants them. */
  get unfollowed(): PeerGroup | undefined {
    return this.#grouping.filter === undefined ? this.#otherGroup : undefined;
  }

  /** A connection is followed unless the filter clearly leaves it out. */
  #isWanted(filter: FilterFunction, socket: Socket): boolean {
    const wanted = callSafely(filter, socket);
    if (typeof wanted === 'boolean') return wanted;
    this.errors.filter += 1;
    return true;
  }

  #nameOf(peer: PeerFunction, socket: Socket): string {
    const name = callSafely(peer, socket);
    if (typeof name !== 'string' || !VALID_NAME.test(name)) {
      this.errors.peer += 1;
      return OTHER;
    }
    if (this.#groups.has(name)) return name;
    // The group "other" does not count.
    return this.#groups.size - 1 < this.#grouping.maxPeers ? name : OTHER;
  }

  #groupNamed(name: string | undefined): PeerGroup {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new PeerGroup(name, this.#onValue);
      this.#groups.set(name, group);
    }
    return group;
  }
}

/** Returns what a function of the program returns; `undefined` if it throws. */
function callSafely(call: (socket: Socket) => unknown, socket: Socket): unknown {
  try {
    const result = call(socket);
    // A promise is a wrong value. If it is rejected, that must not end the process.
    if (typeof result === 'object') new Promise((resolve) => resolve(result)).catch(() => {});
    return result;
  } catch {
    return undefined;
  }
}
