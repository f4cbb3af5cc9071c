// What supervision of thousands of idle sockets costs: a share of a core, and the longest slice of the event loop.

import { QUIET, runInNamespace } from './namespace.mjs';

/** The limit of descriptors of a process is often 20 000. */
const MOST_SOCKETS = 19_500;
const TIMEOUT = 20_000;

export function measureSupervision({ smoke }) {
  const [few, many] = smoke ? [200, 400] : [10_000, 100_000];
  return {
    ...figures('10k', few, smoke, { share: 0.3, slice: 1 }),
    ...figures('100k', many, smoke, { share: 3, slice: 1 }),
  };
}

function figures(suffix, connections, smoke, budgets) {
  const { share, without, supervised } = measureSupervisionOf(connections, smoke);
  const figure = (unit, ours, budget, beside) => {
    return { unit, ours, beside, better: 'lower', budget, ok: ours <= budget };
  };
  return {
    // Percent of a core, with the probes.
    [`supervision${suffix}`]: figure('%', share, budgets.share, without.msPerSecond / 10),
    // 99 of 100 slices are shorter. The kernel sends keepalive probes of many sockets at once, in the time of whatever
    // program runs then, and other programs run too: that makes the longest ones.
    [`supervision${suffix}SliceMs`]: figure(
      'ms',
      supervised.p99Ms,
      budgets.slice,
      supervised.longestMs,
    ),
  };
}

/** `share` is the percentage of a core that supervision takes. */
export function measureSupervisionOf(connections, smoke) {
  const sockets = Math.min(connections, MOST_SOCKETS);
  const timeout = smoke ? 4_000 : TIMEOUT;
  // A smoke run lasts longer than the longest pause between two looks at a socket: half the timeout.
  const args = [connections, timeout, smoke ? 3_000 : TIMEOUT];
  const { without, supervised, ended } = runInNamespace('supervised.mjs', sockets, args, QUIET);
  if (ended > 0) throw new Error(`${ended} sockets of living peers were ended`);
  return { share: (supervised.msPerSecond - without.msPerSecond) / 10, without, supervised };
}
