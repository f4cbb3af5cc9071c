// Which cases are run: all of them, or a seeded sample in which each state, fault, timeout and round-trip time appears
// several times.

import { FAULTS } from './faults.mjs';
import { STATES } from './states.mjs';

const TIMEOUTS = [5_000, 9_000, 13_000, 20_000, 31_000, 60_000];
const ROUND_TRIPS = [1, 100, 1_000, 2_000];
const WAYS = ['setDeadPeerTimeout', 'tuneSockets'];
const SLOW_START = [1, 0];

/** With every fault, all states run at these. */
const CORE_TIMEOUTS = [5_000, 20_000];
const CORE_ROUND_TRIPS = [20, 1_000];

/** The sample has this many cases beyond the black hole at the core timeouts. */
const SAMPLE = 2_000;
/** In the sample, a case takes no longer than the longest timeout does. */
const LONGEST_CLOSED = 20_000;

/** A seeded source of numbers from 0 to 1: mulberry32. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Deals the values again and again, each time in a new order: so all appear equally often. */
function deckOf(values, random) {
  let left = [];
  return () => {
    if (left.length === 0) {
      left = values
        .map((value) => ({ value, order: random() }))
        .sort((a, b) => a.order - b.order)
        .map(({ value }) => value);
    }
    return left.pop();
  };
}

const states = Object.keys(STATES);
const faults = Object.keys(FAULTS);

function everything() {
  const cells = [];
  for (const state of states) {
    for (const timeout of TIMEOUTS) {
      for (const rtt of ROUND_TRIPS) cells.push({ state, fault: 'black hole', timeout, rtt });
    }
    for (const fault of faults.filter((name) => name !== 'black hole')) {
      for (const timeout of CORE_TIMEOUTS) {
        for (const rtt of CORE_ROUND_TRIPS) cells.push({ state, fault, timeout, rtt });
      }
    }
  }
  return cells;
}

function sample(random) {
  const roundTrip = deckOf(ROUND_TRIPS, random);
  const cells = states.flatMap((state) =>
    CORE_TIMEOUTS.map((timeout) => ({ state, fault: 'black hole', timeout, rtt: roundTrip() })),
  );
  const deal = {
    state: deckOf(states, random),
    fault: deckOf(faults, random),
    timeout: deckOf(TIMEOUTS, random),
    rtt: roundTrip,
  };
  for (let i = 0; i < SAMPLE; i++) {
    const cell = Object.fromEntries(Object.entries(deal).map(([name, next]) => [name, next()]));
    if (cell.state === 'closed window for 3 T') {
      cell.timeout = Math.min(cell.timeout, LONGEST_CLOSED);
    }
    cells.push(cell);
  }
  return cells;
}

/** The cases, with what the matrix leaves to chance. `congestions`: what this kernel has. */
export function cellsOf({ seed, isFull, congestions }) {
  const random = randomFrom(seed);
  const way = deckOf(WAYS, random);
  const congestion = deckOf(congestions, random);
  const slowStartAfterIdle = deckOf(SLOW_START, random);
  const cells = isFull ? everything() : sample(random);
  return cells.map((cell) => ({
    ...cell,
    way: STATES[cell.state].canBeTuned ? way() : 'setDeadPeerTimeout',
    congestion: congestion(),
    slowStartAfterIdle: slowStartAfterIdle(),
    /** Where in the rhythm of the connection the fault falls. */
    phase: random(),
    uploadBytes: Math.round(1e6 + 2e6 * random()),
  }));
}
