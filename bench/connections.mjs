// Measures reads of thousands of connections, compared with a loop in C and with ss(8).

import { fileURLToPath } from 'node:url';
import { bytesPerRead } from './allocation.mjs';
import { measureLists } from './connection-lists.mjs';
import { median, quartiles } from './median.mjs';
import { runInNamespace } from './namespace.mjs';

export async function measureConnections({ rounds, smoke }) {
  const count = smoke ? 500 : 10_000;
  const { times, slices, numberSlices, allWallMs, search } = runInNamespace(
    'connection-reads.mjs',
    count,
    [rounds],
  );
  const perSocket = (ms) => (ms * 1e6) / count;

  const toBaseline = (ours, budget) => {
    const ratios = ours.map((ms, round) => ms / times.baseline[round]);
    const ratio = median(ratios);
    return {
      ratio,
      quartiles: quartiles(ratios),
      ns: perSocket(median(ours)),
      baselineNs: perSocket(median(times.baseline)),
      better: 'lower',
      budget,
      ok: budget === null || ratio <= budget,
    };
  };
  const toSs = (oursMs, peerMs, budget) => {
    const ratio = peerMs / oursMs;
    return {
      ratio,
      ns: perSocket(oursMs),
      peerNs: perSocket(peerMs),
      better: 'higher',
      budget,
      ok: budget === null || ratio >= budget,
    };
  };
  const slice = median(slices);
  const bytes = await bytesPerRead();
  return {
    readTcpInfosAll10k: toBaseline(times.all, 1.15),
    readTcpInfos4Fields10k: toBaseline(times.four, 1.05),
    readTcpInfosOfSockets10k: toBaseline(times.sockets, null),
    readTcpInfosAsyncAll10k: toBaseline(times.asyncAll.total, 1.35),
    readTcpInfosAsyncAllMain: toBaseline(times.asyncAll.main, 0.35),
    readTcpInfosAsyncFour10k: toBaseline(times.asyncFour.total, 1.35),
    readTcpInfosAsyncFourMain: toBaseline(times.asyncFour.main, 0.35),
    readTcpInfosVsSs10k: toSs(allWallMs, median(times.ss), 10),
    listConnectionsVsSs10k: toSs(median(times.list), median(times.ssParsed), null),
    readTcpInfosAsyncSlice100k: {
      unit: 'ms',
      ours: slice,
      quartiles: quartiles(slices),
      better: 'lower',
      budget: 1,
      ok: slice <= 1,
    },
    // Without a budget: each number costs a system call before the reads begin.
    readTcpInfosAsyncNumbers: {
      unit: 'ms',
      ours: median(numberSlices),
      quartiles: quartiles(numberSlices),
      better: 'lower',
      budget: null,
      ok: true,
    },
    socketSearch10k: {
      unit: 'ms',
      ours: search.one,
      better: 'lower',
      budget: 0.5,
      ok: search.one <= 0.5,
    },
    socketSearchAll10k: { unit: 'ms', ours: search.all, better: 'lower', budget: null, ok: true },
    bytesPerRead: { unit: 'B', ours: bytes, better: 'lower', budget: 0, ok: bytes < 0.5 },
    ...measureLongLists(smoke),
  };
}

const DIST = fileURLToPath(new URL('../dist', import.meta.url));

/** Of 100 000 connections: memory above the start, and the longest block of the event loop without garbage collection. */
function measureLongLists(smoke) {
  const { 'async {}': [list] = [], 'async {"owners":true}': [owners] = [] } = measureLists({
    connections: smoke ? 1_000 : 100_000,
    rounds: smoke ? 1 : 5,
    cases: ['async {}', 'async {"owners":true}'],
    folders: [DIST],
  });
  const figure = (unit, ours, budget, rest) => {
    return { unit, ours, ...rest, better: 'lower', budget, ok: ours <= budget };
  };
  // Beside it: with garbage collection, whose pauses grow with the objects that a list keeps.
  const block = ({ blockWithoutGc, block }) => figure('ms', blockWithoutGc, 5, { beside: block });
  return {
    listAsync100kMb: figure('MB', list.megabytes, 40),
    listAsync100kBlockMs: block(list),
    listOwnersAsync100kMb: figure('MB', owners.megabytes, 80),
    listOwnersAsync100kBlockMs: block(owners),
  };
}
