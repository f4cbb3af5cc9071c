// Writes metrics as text: Prometheus 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/) and OpenMetrics 1.0.0.

import type { Histogram } from './histogram';

export type ExpositionFormat = 'prometheus' | 'openmetrics';

/** The media types, for the header `content-type`. */
export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A label without a value is left out. */
export type Labels = Readonly<Record<string, string | undefined>>;

/** A number, or a histogram, of a family. */
export interface Point {
  readonly labels: Labels;
  readonly value: number | Histogram;
}

/** A metric with all its points. The name of a counter ends in `_total`. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly points: readonly Point[];
}

/** Returns the text of a response to a scrape. */
export function exposeText(families: readonly Family[], format: ExpositionFormat): string {
  const lines = families.flatMap((family) => familyLines(family, format));
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function familyLines({ name, type, help, points }: Family, format: ExpositionFormat): string[] {
  const isOpenMetrics = format === 'openmetrics';
  // OpenMetrics names the family of a counter without the suffix of its samples.
  const familyName = isOpenMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
  const unit = isOpenMetrics ? unitOf(familyName) : undefined;
  return [
    `# HELP ${familyName} ${escapeHelp(help, format)}`,
    `# TYPE ${familyName} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${familyName} ${unit}`]),
    ...points.flatMap((point) => pointLines(name, point, format)),
  ];
}

/** OpenMetrics allows only a unit that the name ends with. */
function unitOf(name: string): string | undefined {
  return ['seconds', 'bytes'].find((unit) => name.endsWith(`_${unit}`));
}

function pointLines(name: string, { labels, value }: Point, format: ExpositionFormat): string[] {
  // Once for all lines of a histogram.
  const pairs = labelPairs(labels);
  if (typeof value === 'number') return [line(name, pairs, value)];
  const lines: string[] = [];
  let count = 0;
  value.counts.forEach((inBucket, bucket) => {
    count += inBucket;
    const bound = value.bounds[bucket] ?? Number.POSITIVE_INFINITY;
    const le = `le="${boundText(bound, format)}"`;
    lines.push(line(`${name}_bucket`, pairs === '' ? le : `${pairs},${le}`, count));
  });
  lines.push(line(`${name}_sum`, pairs, value.sum), line(`${name}_count`, pairs, count));
  return lines;
}

/** OpenMetrics writes bounds as floating-point numbers: `1.0`. */
function boundText(bound: number, format: ExpositionFormat): string {
  const text = numberText(bound);
  return format === 'openmetrics' && /^\d+$/.test(text) ? `${text}.0` : text;
}

/** @param pairs Labels as `labelPairs()` writes them. */
function line(name: string, pairs: string, value: number): string {
  return `${name}${pairs === '' ? '' : `{${pairs}}`} ${numberText(value)}`;
}

function labelPairs(labels: Labels): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (value !== undefined) pairs.push(`${name}="${escapeLabel(value)}"`);
  }
  return pairs.join(',');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function escapeHelp(text: string, format: ExpositionFormat): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped;
}
