// Measures for how long this process could not run. A verdict that comes late only because the machine gave this process no
// time is not the product's fault. Time in which the process itself was busy is not excused in the end: the product may have
// used it.

const TICK = 10;
/** A timer may be this late on a machine that has nothing else to do. */
const SHORTEST = 5;

/**
 * Starts to measure. `excused(from, to)`: how many milliseconds of that time the machine took. `isStrict: false` also counts
 * time in which this process was busy itself, as it is with hundreds of cases on a slow machine.
 */
export function measureLateness({ isStrict }) {
  const pauses = [];
  let expected = performance.now() + TICK;
  let used = process.cpuUsage();
  const tick = () => {
    const now = performance.now();
    const late = now - expected;
    const { user, system } = process.cpuUsage(used);
    used = process.cpuUsage();
    const own = (user + system) / 1_000;
    // All of the process's own time counts as if it had been spent within the pause.
    const taken = isStrict ? late - own : late;
    if (late > SHORTEST && taken > 0) pauses.push({ from: now - late, taken, late });
    expected = performance.now() + TICK;
    setTimeout(tick, TICK);
  };
  setTimeout(tick, TICK);

  return {
    excused(from, to) {
      let sum = 0;
      for (const pause of pauses) {
        const overlap = Math.min(to, pause.from + pause.late) - Math.max(from, pause.from);
        if (overlap > 0) sum += Math.min(overlap, pause.taken);
      }
      return sum;
    },
    summary: () => ({
      pauses: pauses.length,
      longest: Math.round(Math.max(0, ...pauses.map(({ taken }) => taken))),
      sum: Math.round(pauses.reduce((sum, { taken }) => sum + taken, 0)),
    }),
  };
}
