// listConnections and listConnectionsAsync: one walk in steps, made in one go or in slices.

import { binding } from '../given';
import type { Connection, ConnectionFilter } from './connection';
import { type Conditions, conditionsOf } from './filter';
import { BROKEN } from './sock-diag';
import type { Query } from './system';
import { failed, refused, system } from './systems';

/** What the kernel gives in one call, at the most. */
const PIECE = 32 * 1024;

/** How often to ask again where the answer may have gaps; then it is as good as it gets. */
const ATTEMPTS = 4;

/** For how long a slice may keep the event loop, in milliseconds; a step more is possible. */
const SLICE = 0.5;

/** A walk over the answers of the system, in steps of less than a millisecond each. */
function* walk(conditions: Conditions): Generator<void, Connection[]> {
  const { queries, own } = system();
  const memory = new Uint8Array(PIECE);
  let found: Connection[] = [];
  for (const newQuery of queries(conditions)) {
    for (let attempt = 1; ; attempt++) {
      const query = newQuery();
      const answer = yield* read(query, memory);
      if (query.interrupted && attempt < ATTEMPTS) continue;
      if (!query.complete) throw refused(BROKEN, 'list');
      found = found.concat(answer);
      break;
    }
  }
  return yield* own(found, conditions);
}

function* read(query: Query, memory: Uint8Array): Generator<void, Connection[]> {
  const { openConnectionTable, readConnectionTable, closeConnectionTable } = binding();
  const found: Connection[] = [];
  const pieces: Uint8Array[] = [];
  const table = openConnectionTable(query.request);
  let status = table;
  let failure = status < 0 ? failed(status, 'list') : undefined;
  try {
    while (status > 0) {
      status = readConnectionTable(table, memory);
      if (status < 0) failure = failed(status, 'list');
      if (status <= 0) break;
      if (query.parse === undefined) pieces.push(memory.slice(0, status));
      else for (const one of query.parse(memory.subarray(0, status))) found.push(one);
      yield;
    }
  } finally {
    closeConnectionTable(table);
  }
  if (query.errno < 0) failure ??= refused(query.errno, 'list');
  if (failure !== undefined && !query.optional) throw failure;
  return query.whole === undefined ? found : [...query.whole(Buffer.concat(pieces))];
}

export function listConnections(filter?: ConnectionFilter): Connection[] {
  const steps = walk(conditionsOf(filter, 'filter'));
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

export async function listConnectionsAsync(filter?: ConnectionFilter): Promise<Connection[]> {
  const steps = walk(conditionsOf(filter, 'filter'));
  for (;;) {
    const end = performance.now() + SLICE;
    do {
      const { done, value } = steps.next();
      if (done) return value;
    } while (performance.now() < end);
    await new Promise(setImmediate);
  }
}
