// TcpMetrics: puts the connections, their groups and the outputs together.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels } from '../core/channels';
import { validateOneOf, validateOptions, valueError } from '../core/validate';
import { type DeadPeerMessage, readTcpInfos, SocketOptionError } from '../index';
import {
  contentTypes,
  type ExpositionFormat,
  exposeText,
  type Family,
  type Labels,
  type Point,
} from './exposition';
import { FollowedConnections } from './followed-connections';
import {
  type HistogramName,
  type MetricName,
  metricNames,
  metricTable,
  PEER,
} from './metric-table';
import { type TcpMetricsOptions, validateMetricsOptions } from './metrics-options';
import { type Observation, type OpenTelemetryMeter, observeWith } from './open-telemetry';
import type { PeerGroup } from './peer-group';
import { PeerGroups } from './peer-groups';
import { type PromClientRegistry, registerAt } from './prom-client';

/** Options of {@link TcpMetrics.text}. */
export interface TextOptions {
  /**
   * The format of the text. `'prometheus'`: its text format 0.0.4. `'openmetrics'`: OpenMetrics 1.0.0. Default:
   * `'prometheus'`.
   */
  readonly format?: ExpositionFormat | undefined;
}

type System = 'prometheus' | 'openTelemetry';

const FORMATS = ['prometheus', 'openmetrics'] as const;

/**
 * Measures every TCP connection of this thread, of whatever library: for Prometheus, prom-client and OpenTelemetry.
 *
 * It follows the connections that this thread opens or accepts from now on, and those that are open and keep the
 * process running. Of the latter it counts only what happens from now on. Each is sampled by `TCP_INFO` after a random
 * 10 % to 110 % of `interval`, and once more before its descriptor is closed, so that short connections count too.
 * Gauges show the last samples: they are at most 1.2 intervals old. Pipes, Unix sockets, listening sockets and sockets
 * of native code are not measured.
 *
 * docs/metrics.md has the table of metrics. Times are in seconds, sizes in bytes. 10 000 connections at 15 s take about
 * 1 % of a core, in slices of at most 32 connections. It never keeps the process running. While one is open, `emit` of
 * `net.Socket.prototype` and `net.Server.prototype`, and `close` and `reset` of Node's TCP handles are functions of
 * this package.
 * @example
 * ```ts
 * const metrics = new TcpMetrics({ peer: ({ remotePort }) => (remotePort === 5432 ? 'postgres' : 'other') });
 * response.setHeader('content-type', metrics.contentType).end(metrics.text());
 * ```
 * @systems Linux, macOS, Windows and FreeBSD: `TCP_INFO` and its like. What a system does not report is missing or
 *   stays 0: macOS, Windows and FreeBSD report less than Linux. Node only.
 * @see tcp(7), https://github.com/grpc/proposal/blob/master/A80-tcp-telemetry.md
 */
export class TcpMetrics {
  readonly #groups: PeerGroups;
  readonly #connections: FollowedConnections;
  readonly #observations = new Map<OpenTelemetryMeter, Observation>();
  /** What close() ends. */
  readonly #ends = new Set<() => void>();
  #isOpen = true;

  /**
   * Measures every TCP connection of this thread from now on. See {@link TcpMetrics}.
   * @example
   * ```ts
   * const metrics = new TcpMetrics({ interval: 15_000 });
   * ```
   * @param options How often to sample, and how to group the connections. Default: every 15 s, without groups.
   * @throws TypeError, RangeError for wrong options.
   * @throws SocketOptionError `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` on Bun and Deno.
   * @throws Error `ERR_ADDON_NOT_FOUND` without the addon.
   */
  constructor(options: TcpMetricsOptions = {}) {
    const checked = validateMetricsOptions(options);
    requireHandles();
    this.#groups = new PeerGroups(checked, (name, value, group) => this.#pass(name, value, group));
    this.#connections = new FollowedConnections(this.#groups, checked.interval);
    this.#listen();
  }

  /** The media type of `text()`: `'text/plain; version=0.0.4; charset=utf-8'`. */
  get contentType(): string {
    return contentTypes.prometheus;
  }

  /** The media type of `text({ format: 'openmetrics' })`. */
  get openMetricsContentType(): string {
    return contentTypes.openmetrics;
  }

