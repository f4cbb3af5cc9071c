// Measures reads of thousands of connections, compared with a loop in C and with ss(8).

import { bytesPerRead } from './allocation.mjs';
import { median } from './median.mjs';
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
    const ratio = median(ours.map((ms, round) => ms / times.baseline[round]));
    return {
      ratio,
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
    readTcpInfosAsync4Fields10k: toBaseline(times.asyncFour.total, 1.35),
    readTcpInfosAsync4FieldsMain: toBaseline(times.asyncFour.main, 0.35),
    readTcpInfosVsSs10k: toSs(allWallMs, median(times.ss), 10),
    listConnectionsVsSs10k: toSs(median(times.list), median(times.ssParsed), null),
    readTcpInfosAsyncSlice100k: {
      unit: 'ms',
      ours: slice,
      better: 'lower',
      budget: 1,
      ok: slice <= 1,
    },
    // Without a budget: each number costs a system call before the reads begin.
    readTcpInfosAsyncNumbers: {
      unit: 'ms',
      ours: median(numberSlices),
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
  };
}
