// Reads the connections of this system in batches: all at once, or in slices between which other work runs.

import { binding } from '../core/addon';
import type { Connection, ConnectionFilter } from './connection';
import { type ParsedFilter, parseFilter } from './filter';
import { NEGATIVE_EPROTO } from './linux/messages';
import { CHUNK_SIZE, type ConnectionQuery, type NewConnection } from './platform';
import { keepAliveByTimer, problemsOf } from './problems';
import { currentPlatform, replyError, systemCallError } from './this-platform';

/** How often a query is made if its reply may have gaps. The last reply is accepted. */
const MAX_ATTEMPTS = 4;

/** The length of a slice in milliseconds. It ends with the step that exceeds it. */
const SLICE_LENGTH = 0.5;

/**
 * Lists connections in steps of less than a millisecond each; each yields the connections that it found. With owners, all
 * come at the end: a search of the processes takes as long for one connection as for all.
 */
export function* connectionBatches(
  filter: ParsedFilter,
): Generator<readonly Connection[], undefined> {
  const { attachOwners } = currentPlatform();
  if (!filter.owners && !filter.ownProcess) {
    for (const batch of readBatches(filter)) yield diagnosed(batch, filter);
    return;
  }
  const found: Connection[] = [];
  for (const batch of readBatches(filter)) {
    found.push(...batch);
    yield NONE;
  }
  for (const batch of attachOwners(found, filter)) yield diagnosed(batch, filter);
}

const NONE: readonly Connection[] = [];

/** Adds the problems, if the filter asks for them. */
function diagnosed(batch: readonly NewConnection[], filter: ParsedFilter): readonly Connection[] {
  if (!filter.problems) return batch;
  for (const connection of batch) {
    const { state, timer, receiveQueue, sendQueue, tcpInfo } = connection;
    const keepAlive = keepAliveByTimer(connection, process.platform);
    connection.problems = problemsOf({
      ...{ state, timer, receiveQueue, sendQueue, tcpInfo },
      keepAlive,
    });
  }
  return batch;
}

/** The connections of every query; from the system's other source if it refuses the first one. */
function* readBatches(filter: ParsedFilter): Generator<readonly Connection[], undefined> {
  const { queries, readFallback } = currentPlatform();
  const buffer = new Uint8Array(CHUNK_SIZE);
  let isFirst = true;
  for (const newQuery of queries(filter)) {
    try {
      for (const batch of repeatQuery(newQuery, buffer)) {
        isFirst &&= batch.length === 0;
        yield batch;
      }
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      const fallback = isFirst && REFUSALS.has(code) ? readFallback?.(filter) : undefined;
      if (fallback === undefined) throw error;
      yield* fallback;
      return;
    }
  }
}

/** Errors with which a system says that it does not have the list, or not for this process. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...['EPROTONOSUPPORT', 'EAFNOSUPPORT', 'ENOTSUP', 'ENOENT', 'EACCES', 'EPERM', 'ENOSYS'],
]);

/** Makes a query, and again if its reply may have gaps. A connection that was in an earlier reply does not come twice. */
function* repeatQuery(
  newQuery: () => ConnectionQuery,
  buffer: Uint8Array,
): Generator<readonly Connection[], undefined> {
  const cookies: (string | null)[][] = [];
  // Made only for a repeated query: for 100 000 connections it takes milliseconds.
  let earlier: ReadonlySet<string | null> = new Set();
  for (let attempt = 1; ; attempt++) {
    const query = newQuery();
    for (const batch of runQuery(query, buffer)) {
      const fresh = attempt === 1 ? batch : batch.filter(({ cookie }) => !earlier.has(cookie));
      cookies.push(fresh.map(({ cookie }) => cookie));
      yield fresh;
    }
    if (query.interrupted && attempt < MAX_ATTEMPTS) {
      earlier = new Set(cookies.flat());
      continue;
    }
    if (!query.complete) throw replyError(NEGATIVE_EPROTO, 'list');
    return;
  }
}

/** Makes a query; each step reads one chunk of its reply into `buffer`, and yields the connections in it. */
export function* runQuery(
  query: ConnectionQuery,
  buffer: Uint8Array,
): Generator<readonly Connection[], undefined> {
  const { openConnectionTable, readConnectionTable, closeConnectionTable } = binding();
  const chunks: Uint8Array[] = [];
  const table = openConnectionTable(query.request);
  let status = table;
  let failure = status < 0 ? systemCallError(status, 'list') : undefined;
  try {
    while (status > 0) {
      status = readConnectionTable(table, buffer);
      if (status < 0) failure = systemCallError(status, 'list');
      if (status <= 0) break;
      if (query.parseChunk !== undefined) yield query.parseChunk(buffer.subarray(0, status));
      else {
        chunks.push(buffer.slice(0, status));
        yield NONE;
      }
    }
  } finally {
    closeConnectionTable(table);
  }
  if (query.errno < 0) failure ??= replyError(query.errno, 'list');
  if (failure !== undefined && !query.optional) throw failure;
  if (query.parseAll !== undefined) yield [...query.parseAll(Buffer.concat(chunks))];
}

/**
 * Yields the connections as they are read, in slices of about a millisecond. A program that does not keep them needs little
 * memory. For the command line, which has a bundle of its own; not public.
 */
export async function* connectionSlices(
  filter?: ConnectionFilter,
): AsyncGenerator<readonly Connection[], undefined> {
  let end = performance.now() + SLICE_LENGTH;
  for (const batch of connectionBatches(parseFilter(filter, 'filter'))) {
    if (batch.length > 0) yield batch;
    if (performance.now() < end) continue;
    await new Promise(setImmediate);
    end = performance.now() + SLICE_LENGTH;
  }
}
