// Instruments of OpenTelemetry, which is never imported: the program passes its meter. Counters and gauges are observed when the
// SDK collects them, histograms are recorded with each sample.

import { typeError, validateFunction } from '../core/validate';
import type { Labels, Point } from './exposition';
import { type HistogramName, type MetricName, metricNames, metricTable } from './metric-table';

/** A `Meter` of `@opentelemetry/api` 1.3 or later, as far as {@link TcpMetrics.observe} needs it. */
export interface OpenTelemetryMeter {
  /** Makes an instrument for a counter. */
  createObservableCounter(name: string, options?: InstrumentOptions): object;
  /** Makes an instrument for a gauge whose values add up. */
  createObservableUpDownCounter(name: string, options?: InstrumentOptions): object;
  /** Makes an instrument for a gauge whose values do not add up. */
  createObservableGauge(name: string, options?: InstrumentOptions): object;
  /** Makes an instrument for a histogram. */
  createHistogram(name: string, options?: InstrumentOptions): OpenTelemetryHistogram;
  /** Adds a function that the SDK calls when it collects these instruments. */
  addBatchObservableCallback(callback: ObserveBatch, observables: never[]): void;
  /** Removes a function that was added for these instruments. */
  removeBatchObservableCallback(callback: ObserveBatch, observables: never[]): void;
}

interface InstrumentOptions {
  description?: string;
  unit?: string;
  advice?: { explicitBucketBoundaries?: number[] };
}

interface OpenTelemetryHistogram {
  record(value: number, attributes?: Attributes): void;
}

type Attributes = Record<string, string>;
type ObserveBatch = (result: {
  observe(metric: never, value: number, attributes?: Attributes): void;
}) => void;

/** What a meter gets until `end()` is called. */
export interface Observation {
  record(name: HistogramName, value: number, labels: Labels): void;
  end(): void;
}

const CREATORS = {
  counter: 'createObservableCounter',
  // Levels of several processes add up, as in the semantic conventions for `system.network.connection.count`.
  gauge: 'createObservableUpDownCounter',
  level: 'createObservableGauge',
} as const;

/** @param read Returns the points of a metric now. */
export function observeWith(
  meter: OpenTelemetryMeter,
  read: (name: MetricName) => readonly Point[],
): Observation {
  validateMeter(meter);
  const observables = new Map<MetricName, object>();
  const histograms = new Map<MetricName, OpenTelemetryHistogram>();
  for (const name of metricNames) {
    const { openTelemetry, type, unit, help, bounds } = metricTable[name];
    const options = { description: help, unit };
    if (type === 'histogram') {
      const advice = { explicitBucketBoundaries: [...(bounds ?? [])] };
      histograms.set(name, meter.createHistogram(openTelemetry, { ...options, advice }));
    } else {
      observables.set(name, meter[CREATORS[type]](openTelemetry, options));
    }
  }
  const observe: ObserveBatch = (result) => {
    for (const [name, observable] of observables) {
      for (const { labels, value } of read(name)) {
        result.observe(observable as never, value as number, attributesOf(labels));
      }
    }
  };
  const all = [...observables.values()] as never[];
  meter.addBatchObservableCallback(observe, all);
  return {
    record: (name, value, labels) => histograms.get(name)?.record(value, attributesOf(labels)),
    end: () => meter.removeBatchObservableCallback(observe, all),
  };
}

function validateMeter(meter: unknown): void {
  if (typeof meter !== 'object' || meter === null) {
    throw typeError('meter', 'a Meter of @opentelemetry/api', meter);
  }
  for (const method of [
    ...Object.values(CREATORS),
    'createHistogram',
    'addBatchObservableCallback',
    'removeBatchObservableCallback',
  ]) {
    validateFunction((meter as Record<string, unknown>)[method], `meter.${method}`);
  }
}

function attributesOf(labels: Labels): Attributes {
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(labels)) {
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}
