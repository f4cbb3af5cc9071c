// prom-client and the SDK of OpenTelemetry export what text() has, under the names and units of the table.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { metricTable } from '../../../lib/metrics/metric-table';
import { seriesOf } from '../../support/metrics-text';

/** As OTLP has it. */
interface Instrument {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly DataPoint[] };
  readonly gauge?: object;
  readonly histogram?: { readonly dataPoints: readonly DataPoint[] };
}

interface DataPoint {
  readonly asDouble?: number;
  readonly count?: number;
  readonly explicitBounds?: readonly number[];
  readonly attributes: readonly { readonly key: string; readonly value: { stringValue: string } }[];
}

let report: {
  readonly text: string;
  readonly openMetricsText: string;
  readonly fromRegistry: string;
  readonly fromOpenMetrics: string;
  readonly fromExporter: string;
  readonly left: string;
  readonly types: readonly (readonly [string, string])[];
  readonly instruments: readonly Instrument[];
  readonly afterEnd: readonly Instrument[];
};

beforeAll(() => {
  const output = execFileSync(process.execPath, [join(__dirname, 'outputs.mjs')], {
    maxBuffer: 1 << 28,
    timeout: 60_000,
  });
  report = JSON.parse(output.toString());
});

/** prom-client writes `le` first and other numbers of spaces. */
const sorted = (text: string) =>
  [...seriesOf(text)]
    .map(
      ([series, value]) =>
        `${series.replace(/\{(.*)\}/, (_all, labels) => `{${labelsOf(labels)}}`)} ${value}`,
    )
    .sort();
const labelsOf = (labels: string) =>
  [...labels.matchAll(/\w+="(?:[^"\\]|\\.)*"/g)]
    .map(([label]) => label)
    .sort()
    .join(',');

test('a registry of prom-client has the series and values of text()', () => {
  expect(sorted(report.fromRegistry)).toEqual(sorted(report.text));
  expect(report.text).toContain('peer="customers \\"a\\\\b\\""');
  const types = Object.values(metricTable).map(({ prometheus, type }) => [
    prometheus,
    type === 'level' ? 'gauge' : type,
  ]);
  expect(report.types).toEqual(types);
});

test('a registry for OpenMetrics has the same, too', () => {
  const withoutPoint = (text: string) => text.replaceAll(/le="(\d+)\.0"/g, 'le="$1"');
  expect(sorted(report.fromOpenMetrics)).toEqual(sorted(withoutPoint(report.openMetricsText)));
});

test('nothing stays in the registry after close()', () => {
  expect(report.left).toBe('# EOF');
});

test('what happens after the end of observe() is not exported', () => {
  const created = (instruments: readonly Instrument[]) =>
    instruments
      .find(({ name }) => name === 'grpc.tcp.connections_created')
      ?.sum?.dataPoints.map(({ asDouble }) => asDouble);
  // The group `other` comes first.
  expect(created(report.instruments)).toEqual([0, 20, 20]);
  // The SDK repeats the last sums.
  expect(created(report.afterEnd)).toEqual([0, 20, 20]);
});

test('promtool finds nothing to complain about', (context) => {
  context.skip(spawnSync('promtool', ['--version']).status !== 0, 'no Prometheus here');
  for (const text of [report.text, `${report.fromRegistry}\n`]) {
    execFileSync('promtool', ['check', 'metrics'], { input: text });
  }
});

test('OTLP has every instrument with its name, unit and kind', () => {
  const found = new Map(report.instruments.map((instrument) => [instrument.name, instrument]));
  for (const { openTelemetry, unit, help, type } of Object.values(metricTable)) {
    const instrument = found.get(openTelemetry);
    // Without a dead peer, a histogram has no points, and is not exported; nor are percentiles of no connections.
    if (instrument === undefined) {
      expect(['histogram', 'level']).toContain(type);
      continue;
    }
    expect(instrument).toMatchObject({ unit, description: help });
    if (type === 'counter') expect(instrument.sum?.isMonotonic).toBe(true);
    if (type === 'gauge') expect(instrument.sum?.isMonotonic ?? false).toBe(false);
    if (type === 'histogram') expect(instrument.histogram).toBeDefined();
  }
  expect(found.size).toBeGreaterThan(20);
});

test('OTLP has the values and bounds of text()', () => {
  const series = seriesOf(report.text);
  const pointOf = (name: string) => {
    const instrument = report.instruments.find((each) => each.name === name);
    const points = (instrument?.sum ?? instrument?.histogram)?.dataPoints ?? [];
    return points.find(({ attributes }) =>
      attributes.some(
        ({ key, value }) => key === 'socket_options.peer' && value.stringValue === 'server',
      ),
    );
  };
  const sent = series.get('tcp_sent_bytes_total{peer="server"}');
  expect(sent).toBe(160);
  expect(pointOf('grpc.tcp.bytes_sent')?.asDouble).toBe(sent);
  expect(pointOf('grpc.tcp.connections_created')?.asDouble).toBe(20);
  const rtt = pointOf('grpc.tcp.min_rtt');
  expect(rtt?.explicitBounds).toEqual(metricTable.minRtt.bounds);
  expect(rtt?.count).toBe(series.get('tcp_min_rtt_seconds_count{peer="server"}'));
});

test("OpenTelemetry's Prometheus exporter has the names of the conventions", () => {
  const series = seriesOf(report.fromExporter);
  const names = new Set([...series.keys()].map((name) => name.replace(/\{.*/, '')));
  for (const name of ['grpc_tcp_bytes_sent', 'grpc_tcp_connections_created', 'grpc_tcp_min_rtt']) {
    expect([...names].filter((each) => each.startsWith(name))).not.toEqual([]);
  }
});

test('the types of prom-client and OpenTelemetry fit', () => {
  const folder = join(__dirname, 'node_modules/.types');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'check.mts');
  writeFileSync(
    file,
    `import { metrics as api } from '@opentelemetry/api';
    import { MeterProvider } from '@opentelemetry/sdk-metrics';
    import promClient from 'prom-client';
    import { TcpMetrics } from '${join(__dirname, '../../../dist/metrics.js')}';
    using metrics = new TcpMetrics();
    const end: () => void = metrics.register(promClient.register);
    metrics.register(new promClient.Registry());
    metrics.observe(api.getMeter('tcp'));
    metrics.observe(new MeterProvider().getMeter('tcp'));
    end();
    `,
  );
  const tsc = join(__dirname, '../../../node_modules/typescript/bin/tsc');
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'node16',
    '--target',
    'es2022',
  ];
  const lib = ['--lib', 'es2023,esnext.disposable', '--types', 'node', '--typeRoots'];
  const roots = join(__dirname, '../../../node_modules/@types');
  const { stdout, status } = spawnSync(process.execPath, [tsc, ...options, ...lib, roots, file]);
  expect({ status, stdout: stdout.toString() }).toEqual({ status: 0, stdout: '' });
});