  /**
   * Returns all metrics as text, for the response to a scrape. It makes no system call.
   * @param options The format of the text. Default: that of Prometheus.
   * @returns The text, for the header `content-type` of {@link contentType}.
   * @throws TypeError for an unknown format.
   */
  text(options: TextOptions = {}): string {
    const { format = 'prometheus' } = validateOptions(options, 'options', ['format']);
    validateOneOf(format, 'options.format', FORMATS);
    return exposeText(
      metricNames.map((name) => this.#familyOf(name)),
      format,
    );
  }

  /**
   * Adds the metrics to a registry of prom-client: `metrics.register(promClient.register)`. They are read when the
   * registry is.
   * @param registry The registry, for example `promClient.register`.
   * @returns A function that removes them. `close()` does it too.
   * @throws TypeError for anything else than a registry. SocketOptionError after `close()`. The error of the registry,
   *   if it has a metric of the same name.
   */
  register(registry: PromClientRegistry): () => void {
    this.#requireOpen();
    const byName = new Map(metricNames.map((name) => [metricTable[name].prometheus, name]));
    const nameOf = (name: string) => byName.get(name) as MetricName;
    const unregister = registerAt(registry, [...byName.keys()], {
      read: (name) => this.#familyOf(nameOf(name)),
      // Percentiles of several processes do not add up: the worst one counts.
      aggregatorOf: (name) => (metricTable[nameOf(name)].type === 'level' ? 'max' : 'sum'),
    });
    return this.#endedByClose(unregister);
  }

  /**
   * Makes instruments with a meter of OpenTelemetry: `tcpMetrics.observe(metrics.getMeter('tcp'))`. Counters and gauges
   * are read when the SDK collects them. Histograms are recorded with each sample.
   * @param meter The meter, for example `metrics.getMeter('tcp')`.
   * @returns A function that ends it. `close()` does it too.
   * @throws TypeError for anything else than a meter, and for one that it observes already. SocketOptionError after
   *   `close()`.
   */
  observe(meter: OpenTelemetryMeter): () => void {
    this.#requireOpen();
    if (this.#observations.has(meter)) {
      const reason = 'is observed already: twice, it would record each value of a histogram twice';
      throw valueError('meter', reason, meter);
    }
    const observation = observeWith(meter, (name) => this.#pointsOf(name, 'openTelemetry'));
    this.#observations.set(meter, observation);
    return this.#endedByClose(() => {
      this.#observations.delete(meter);
      observation.end();
    });
  }

  /**
   * Ends all samples, and puts back what was replaced. `text()` still returns what was counted.
   * @throws Error that a registry or a meter has thrown while it was removed; everything else is ended all the same.
   */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#connections.close();
    const failures: unknown[] = [];
    for (const end of [...this.#ends]) {
      try {
        end();
      } catch (error) {
        // A registry or a meter has thrown. The others are ended all the same.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Ends the metrics at the end of a `using` block, as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Passes a value of a histogram to the meters. It may be called while a socket is closed, so it must not throw. */
  #pass(name: HistogramName, value: number, group: PeerGroup): void {
    if (this.#observations.size === 0) return;
    const labels = labelsOf(group, 'openTelemetry');
    for (const observation of this.#observations.values()) {
      try {
        observation.record(name, value, labels);
      } catch {
        this.#groups.errors.meter += 1;
      }
    }
  }

  #requireOpen(): void {
    if (this.#isOpen) return;
    const message = 'The TcpMetrics are closed: nothing is measured any more. Make new ones';
    throw new SocketOptionError(message, { code: 'ERR_SOCKET_CLOSED' });
  }

  /** Returns a function that calls `end` once, as close() does. */
  #endedByClose(end: () => void): () => void {
    const endOnce = () => {
      if (this.#ends.delete(endOnce)) end();
    };
    this.#ends.add(endOnce);
    return endOnce;
  }

  /** Counts dead peers and heartbeats by the messages of the other entry points. */
  #listen(): void {
    const handlers: [{ readonly name: string | symbol }, (message: unknown) => void][] = [
      [
        channels.deadPeer,
        (message) => {
          const { socket, silence } = message as DeadPeerMessage;
          const group = this.#connections.groupOf(socket);
          group?.add('deadPeers', 1);
          group?.record('deadPeerSilence', silence / 1_000);
        },
      ],
      [
        channels.heartbeatLate,
        (message) => this.#heartbeatGroup(message)?.add('heartbeatsLate', 1),
      ],
      [
        channels.heartbeatDead,
        (message) => this.#heartbeatGroup(message)?.add('heartbeatsDead', 1),
      ],
    ];
    for (const [{ name }, handler] of handlers) {
      subscribe(name, handler);
      this.#endedByClose(() => unsubscribe(name, handler));
    }
  }

  #heartbeatGroup(message: unknown): PeerGroup | undefined {
    return this.#connections.groupOf((message as { readonly socket: unknown }).socket);
  }

  #familyOf(name: MetricName): Family {
    const { prometheus, type, help } = metricTable[name];
    return {
      ...{ name: prometheus, help, type: type === 'level' ? 'gauge' : type },
      points: this.#pointsOf(name, 'prometheus'),
    };
  }

  #pointsOf(name: MetricName, system: System): Point[] {
    const { label, isGlobal } = metricTable[name];
    if (isGlobal) {
      return Object.entries(this.#groups.errors).map(([text, value]) => ({
        labels: { [label?.[system] ?? '']: text },
        value,
      }));
    }
    return [...this.#groups.all].flatMap((group) =>
      group.pointsOf(name, system, labelsOf(group, system)),
    );
  }
}

/** Throws where nothing could be measured. */
function requireHandles(): void {
  const { bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) {
    const name = bun === undefined ? 'Deno' : 'Bun';
    throw new SocketOptionError(
      `${name} does not report when the descriptor of a socket is closed: use listConnections()`,
      { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
    );
  }
  // Throws without the addon.
  readTcpInfos([], ['state']);
}

function labelsOf({ peer }: PeerGroup, system: System): Labels {
  return peer === undefined ? {} : { [PEER[system]]: peer };
}
