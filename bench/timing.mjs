// CPU time of this process, of subjects that take turns.

const BATCH_MS = 6;
const WARM_UP_MS = 60;

/**
 * Nanoseconds of CPU time for each time that a subject does its job, in every round. A subject is a function
 * that does it so many times. A round runs each of them once, in random order.
 */
export function timeByTurns(subjects, rounds) {
  const names = Object.keys(subjects);
  const counts = {};
  const times = Object.fromEntries(names.map((name) => [name, []]));
  // More than once: the first calls of one subject make the compiler think again about others.
  for (let pass = 0; pass < 3; pass++) {
    for (const name of names) counts[name] = warmUp(subjects[name]);
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) {
      times[name].push((cpuMs(() => subjects[name](counts[name])) * 1e6) / counts[name]);
    }
  }
  return times;
}

/** Runs for a while; returns how many calls make a batch, an even number. */
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

/** `start`: what process.cpuUsage() gave. */
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
