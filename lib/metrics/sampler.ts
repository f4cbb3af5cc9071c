// Reads connections when they are due: by the algorithm of gRPC's proposal A80, in slices, with one timer for the thread.

import { Schedule, ScheduleEntry } from '../core/schedule';
import { throwUncaught } from '../core/throw-uncaught';
import { getOptions, isSupported, readTcpInfos, type SocketLike } from '../index';
import type { FollowedConnection, HeldOptions } from './followed-connection';
import { SAMPLED_FIELDS, type Sample, type SampleColumns, sampleAt } from './sample';

/** The most connections in one turn of the event loop: a fraction of a millisecond (bench: metrics10kSliceMs). */
const SAMPLES_PER_TURN = 32;
/** The interval has so many slots. One wake-up serves all connections of a slot: a wake-up costs more than a sample. */
const SLOTS = 32;
/** Options change seldom, and reading them takes longer than TCP_INFO: they are read with each fourth sample. */
const OPTIONS_EVERY = 4;

/** In milliseconds. The schedule's clock without blocked time is not used, so it needs no wake-ups of its own. */
const PACE = 10_240;
/** The one timer of this thread. It never keeps the process running. */
const schedule = new Schedule(PACE);

/** The connections that are due at the same time. */
class Slot extends ScheduleEntry {
  readonly connections = new Set<FollowedConnection>();
  readonly #onDue: (slot: Slot) => void;

  constructor(onDue: (slot: Slot) => void) {
    super();
    this.#onDue = onDue;
  }

  onDue(): void {
    this.#onDue(this);
  }
}

/** What becomes of the reads. */
interface SamplerEvents {
  onSample(connection: FollowedConnection, sample: Sample): void;
  /** The connection could not be read. */
  onFailure(connection: FollowedConnection): void;
}

export class Sampler {
  readonly #interval: number;
  /** In milliseconds. */
  readonly #slotWidth: number;
  readonly #events: SamplerEvents;
  /** By number. A slot of connections that were all closed meanwhile stays until it is due. */
  readonly #slots = new Map<number, Slot>();
  /** Those that are due. Closed ones leave it too. */
  readonly #due = new Set<FollowedConnection>();
  /** The next turn of the event loop, which samples the next connections of `#due`. */
  #turn: NodeJS.Immediate | undefined;
  /** Filled again by each read: new columns would cost more than reading. */
  #columns: SampleColumns | undefined;
  /** Of one connection. A meter of the program may close a socket while the rows of the others are taken. */
  #lastColumns: SampleColumns | undefined;

  constructor(interval: number, events: SamplerEvents) {
    this.#interval = interval;
    this.#slotWidth = interval / SLOTS;
    this.#events = events;
  }

  /** Plans the next sample: after a random 10 % to 110 % of the interval, as A80 says. */
  plan(connection: FollowedConnection): void {
    const delay = this.#interval * (0.1 + Math.random());
    const number = Math.ceil((performance.now() + delay) / this.#slotWidth);
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = new Slot((due) => {
        this.#slots.delete(number);
        for (const each of due.connections) this.sampleSoon(each);
      });
      this.#slots.set(number, slot);
      schedule.set(slot, number * this.#slotWidth);
    }
    slot.connections.add(connection);
    connection.slot = number;
  }

  cancel(connection: FollowedConnection): void {
    this.#due.delete(connection);
    this.#slots.get(connection.slot)?.connections.delete(connection);
  }

  /** Ends all samples. */
  close(): void {
    for (const slot of this.#slots.values()) schedule.cancel(slot);
    this.#slots.clear();
    this.#due.clear();
    clearImmediate(this.#turn);
  }

  /** Reads a connection in one of the next turns of the event loop. */
  sampleSoon(connection: FollowedConnection): void {
    this.#due.add(connection);
    this.#planTurn();
  }

  /** Reads a connection now; `undefined`: it cannot be read. */
  readNow(connection: FollowedConnection): Sample | undefined {
    const columns = read([connection], this.#lastColumns);
    if (columns === undefined) return undefined;
    this.#lastColumns = columns;
    return columns.errno[0] === 0 ? sampleOf(connection, columns, 0) : undefined;
  }

  #planTurn(): void {
    if (this.#turn !== undefined || this.#due.size === 0) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      const part: FollowedConnection[] = [];
      for (const connection of this.#due) {
        part.push(connection);
        this.#due.delete(connection);
        if (part.length === SAMPLES_PER_TURN) break;
      }
      if (part.length > 0) this.#sample(part);
      this.#planTurn();
    });
  }

  #sample(open: readonly FollowedConnection[]): void {
    const isRoomy = (this.#columns?.errno.length ?? 0) >= open.length;
    const columns = read(open, isRoomy ? this.#columns : undefined);
    if (columns !== undefined) this.#columns = columns;
    open.forEach((connection, row) => {
      if (connection.isClosed) return;
      try {
        if (columns === undefined || columns.errno[row] !== 0) this.#events.onFailure(connection);
        else this.#takeSample(connection, sampleOf(connection, columns, row));
      } catch (error) {
        throwUncaught(error);
      }
    });
  }

  #takeSample(connection: FollowedConnection, sample: Sample): void {
    if (connection.samples % OPTIONS_EVERY === 0) connection.options = optionsOf(connection);
    this.#events.onSample(connection, sample);
    // A function of the program may have closed it.
    if (!connection.isClosed) this.plan(connection);
  }
}

function sampleOf(connection: FollowedConnection, columns: SampleColumns, row: number): Sample {
  return sampleAt(columns, row, connection._handle.bytesRead, connection.hasFin);
}

/** Returns `undefined` without the addon. */
function read(
  connections: readonly FollowedConnection[],
  columns: SampleColumns | undefined,
): SampleColumns | undefined {
  try {
    const sockets = connections as readonly unknown[] as readonly SocketLike[];
    return readTcpInfos(sockets, SAMPLED_FIELDS, columns);
  } catch {
    return undefined;
  }
}

const UNKNOWN: HeldOptions = { keepAlive: null, userTimeout: null };

function optionsOf(connection: FollowedConnection): HeldOptions {
  const socket = connection as unknown as SocketLike;
  try {
    return isSupported('userTimeout')
      ? getOptions(socket, ['keepAlive', 'userTimeout'])
      : { ...UNKNOWN, ...getOptions(socket, ['keepAlive']) };
  } catch {
    return UNKNOWN;
  }
}
