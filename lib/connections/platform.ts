// What a system has to say to be listed: how it is asked, and how it answers. One file for each.

import type { Connection } from './connection';
import type { Conditions } from './filter';

/** A question to the system, and what is known of the answer so far. */
export interface Query {
  /** In the system's own layout. */
  readonly request: Uint8Array;
  /**
   * The connections in a piece of the answer that the conditions are true of: whole messages. Never
   * throws.
   */
  parse?(bytes: Uint8Array): readonly Connection[];
  /** The same of an answer that has to be there as a whole. */
  whole?(bytes: Uint8Array): readonly Connection[];
  /** A negative code: the answer was a refusal. */
  readonly errno: number;
  /** Whether the answer may have gaps, so that the question is asked again. */
  readonly interrupted: boolean;
  /** Whether the answer has come to its end. */
  readonly complete: boolean;
  /** Whether a refusal is no error, because only a detail is missing then. */
  readonly optional: boolean;
}

/** The members that name a connection: what `destroyConnection` reads. */
export type ConnectionName = Pick<
  Connection,
  | 'family'
  | 'localAddress'
  | 'localPort'
  | 'remoteAddress'
  | 'remotePort'
  | 'interfaceIndex'
  | 'cookie'
>;

export interface ConnectionSystem {
  /** The call that is named in errors. */
  readonly syscall: string;
  /** The questions whose answers together are the list; each makes a new one, if asked again. */
  queries(conditions: Conditions): readonly (() => Query)[];
  /**
   * Leaves out what is not this process's, and adds the owners, as far as the conditions say so. In
   * steps, each of which takes less than a millisecond.
   */
  own(found: Connection[], conditions: Conditions): Generator<void, Connection[]>;
  /** What to write to end a connection. */
  destroyRequest(connection: ConnectionName): Uint8Array;
  /** What a refusal means, in words; `undefined` where the code says it all. `failedCall`: see `refused`. */
  meaning(
    code: string,
    call: 'list' | 'destroy' | 'watch',
    failedCall: string | null,
  ): string | undefined;
}
