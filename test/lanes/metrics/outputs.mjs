// The outputs of TcpMetrics beside each other: its text, a registry of prom-client, and the SDK of OpenTelemetry with its Prometheus
// and OTLP exporters. Prints them as JSON.

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import promClient from 'prom-client';
import { TcpMetrics } from '../../../dist/metrics.js';

/** A collector of OTLP over HTTP. */
const exported = [];
const collector = createHttpServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    exported.push(JSON.parse(Buffer.concat(chunks)));
    response.setHeader('content-type', 'application/json').end('{}');
  });
});
await once(collector.listen(0, '127.0.0.1'), 'listening');

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
const url = `http://127.0.0.1:${collector.address().port}/v1/metrics`;
const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter({ url }),
  exportIntervalMillis: 3_600_000,
});
const provider = new MeterProvider({ readers: [exporter, reader] });
const end = metrics.observe(provider.getMeter('tcp'));

for (let i = 0; i < 20; i++) {
  const socket = connect(port, '127.0.0.1');
  socket.end('question');
  socket.resume();
  await once(socket, 'close');
}
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

// After the end, nothing more is exported.
end();
exported.splice(1);
const empty = async () => {
  await provider.forceFlush();
  return exported.at(-1).resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics).length;
};
metrics.close();
const left = `${await registry.metrics()}${await openMetrics.metrics()}`.trim();
const instruments = exported[0].resourceMetrics[0].scopeMetrics[0].metrics;
await empty();

process.stdout.write(
  JSON.stringify({
    ...{ text, openMetricsText, fromRegistry, fromOpenMetrics, fromExporter, instruments, left },
    types: json.map(({ name, type }) => [name, type]),
  }),
  () => process.exit(),
);
