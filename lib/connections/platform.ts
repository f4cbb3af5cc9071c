// The contract of the files darwin.ts, linux/linux.ts and win32.ts: how a system lists connections.

import type { Connection } from './connection';
import type { ParsedFilter } from './filter';

/** The size of the buffer for one read, as large as the kernel's own for a netlink dump (32 KiB). */
export const CHUNK_SIZE = 32 * 1024;

/** A connection that no program has yet, so that members can still be set. */
export type NewConnection = { -readonly [Member in keyof Connection]: Connection[Member] };

/** A query to the system, and the state of its reply. It has `parseChunk` or `parseAll`. */
export interface ConnectionQuery {
  /** The request in the system's own layout. */
  readonly request: Uint8Array;
  /** Returns the connections in a chunk of the reply that match the filter. Never throws. */
  parseChunk?(bytes: Uint8Array): readonly Connection[];
  /** The same, for a reply that can only be parsed when it is complete. */
  parseAll?(bytes: Uint8Array): readonly Connection[];
  /** The negative error number in the reply; 0 without an error. */
  readonly errno: number;
  /** Whether the reply may have gaps, so that the query should be repeated. Its connections have cookies then. */
  readonly interrupted: boolean;
  /** Whether the end of the reply was read. */
  readonly complete: boolean;
  /** Whether a failure is ignored, because only a detail would be missing from the list. */
  readonly optional: boolean;
}

/** The members that identify a connection for `destroyConnection`. */
export type ConnectionIdentity = Pick<
  Connection,
  | 'family'
  | 'localAddress'
  | 'localPort'
  | 'remoteAddress'
  | 'remotePort'
  | 'interfaceIndex'
  | 'cookie'
>;

/** What the caller of this package asked for when a call failed. */
export type FailedOperation = 'list' | 'destroy' | 'watch';

export interface ConnectionPlatform {
  /** The system call that errors name if no other one failed. */
  readonly syscall: string;
  /** The queries whose replies together are the list, as functions: a repeated query needs a new object. */
  queries(filter: ParsedFilter): readonly (() => ConnectionQuery)[];
  /**
   * Reads the connections from another source, with fewer details, for a system that refuses the queries. `undefined`: the
   * other source is not there either. Each step takes less than a millisecond.
   */
  readFallback?(filter: ParsedFilter): Generator<readonly Connection[], undefined> | undefined;
  /**
   * If the filter asks for it: keeps only connections of this process, and adds the owners. Yields all of them in batches,
   * and empty batches before. Each step takes less than a millisecond.
   */
  attachOwners(
    found: readonly NewConnection[],
    filter: ParsedFilter,
  ): Generator<readonly Connection[], void>;
  /** The request that closes a connection. */
  destroyRequest(connection: ConnectionIdentity): Uint8Array;
  /**
   * What an error code means here; `undefined` if libuv's text is right. `failedCall` is the system call
   * that failed; `null` if the error came in a reply.
   */
  explainError(
    code: string,
    operation: FailedOperation,
    failedCall: string | null,
  ): string | undefined;
}
