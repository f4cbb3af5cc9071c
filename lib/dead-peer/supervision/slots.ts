// Gathers what is due at about the same time into slots, so that one wake-up of a shared timer serves many sockets.

import { Schedule, ScheduleEntry, TICK } from '../../core/schedule';

/** In milliseconds. Wake-ups are rare enough to cost nothing. */
export const SLOT_WIDTH = 6 * TICK;
/** In milliseconds. How late a look is at most: it waits for its slot, and the timer for its tick. */
export const LATEST_LOOK = SLOT_WIDTH + TICK;

/** In milliseconds. The schedule's clock without blocked time is not used, so it needs no wake-ups of its own. */
const PACE = 10_240;

/** Never keeps the process running. */
const schedule = new Schedule(PACE);

class Slot<Entry> extends ScheduleEntry {
  readonly entries: Entry[] = [];
  readonly #onDue: (slot: Slot<Entry>) => void;

  constructor(onDue: (slot: Slot<Entry>) => void) {
    super();
    this.#onDue = onDue;
  }

  onDue(): void {
    this.#onDue(this);
  }
}

/** Calls `onDue` with the entries of each slot whose time has come. Times are those of `performance.now()`. */
export class Slots<Entry> {
  readonly #slots = new Map<number, Slot<Entry>>();
  readonly #onDue: (entries: readonly Entry[], slot: number) => void;

  constructor(onDue: (entries: readonly Entry[], slot: number) => void) {
    this.#onDue = onDue;
  }

  /** Whether the slot of this number is not due yet, and will be by `time`. */
  isWaiting(number: number, time: number): boolean {
    return this.#slots.has(number) && number <= Math.ceil(time / SLOT_WIDTH);
  }

  /** Adds an entry, and returns the number of its slot. The entry is due at `time` or up to a slot's width later. */
  add(entry: Entry, time: number): number {
    const number = Math.ceil(time / SLOT_WIDTH);
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = new Slot((due) => {
        this.#slots.delete(number);
        this.#onDue(due.entries, number);
      });
      this.#slots.set(number, slot);
      schedule.set(slot, number * SLOT_WIDTH);
    }
    slot.entries.push(entry);
    return number;
  }
}
