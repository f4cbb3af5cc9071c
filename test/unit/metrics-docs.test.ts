// docs/metrics.md and examples/prometheus/ know exactly the metrics that lib/metrics/metric-table.ts has.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TcpMetrics } from '../../dist/metrics';
import { metricTable } from '../../lib/metrics/metric-table';
import { seriesOf } from '../support/metrics-text';

const read = (path: string) => readFileSync(join(__dirname, '../..', path), 'utf8');
const page = read('docs/metrics.md');
const alerts = read('examples/prometheus/alerts.yml');
const dashboard = read('examples/prometheus/dashboard.json');

test('docs/metrics.md has the table of metrics', () => {
  const [block = ''] = /begin: metrics[\s\S]*end: metrics/.exec(page) ?? [];
  const rows = block.split('\n').filter((line) => line.startsWith('| `'));
  const expected = Object.values(metricTable).map(
    ({ prometheus, openTelemetry, type, unit, label, help }) => {
      const names =
        label === undefined ? '' : `\`${label.prometheus}\` / \`${label.openTelemetry}\``;
      const kind = type === 'level' ? 'gauge' : type;
      return `| \`${prometheus}\` | \`${openTelemetry}\` | ${kind} | ${unit} | ${names} | ${help} |`;
    },
  );
  expect(rows).toEqual(expected);
});

test('docs/metrics.md says how many series a group has', () => {
  using metrics = new TcpMetrics({ filter: () => false });
  const series = [...seriesOf(metrics.text()).keys()];
  const ofGroup = series.filter((name) => !name.includes('callback=')).length;
  const percentiles = 3;
  expect(page).toContain(`has ${ofGroup + percentiles} time series`);
});

test('alerts and dashboard use only metrics that exist', () => {
  const known = new Set(
    Object.values(metricTable).flatMap(({ prometheus, type }) =>
      type === 'histogram' ? [`${prometheus}_bucket`, `${prometheus}_count`] : [prometheus],
    ),
  );
  const expressions = [
    ...[...alerts.matchAll(/expr:(?: \||)([\s\S]*?)\n {8}(?:for|labels):/g)].map(
      ([, text]) => text,
    ),
    ...[...dashboard.matchAll(/"(?:expr|query)": "(.*)"/g)].map(([, text]) => text),
  ];
  const used = expressions.flatMap((text = '') => text.match(/\btcp_\w+/g) ?? []);
  expect(used.length).toBeGreaterThan(30);
  expect(used.filter((name) => !known.has(name))).toEqual([]);
});

test('each alert has a runbook, and a test in which it fires', () => {
  const names = [...alerts.matchAll(/alert: (\w+)/g)].map(([, name]) => name as string);
  const tests = read('examples/prometheus/alerts.test.yml');
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) {
    expect(page).toContain(`\n### ${name}\n`);
    expect(alerts).toContain(`runbook_url: docs/metrics.md#${name.toLowerCase()}\n`);
    expect(tests).toMatch(new RegExp(`alertname: ${name}\\n +exp_alerts:\\n`));
  }
  const sections = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(sections.toSorted()).toEqual(names.toSorted());
});

test('the dashboard takes its data source from a variable', () => {
  const { templating, panels } = JSON.parse(dashboard);
  expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' });
  const sources = dashboard.match(/"uid": "(?!socket-options)[^"]*"/g) ?? [];
  expect(new Set(sources)).toEqual(new Set([`"uid": "\${datasource}"`]));
  const ids = panels.map(({ id }: { id: number }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
