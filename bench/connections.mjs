// Measures reads of thousands of connections, compared with a loop in C and with ss(8).

import { bytesPerRead } from './allocation.mjs';
import { median, quartiles } from './median.mjs';
import { runInNamespace } from './namespace.mjs';

export async function measureConnections({ rounds, smoke }) {
  const count = smoke ? 500 : 10_000;
  const { times, blocks, numberBlocks, allWallMs, search } = runInNamespace(
    'connection-reads.mjs',
    count,
    [rounds],
  );
  const perSocket = (ms) => (ms * 1e6) / count;

  const toBaseline = (ours, budget) => {
    const ratios = times[ours].map((ms, round) => ms / times.baseline[round]);
    const ratio = median(ratios);
    return {
      ratio,
      quartiles: quartiles(ratios),
      ns: perSocket(median(times[ours])),
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
  const block = median(blocks);
  const bytes = await bytesPerRead();
  return {
    readTcpInfosAll10k: toBaseline('all', 1.15),
    readTcpInfos4Fields10k: toBaseline('four', 1.05),
    readTcpInfosOfSockets10k: toBaseline('sockets', null),
    readTcpInfosVsSs10k: toSs(allWallMs, median(times.ss), 10),
    listConnectionsVsSs10k: toSs(median(times.list), median(times.ssParsed), null),
    readTcpInfosAsyncBlock: {
      unit: 'ms',
      ours: block,
      quartiles: quartiles(blocks),
      better: 'lower',
      budget: 1,
      ok: block <= 1,
    },
    // Without a budget: each descriptor costs a system call before the first slice.
    readTcpInfosAsyncNumbers: {
      unit: 'ms',
      ours: median(numberBlocks),
      quartiles: quartiles(numberBlocks),
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
