// watchClosedConnections: reports every connection of the network namespace that closes, with its last counters.

import { EventEmitter } from 'node:events';
import { binding } from '../core/addon';
import { validateNumber, validateOptions } from '../core/validate';
import type { Connection, ConnectionFilter } from './connection';
import { ENDPOINT_MEMBERS, matchesFilter, type ParsedFilter, parseFilter } from './filter';
import { connectionFromMessage, multipathFamilies } from './linux/linux';
import { DiagMessages } from './linux/messages';
import { CHUNK_SIZE } from './platform';
import { replyError, systemCallError } from './this-platform';

/** Options of {@link watchClosedConnections}: which connections to watch, and how many may wait for the event loop. */
export interface ConnectionWatchOptions {
  /** Only connections with this family, these ports and addresses. Default: all. */
  readonly filter?:
    | Pick<
        ConnectionFilter,
        'family' | 'port' | 'localPort' | 'remotePort' | 'localAddress' | 'remoteAddress'
      >
    | undefined;
  /**
   * How many closed connections, before `filter`, may wait for the event loop: 1 to 65 536. Default: 1 024. It bounds
   * the memory, at half a kilobyte each. Connections beyond the limit are dropped and counted in `dropped`.
   */
  readonly limit?: number | undefined;
}

const DEFAULT_LIMIT = 1_024;
const LARGEST_LIMIT = 65_536;

/**
 * The result of {@link watchClosedConnections}: it emits `'closed'` for each TCP socket that closes, and `'error'` if
 * it cannot continue. It is closed then.
 */
export class ConnectionWatch extends EventEmitter<{
  /** A TCP socket of this network namespace has closed. `connection.tcpInfo` has its last counters. */
  closed: [connection: Connection];
  /** The watch cannot continue and is closed: a SocketOptionError with the code of the system call. */
  error: [error: Error];
}> {
  readonly #filter: ParsedFilter;
  readonly #messages = new DiagMessages();
  /** Allocated for the first event, freed by close(). */
  #buffer: Uint8Array | undefined;
  readonly #mptcp: false | null;
  /** The native table's id; 0 when the watch is closed. */
  #table: number;
  /** Whether the buffer may contain messages that were not emitted. */
  #hasMessages = false;

  /** @internal watchClosedConnections() makes it. */
  constructor(filter: ParsedFilter, limit: number) {
    super();
    this.#filter = filter;
    // The kernel does not report whether a closed connection was a subflow.
    this.#mptcp = multipathFamilies(true).length === 0 ? false : null;
    this.#table = binding().watchClosedConnections(limit, () => this.#scheduleDelivery());
    if (this.#table < 0) throw systemCallError(this.#table, 'watch');
  }

  /** Number of closed connections that were not reported, because more than `limit` of them waited. */
  get dropped(): number {
    return this.#messages.dropped;
  }

  /** Number of times that the kernel dropped reports, under very high load. It does not count the connections. */
  get overruns(): number {
    return this.#messages.overruns;
  }

  /**
   * Keeps the process running as long as the watch is open.
   * @returns The watch itself.
   */
  ref(): this {
    return this.#hold(true);
  }

  /**
   * Lets the process end although the watch is open. This is the default.
   * @returns The watch itself.
   */
  unref(): this {
    return this.#hold(false);
  }

  /** Closes the watch: it emits no further event. */
  close(): void {
    const table = this.#table;
    this.#table = 0;
    this.#buffer = undefined;
    if (table > 0) binding().closeConnectionTable(table);
  }

  /** Closes the watch at the end of a `using` block, as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #hold(hold: boolean): this {
    if (this.#table > 0) binding().holdWatch(this.#table, hold);
    return this;
  }

  /** Events are not emitted within the native callback: Node only warns if a listener throws there. */
  #scheduleDelivery(): void {
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    if (this.#table === 0) return;
    const messages = this.#messages;
    if (!this.#hasMessages) {
      this.#buffer ??= new Uint8Array(CHUNK_SIZE);
      const length = binding().readConnectionTable(this.#table, this.#buffer);
      if (length === 0) return;
      if (length < 0) {
        this.#fail(systemCallError(length, 'watch'));
        return;
      }
      messages.load(this.#buffer.subarray(0, length));
      this.#hasMessages = true;
    }
    try {
      while (this.#table !== 0 && messages.next()) this.#emitClosed(messages);
      this.#hasMessages = false;
      if (messages.errno < 0) this.#fail(replyError(messages.errno, 'watch'));
    } finally {
      // One chunk per turn lets other events run in between. If a listener throws, delivery continues.
      this.#scheduleDelivery();
    }
  }

  #emitClosed(messages: DiagMessages): void {
    if (!matchesFilter(this.#filter, messages)) return;
    this.emit('closed', connectionFromMessage(messages, true, this.#mptcp));
  }

  #fail(error: Error): void {
    this.close();
    this.emit('error', error);
  }
}

/**
 * Reports every TCP socket of this network namespace that closes, of all processes, with its last counters.
 *
 * Each socket is reported once, as `'CLOSED'`, with its `cookie` and without inode and user. The report comes when the
 * kernel destroys the socket: for the side that closes first, on its way to `TIME-WAIT`. `remotePort` is 0 for
 * listening and unconnected sockets, and for connections that were reset locally (`resetAndDestroy()`): the kernel has
 * cleared their addresses and counters by then.
 *
 * The watch does not keep the process running, unless `ref()` is called. Close it with `close()` or `using`.
 *
 * `'error'`: the watch cannot continue and is closed. It reports the connections that already waited first. As with
 * every EventEmitter, an `'error'` without a listener is thrown. Its code is the one of the system call that failed.
 * `EBADF`: the program closed one of the watch's three descriptors, for example all above 2; the watch does not touch
 * the sockets that may have these numbers by now. `EINTR`, `ENOBUFS`, `EMSGSIZE` and `EAGAIN` are only errors after 1
 * 000 of them in a row without a message.
 * @example
 * ```ts
 * using watch = watchClosedConnections({ filter: { remotePort: 5432 } });
 * watch.on('closed', ({ remoteAddress, tcpInfo }) => console.log(remoteAddress, tcpInfo?.rtt));
 * ```
 * @param options Which connections to report, and how many may wait. Default: all, and 1 024.
 * @returns The watch, an EventEmitter, which is open already.
 * @throws TypeError, RangeError for wrong options.
 * @throws SocketOptionError as {@link listConnections}; `ENOTSUP` on macOS, Windows and FreeBSD.
 * @systems Linux 4.6: `SKNLGRP_INET_TCP_DESTROY`, read by a thread; no privilege is needed. Not on macOS, Windows and
 *   FreeBSD.
 * @see sock_diag(7)
 */
export function watchClosedConnections(options: ConnectionWatchOptions = {}): ConnectionWatch {
  const members = validateOptions(options, 'options', ['filter', 'limit']);
  const { filter, limit = DEFAULT_LIMIT } = members;
  const parsedFilter = parseFilter(filter, 'options.filter', ENDPOINT_MEMBERS);
  validateNumber(limit, 'options.limit', { integer: true, min: 1, max: LARGEST_LIMIT });
  return new ConnectionWatch(parsedFilter, limit);
}
