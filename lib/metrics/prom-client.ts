// Metrics for a Registry of prom-client, which is never imported: the program passes the registry. The registry takes any object
// with the members of its own metrics.

import { typeError, validateFunction } from '../core/validate';
import type { Family, Labels, Point } from './exposition';

/** A `Registry` of prom-client 14 or 15, as far as {@link TcpMetrics.register} needs it. */
export interface PromClientRegistry {
  /** Adds a metric to the registry. */
  registerMetric(metric: never): void;
  /** Returns the metric of a name. */
  getSingleMetric(name: string): unknown;
  /** Removes the metric of a name. */
  removeSingleMetric(name: string): void;
}

/** What prom-client writes: a histogram is a list of numbers with names of their own. */
interface PromClientValue {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** What is known of a metric by its name. */
interface Reader {
  /** Its family as it is now. */
  read(name: string): Family;
  /** How a cluster puts the values of its workers together. */
  aggregatorOf(name: string): 'sum' | 'max';
}

/**
 * Adds a metric for each name. They are read when the registry is.
 * @returns what removes them.
 */
export function registerAt(
  registry: PromClientRegistry,
  names: readonly string[],
  { read, aggregatorOf }: Reader,
): () => void {
  validateRegistry(registry);
  const registered = new Map<string, object>();
  const unregister = () => {
    for (const [name, metric] of registered) {
      // The program may have cleared the registry, and registered another metric of this name.
      if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
    }
    registered.clear();
  };
  try {
    for (const name of names) {
      const { type } = read(name);
      const aggregator = aggregatorOf(name);
      const metric = {
        // For OpenMetrics, the registry removes `_total` from the name of this object.
        name,
        type,
        get() {
          const { help, points } = read(name);
          const values = valuesOf(name, points);
          return { name: metric.name, help, type, values, aggregator };
        },
        /** `resetMetrics()` is for tests of programs: what the kernel counts cannot be reset. */
        reset() {},
      };
      registry.registerMetric(metric as never);
      registered.set(name, metric);
    }
  } catch (error) {
    // The registry has a metric of this name already.
    unregister();
    throw error;
  }
  return unregister;
}

function validateRegistry(registry: unknown): void {
  if (typeof registry !== 'object' || registry === null) {
    throw typeError('registry', 'a Registry of prom-client', registry);
  }
  const { registerMetric, removeSingleMetric, getSingleMetric } = registry as Record<
    string,
    unknown
  >;
  validateFunction(registerMetric, 'registry.registerMetric');
  validateFunction(getSingleMetric, 'registry.getSingleMetric');
  validateFunction(removeSingleMetric, 'registry.removeSingleMetric');
}

function valuesOf(name: string, points: readonly Point[]): PromClientValue[] {
  return points.flatMap(({ labels, value }): PromClientValue[] => {
    const present = definedOnly(labels);
    if (typeof value === 'number') return [{ labels: present, value }];
    let count = 0;
    const buckets = value.counts.map((inBucket, bucket) => {
      count += inBucket;
      const le = bucket < value.bounds.length ? `${value.bounds[bucket]}` : '+Inf';
      return { metricName: `${name}_bucket`, labels: { ...present, le }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: present, value: value.sum },
      { metricName: `${name}_count`, labels: present, value: count },
    ];
  });
}

function definedOnly(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== undefined));
}
