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
  /** Whether the answer may have gaps, and is to be asked for again. */
  readonly interrupted: boolean;
  /** Whether a refusal is no error, because only a detail is missing then. */
  readonly optional: boolean;
}

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
  destroyRequest(connection: Connection): Uint8Array;
  /** What a refusal means, in words; `undefined` where the code says it all. */
  meaning(code: string, call: 'list' | 'destroy' | 'watch'): string | undefined;
}
