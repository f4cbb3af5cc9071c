// Measures CPU time of this process for cases that take turns.

const BATCH_MS = 6;
const WARM_UP_MS = 60;

/**
 * Nanoseconds of CPU time per operation, for each case and round. A case is a function that repeats its operation
 * a given number of times. A round runs each case once, in random order.
 */
export function timeByTurns(cases, rounds) {
  const names = Object.keys(cases);
  const counts = {};
  const times = Object.fromEntries(names.map((name) => [name, []]));
  // Several passes: the first calls of a case can make V8 deoptimize code that others use.
  for (let pass = 0; pass < 3; pass++) {
    for (const name of names) counts[name] = warmUp(cases[name]);
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) {
      times[name].push((cpuMs(() => cases[name](counts[name])) * 1e6) / counts[name]);
    }
  }
  return times;
}

/** Runs a case until it is compiled; returns how many calls take BATCH_MS, an even number. */
function warmUp(run) {
  let count = 2;
  let spent = 0;
  while (spent < WARM_UP_MS) {
    const ms = cpuMs(() => run(count));
    spent += ms;
    count = ms < BATCH_MS / 2 ? count * 2 : 2 * Math.ceil(((count / ms) * BATCH_MS) / 2);
  }
  return count;
}

export function cpuMs(run) {
  const start = process.cpuUsage();
  run();
  return cpuMsSince(start);
}

/** `start` is a result of process.cpuUsage(). */
export function cpuMsSince(start) {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

export function shuffled(items) {
  const rest = [...items];
  for (let i = rest.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [rest[i], rest[j]] = [rest[j], rest[i]];
  }
  return rest;
}
