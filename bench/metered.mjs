// In a network namespace of its own: what metrics of thousands of idle connections cost. Prints JSON for metrics.mjs, which
// starts it.

import { setTimeout as sleep } from 'node:timers/promises';
import { connectMany } from './connect-many.mjs';
import { median } from './median.mjs';
import { sliceRecorder } from './slices.mjs';

const [count, interval, measuredMs] = process.argv.slice(2).map(Number);

const slices = sliceRecorder();
const { TcpMetrics } = await import('../dist/metrics.js');

const { sockets } = await connectMany(count);
for (const socket of sockets) socket.resume();
const without = await slices.measure(measuredMs);
const metrics = new TcpMetrics({ interval, peer: () => 'peer' });
// The first samples come at other times than the later ones.
await sleep(1.5 * interval);
const metered = await slices.measure(measuredMs);
const scrapes = Array.from({ length: 51 }, () => {
  const start = performance.now();
  metrics.text();
  return performance.now() - start;
});
const followed = Number(/^tcp_connections\{peer="peer"\} (\d+)$/m.exec(metrics.text())[1]);
const report = { without, metered, scrapeMs: median(scrapes), followed };
process.stdout.write(JSON.stringify(report), () => process.exit());
