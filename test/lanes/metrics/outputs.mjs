// The outputs of TcpMetrics beside each other: its text, a registry of prom-client, and the SDK of OpenTelemetry with its Prometheus
// and OTLP exporters. Prints them as JSON.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import promClient from 'prom-client';
import { TcpMetrics } from '../../../dist/metrics.js';
import { instrumentsOf, startOtlp } from './otlp-collector.mjs';

const server = createServer((socket) =>
  socket
    .on('error', () => {})
    .resume()
    .end('answer'),
);
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address();

const metrics = new TcpMetrics({
  interval: 100,
  filter: ({ localPort, remotePort }) => [localPort, remotePort].includes(port),
  peer: ({ localPort }) => (localPort === port ? 'customers "a\\b"' : 'server'),
});

const registry = new promClient.Registry();
const openMetrics = new promClient.Registry(promClient.Registry.OPENMETRICS_CONTENT_TYPE);
for (const each of [registry, openMetrics]) metrics.register(each);

const exporter = new PrometheusExporter({ preventServerStart: true });
const { exports, provider } = await startOtlp(exporter);
const end = metrics.observe(provider.getMeter('tcp'));

async function ask() {
  const socket = connect(port, '127.0.0.1');
  socket.end('question');
  socket.resume();
  await once(socket, 'close');
}

for (let i = 0; i < 20; i++) await ask();
// Nothing changes any more.
while (!/tcp_connections\{peer="customers[^}]*\} 0/.test(metrics.text()))
  await new Promise(setImmediate);

const text = metrics.text();
const openMetricsText = metrics.text({ format: 'openmetrics' });
const fromRegistry = await registry.metrics();
const fromOpenMetrics = await openMetrics.metrics();
const json = await registry.getMetricsAsJSON();
registry.resetMetrics();

await provider.forceFlush();
const fromExporter = await new Promise((resolve) => {
  exporter.getMetricsRequestHandler({}, { setHeader() {}, end: resolve });
});

const instruments = instrumentsOf(exports[0]);
end();
await ask();
await provider.forceFlush();
const afterEnd = instrumentsOf(exports.at(-1));
metrics.close();
const left = `${await registry.metrics()}${await openMetrics.metrics()}`.trim();

process.stdout.write(
  JSON.stringify({
    ...{ text, openMetricsText, fromRegistry, fromOpenMetrics, fromExporter, instruments },
    ...{ afterEnd, left },
    types: json.map(({ name, type }) => [name, type]),
  }),
  () => process.exit(),
);
