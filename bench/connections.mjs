// What reading thousands of connections takes, beside a loop in C and beside ss(8).

import { bytesPerRead } from './allocation.mjs';
import { median } from './median.mjs';
import { runInNamespace } from './namespace.mjs';

export async function measureConnections({ rounds, smoke }) {
  const count = smoke ? 500 : 10_000;
  const { times, blocks, numberBlocks, allWallMs, search } = runInNamespace('sweep.mjs', count, [
    rounds,
  ]);
  const perSocket = (ms) => (ms * 1e6) / count;

  const toFloor = (ours, budget) => {
    const ratio = median(times[ours].map((ms, round) => ms / times.floor[round]));
    return {
      ratio,
      ns: perSocket(median(times[ours])),
      floorNs: perSocket(median(times.floor)),
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
  const block = median(blocks);
  const bytes = await bytesPerRead();
  return {
    readTcpInfosAll10k: toFloor('all', 1.15),
    readTcpInfos4Fields10k: toFloor('four', 1.05),
    readTcpInfosOfSockets10k: toFloor('sockets', null),
    readTcpInfosVsSs10k: toSs(allWallMs, median(times.ss), 10),
    listConnectionsVsSs10k: toSs(median(times.list), median(times.ssParsed), null),
    readTcpInfosAsyncBlock: {
      unit: 'ms',
      ours: block,
      better: 'lower',
      budget: 1,
      ok: block <= 1,
    },
    // No budget: each number costs a system call before the first part.
    readTcpInfosAsyncNumbers: {
      unit: 'ms',
      ours: median(numberBlocks),
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
