// What tuneSockets() costs: for a connection, on both sides together, and for a request of an agent that keeps its
// connection. And what connect() and listen() cost beside Node's own.

import { median, quartiles } from './median.mjs';
import { runInNamespace } from './namespace.mjs';

export function measureTuning({ rounds, smoke }) {
  const [connections, requests] = smoke ? [50, 50] : [500, 1_000];
  const args = [requests, rounds];
  const { connection, request, connect, listen } = runInNamespace(
    'tuned-turns.mjs',
    connections,
    args,
  );
  const extras = connection.tuned.map((ms, round) => (ms - connection.plain[round]) * 1_000);
  const extra = median(extras);
  return {
    connectVsNode: ratioOf(connect, 1.1),
    listenVsNode: ratioOf(listen, 1.1),
    tunePerConnection: {
      unit: 'us',
      ours: median(connection.tuned) * 1_000,
      beside: median(connection.plain) * 1_000,
      extra,
      quartiles: quartiles(extras),
      ...{ better: 'lower', budget: 20, ok: extra <= 20 },
    },
    tunePerRequest: ratioOf(request, 1.02),
  };
}

/** Compares two times of each round, in milliseconds. */
function ratioOf({ tuned, plain }, budget) {
  const ratios = tuned.map((ms, round) => ms / plain[round]);
  const ratio = median(ratios);
  return {
    ratio,
    quartiles: quartiles(ratios),
    ns: median(tuned) * 1e6,
    peerNs: median(plain) * 1e6,
    ...{ better: 'lower', budget, ok: ratio <= budget },
  };
}
