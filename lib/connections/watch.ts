// watchClosedConnections: every connection of the network namespace that ends, with its last counters.

import { EventEmitter } from 'node:events';
import { binding } from '../core/addon';
import { validateNumber, validateOptions } from '../core/validate';
import type { Connection, ConnectionFilter } from './connection';
import { type Conditions, conditionsOf, endMembers, matches } from './filter';
import { connectionOf, multipathFamilies } from './linux/linux';
import { DiagMessages } from './linux/messages';
import { failed, refused } from './this-platform';

/** Which connections to watch, and how many may wait to be told. */
export interface ConnectionWatchOptions {
  /** Of which connections: by family, ports and addresses. */
  readonly filter?:
    | Pick<
        ConnectionFilter,
        'family' | 'port' | 'localPort' | 'remotePort' | 'localAddress' | 'remoteAddress'
      >
    | undefined;
  /**
   * How many connections that have ended, whichever they are, may wait until the event loop gets to
   * tell them: 1 to 65536, 1024 without it. Bounds the memory, at half a kilobyte each. What ends
   * beyond it is dropped, and counted.
   */
  readonly limit?: number | undefined;
}

const DEFAULT_LIMIT = 1_024;
const LARGEST_LIMIT = 65_536;

/** What is taken over at once, of the connections that wait. */
const PIECE = 32 * 1024;

/**
 * Tells each TCP socket of this network namespace that ends: `'closed'`, with its last `tcpInfo`.
 * `'error'`: it cannot go on, and is closed.
 */
export class ConnectionWatch extends EventEmitter<{
  closed: [connection: Connection];
  error: [error: Error];
}> {
  readonly #conditions: Conditions;
  readonly #messages = new DiagMessages();
  /** There when something is told, until the watch is closed. */
  #memory: Uint8Array | undefined;
  readonly #mptcp: false | null;
  /** The table's number; 0 when it is closed. */
  #table: number;
  /** Whether there may be messages in the memory that were not told. */
  #telling = false;

  constructor(conditions: Conditions, limit: number) {
    super();
    this.#conditions = conditions;
    // The kernel does not tell what ran over a connection that is over.
    this.#mptcp = multipathFamilies(true).length === 0 ? false : null;
    this.#table = binding().watchClosedConnections(limit, () => this.#tellSoon());
    if (this.#table < 0) throw failed(this.#table, 'watch');
  }

  /** How many connections were not told, because more than `limit` of them waited. */
  get dropped(): number {
    return this.#messages.dropped;
  }

  /** How often the kernel had to drop some, which it does not count: under very high load. */
  get overruns(): number {
    return this.#messages.overruns;
  }

  /** Keeps the process from ending as long as the watch is open. */
  ref(): this {
    return this.#hold(true);
  }

  /** Does not keep the process from ending, as is the case at first. */
  unref(): this {
    return this.#hold(false);
  }

  /** Ends the watch: no event comes after it. */
  close(): void {
    const table = this.#table;
    this.#table = 0;
    this.#memory = undefined;
    if (table > 0) binding().closeConnectionTable(table);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #hold(hold: boolean): this {
    if (this.#table > 0) binding().holdWatch(this.#table, hold);
    return this;
  }

  /** Not at once: what a listener throws within a call of native code, Node only warns of. */
  #tellSoon(): void {
    setImmediate(() => this.#tell());
  }

  #tell(): void {
    if (this.#table === 0) return;
    const messages = this.#messages;
    if (!this.#telling) {
      this.#memory ??= new Uint8Array(PIECE);
      const length = binding().readConnectionTable(this.#table, this.#memory);
      if (length === 0) return;
      if (length < 0) {
        this.#fail(failed(length, 'watch'));
        return;
      }
      messages.read(this.#memory.subarray(0, length));
      this.#telling = true;
    }
    try {
      while (this.#table !== 0 && messages.next()) this.#tellOne(messages);
      this.#telling = false;
      if (messages.errno < 0) this.#fail(refused(messages.errno, 'watch'));
    } finally {
      // Piece by piece, with whatever else waits in between; and further, if a listener has thrown.
      this.#tellSoon();
    }
  }

  #tellOne(messages: DiagMessages): void {
    if (!matches(this.#conditions, messages)) return;
    this.emit('closed', connectionOf(messages, true, this.#mptcp));
  }

  #fail(error: Error): void {
    this.close();
    this.emit('error', error);
  }
}

/**
 * Tells every TCP socket of this network namespace that ends, those of other processes too, with its
 * last counters: `watchClosedConnections().on('closed', ({ remoteAddress, tcpInfo }) => ...)`.
 *
 * Each is told once, as `'CLOSED'`, with its `cookie` and without inode and user, when the kernel is
 * done with it: for the side that closed first on its way to `TIME-WAIT`. `remotePort` is 0 of those
 * that were not connected, as listening ones, and of those whose own side reset the connection
 * (`resetAndDestroy()`): their ends and their counters the kernel has cleared by then.
 *
 * It does not keep the process from ending, unless `ref()` is called. Close it with `close()`, or with
 * `using`.
 *
 * `'error'`: the watch cannot go on and is closed. It reports the connections that it had kept first. As with every
 * EventEmitter, an `'error'` without a listener is thrown. Its code is that of the system call that failed;
 * `EBADF`: the program has closed one of the watch's three descriptors, for example all above 2. The
 * watch then leaves the sockets alone that have their numbers by now. `EINTR`, `ENOBUFS`, `EMSGSIZE` and
 * `EAGAIN` are errors only after 1000 of them in a row without a message.
 *
 * Linux `SKNLGRP_INET_TCP_DESTROY` (sock_diag(7), 4.6), which a thread reads; no privilege is needed.
 * @throws TypeError, RangeError for wrong options.
 * @throws SocketOptionError as {@link listConnections}; `ENOTSUP` on macOS and Windows.
 */
export function watchClosedConnections(options: ConnectionWatchOptions = {}): ConnectionWatch {
  const members = validateOptions(options, 'options', ['filter', 'limit']);
  const { filter, limit = DEFAULT_LIMIT } = members;
  const conditions = conditionsOf(filter, 'options.filter', endMembers);
  validateNumber(limit, 'options.limit', { integer: true, min: 1, max: LARGEST_LIMIT });
  return new ConnectionWatch(conditions, limit);
}
