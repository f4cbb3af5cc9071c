// Which connections the arguments of `connections` select, and what is counted while they are read.

import { keepAliveByTimer, problemCodes } from '../connections/problems';
import { isFromProc, undetectableProblems } from '../connections/undetectable-problems';
import {
  type Connection,
  type ConnectionFilter,
  internalConnectionSlices,
  type ProblemCode,
  type TcpState,
} from '../index';
import { Top } from './top';
import { type Order, orderBy, type SortKey, severityOf } from './view/connection-order';
import { connectionMatches } from './view/connection-text';
import { Warnings } from './view/connection-warnings';

export interface Selection {
  readonly filter: ConnectionFilter;
  /** Connections in these states are only counted. */
  readonly hiddenStates: readonly TcpState[];
  /** Only connections with one of these problems; `'marked'`: with any that is critical or a warning. */
  readonly problems: ReadonlySet<ProblemCode> | 'marked' | null;
  /** Only connections whose keepalive is off. */
  readonly withoutKeepAlive: boolean;
  /** `undefined`: by problems, but a long list comes as it is read. */
  readonly sort: SortKey | undefined;
  /** How many are shown at most. */
  readonly limit: number;
  /** Only connections whose line contains this text. */
  readonly text?: string;
}

/** The number of connections in each state. */
export type StateCounts = ReadonlyMap<TcpState, number>;

/** What is known of all selected connections after each of them was seen once. */
export class Survey {
  readonly #selected = new Map<TcpState, number>();
  readonly #leftOut = new Map<TcpState, number>();
  readonly warnings = new Warnings();
  /** How many connections are selected, and among how many. */
  count = 0;
  checked = 0;
  /** Whether a selected connection is marked. */
  hasProblems = false;
  /** Whether the list comes from /proc/net/tcp. */
  isFallback = false;
  /** The problems that the source of the list does not show. */
  undetectable: readonly ProblemCode[] = [];
  #hasSource = false;

  get selected(): StateCounts {
    return this.#selected;
  }
  get leftOut(): StateCounts {
    return this.#leftOut;
  }

  /** Counts a connection; returns whether it is selected. */
  admit(connection: Connection, selection: Selection): boolean {
    if (!this.#hasSource) this.#learnSource(connection);
    const isShown = !selection.hiddenStates.includes(connection.state);
    if (isShown) this.checked++;
    if (isShown && !isSelected(connection, selection)) return false;
    const counts = isShown ? this.#selected : this.#leftOut;
    counts.set(connection.state, (counts.get(connection.state) ?? 0) + 1);
    this.hasProblems ||= isShown && severityOf(connection) !== null;
    this.warnings.add(connection, isShown);
    if (isShown) this.count++;
    return isShown;
  }

  #learnSource(connection: Connection): void {
    this.#hasSource = true;
    this.isFallback = isFromProc(connection, process.platform);
    this.undetectable = undetectableProblems(connection, process.platform);
  }
}

/** What of a selection is not in the filter. */
type Conditions = Partial<Pick<Selection, 'problems' | 'withoutKeepAlive' | 'text'>>;

export function isSelected(connection: Connection, conditions: Conditions): boolean {
  const { problems = null, withoutKeepAlive = false, text = '' } = conditions;
  if (withoutKeepAlive && keepAliveByTimer(connection, process.platform) !== false) return false;
  if (problems === 'marked' && severityOf(connection) === null) return false;
  if (problems instanceof Set) {
    if (!connection.problems?.some(({ problem }) => problems.has(problem))) return false;
  }
  return text === '' || connectionMatches(connection, text);
}

/** Throws if nothing that is asked for can be found: no connections would look like no problems. */
function refuseUndetectable({ problems }: Selection, survey: Survey): void {
  if (!(problems instanceof Set)) return;
  const detectable = problemCodes.filter((code) => !survey.undetectable.includes(code));
  if (detectable.some((code) => problems.has(code))) return;
  const reason = survey.isFallback
    ? 'this system refuses netlink, and /proc/net/tcp does not report what shows it'
    : 'this system does not report what shows it';
  throw new Error(
    `${[...problems].join(', ')} cannot be found here: ${reason} (can be found: ${detectable.join(', ')})`,
  );
}

/** Reads the connections once, and yields those that are selected. */
export async function* readSelected(
  selection: Selection,
  survey: Survey,
): AsyncGenerator<Connection[], undefined> {
  for await (const batch of internalConnectionSlices(selection.filter)) {
    const selected = batch.filter((connection) => survey.admit(connection, selection));
    refuseUndetectable(selection, survey);
    yield selected;
  }
}

export interface Batch {
  readonly connections: readonly Connection[];
  /** Whether it has all connections that are shown. */
  readonly isComplete: boolean;
}

/** Up to this number, connections are sorted before they are shown. 2 000 come within 0.3 s. */
const SORTED_AT_MOST = 2_000;

/**
 * Yields the connections that are shown: one batch in order, or, of a long list without `sort` and `limit`, many batches as
 * they are read. So the first rows come early, and no more than SORTED_AT_MOST are kept.
 */
export async function* readShown(
  selection: Selection,
  survey: Survey,
): AsyncGenerator<Batch, undefined> {
  const { sort, limit } = selection;
  const mayStream = sort === undefined && limit === Infinity;
  const kept = new Top<Connection>(limit, orderOf(selection));
  let isStreaming = false;
  for await (const connections of readSelected(selection, survey)) {
    if (isStreaming) {
      yield { connections, isComplete: false };
      continue;
    }
    for (const connection of connections) kept.add(connection);
    if (!mayStream || kept.size <= SORTED_AT_MOST) continue;
    isStreaming = true;
    yield { connections: kept.unsorted(), isComplete: false };
  }
  if (!isStreaming) yield { connections: kept.sorted(), isComplete: true };
}

export const orderOf = ({ sort = 'problems' }: Selection): Order => orderBy(sort);
