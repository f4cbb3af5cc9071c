// What metrics of 10 000 idle connections cost: a share of a core, the slices of the event loop, and a scrape.

import { QUIET, runInNamespace } from './namespace.mjs';

const INTERVAL = 15_000;

export function measureMetrics({ smoke }) {
  const count = smoke ? 200 : 10_000;
  const args = [smoke ? 1_000 : INTERVAL, smoke ? 2_000 : 2 * INTERVAL];
  const { without, metered, scrapeMs, followed } = runInNamespace(
    'metered.mjs',
    count,
    args,
    QUIET,
  );
  if (followed !== count) throw new Error(`${followed} of ${count} connections are followed`);
  const figure = (unit, ours, budget, beside) => {
    return { unit, ours, beside, better: 'lower', budget, ok: ours <= budget };
  };
  const share = (metered.msPerSecond - without.msPerSecond) / 10;
  return {
    // Percent of a core.
    metrics10k: figure('%', share, 1, without.msPerSecond / 10),
    // 99 of 100 slices are shorter.
    metrics10kSliceMs: figure('ms', metered.p99Ms, 1, metered.longestMs),
    metricsScrapeMs: figure('ms', scrapeMs, 1),
  };
}
