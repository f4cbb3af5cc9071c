// A program that uses socket-options/metrics. run.mjs compiles it against the packed types.

import { TcpMetrics, type TcpMetricsOptions } from 'socket-options/metrics';

const options: TcpMetricsOptions = { peer: ({ remoteAddress }) => remoteAddress ?? 'none' };
const metrics = new TcpMetrics(options);
export const text: string = metrics.text({ format: 'openmetrics' });
export const end: () => void = metrics.register({
  registerMetric: () => {},
  getSingleMetric: () => undefined,
  removeSingleMetric: () => {},
});
// @ts-expect-error: no such format
metrics.text({ format: 'json' });
// @ts-expect-error: a peer is a string
new TcpMetrics({ peer: ({ remotePort }) => remotePort });
