// What tuneSockets() costs: for a connection, on both sides together, and for a request of an agent that keeps its
// connection.

import { median } from './median.mjs';
import { runInNamespace } from './namespace.mjs';

export function measureTuning({ rounds, smoke }) {
  const [connections, requests] = smoke ? [50, 50] : [500, 1_000];
  const args = [requests, rounds];
  const { connection, request } = runInNamespace('tuned-turns.mjs', connections, args);
  const extras = connection.tuned.map((ms, round) => ms - connection.plain[round]);
  const extra = median(extras) * 1_000;
  const ratio = median(request.tuned.map((ms, round) => ms / request.plain[round]));
  return {
    tunePerConnection: {
      unit: 'us',
      ours: median(connection.tuned) * 1_000,
      beside: median(connection.plain) * 1_000,
      extra,
      ...{ better: 'lower', budget: 20, ok: extra <= 20 },
    },
    tunePerRequest: {
      ratio,
      ns: median(request.tuned) * 1e6,
      peerNs: median(request.plain) * 1e6,
      ...{ better: 'lower', budget: 1.02, ok: ratio <= 1.02 },
    },
  };
}
