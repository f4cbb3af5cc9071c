// The single table of metrics. The text for Prometheus, the metrics for prom-client, the instruments of OpenTelemetry and the
// table of docs/metrics.md are made from it.

/** A label, under the names of both systems. */
interface Label {
  readonly prometheus: string;
  readonly openTelemetry: string;
}

export interface Metric {
  readonly prometheus: string;
  /** gRPC's name where its proposal A80 has the metric: https://github.com/grpc/proposal/blob/master/A80-tcp-telemetry.md */
  readonly openTelemetry: string;
  /** `'level'`: a gauge that does not add up over several processes. */
  readonly type: 'counter' | 'gauge' | 'level' | 'histogram';
  /** For OpenTelemetry, in UCUM. The name for Prometheus has it too. */
  readonly unit: 's' | 'By' | 'By/s' | `{${string}}`;
  readonly help: string;
  /** Besides the peer. */
  readonly label?: Label;
  /** It does not belong to a connection, so it has no peer. */
  readonly isGlobal?: true;
  readonly bounds?: readonly number[];
}

/** The label of the peer group. */
export const PEER: Label = { prometheus: 'peer', openTelemetry: 'socket_options.peer' };

const STATE: Label = { prometheus: 'state', openTelemetry: 'network.connection.state' };

/** In seconds. */
const ROUND_TRIPS = [
  ...[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01],
  ...[0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
];
const SILENCES = [4, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600, 1_800];
/** In bytes per second. */
const RATES = [1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9, 3e9, 1e10];

const metrics = {
  // Of A80.
  minRtt: {
    prometheus: 'tcp_min_rtt_seconds',
    openTelemetry: 'grpc.tcp.min_rtt',
    type: 'histogram',
    unit: 's',
    help: 'Smallest round-trip time of the last minutes, at each sample of a connection',
    bounds: ROUND_TRIPS,
  },
  deliveryRate: {
    prometheus: 'tcp_delivery_rate_bytes_per_second',
    openTelemetry: 'grpc.tcp.delivery_rate',
    type: 'histogram',
    unit: 'By/s',
    help: 'Rate at which data arrived at the peer while the path was the limit, at each sample of a connection',
    bounds: RATES,
  },
  packetsSent: {
    prometheus: 'tcp_packets_sent_total',
    openTelemetry: 'grpc.tcp.packets_sent',
    type: 'counter',
    unit: '{packet}',
    help: 'Segments with payload sent, retransmissions included',
  },
  packetsRetransmitted: {
    prometheus: 'tcp_packets_retransmitted_total',
    openTelemetry: 'grpc.tcp.packets_retransmitted',
    type: 'counter',
    unit: '{packet}',
    help: 'Segments sent again',
  },
  packetsSpuriouslyRetransmitted: {
    prometheus: 'tcp_packets_spurious_retransmitted_total',
    openTelemetry: 'grpc.tcp.packets_spurious_retransmitted',
    type: 'counter',
    unit: '{packet}',
    help: 'Segments sent again although they had arrived',
  },
  recurringRetransmits: {
    prometheus: 'tcp_recurring_retransmits_total',
    openTelemetry: 'grpc.tcp.recurring_retransmits',
    type: 'counter',
    unit: '{packet}',
    help: 'Unanswered retransmissions in a row when a connection was closed',
  },
  bytesSent: {
    prometheus: 'tcp_sent_bytes_total',
    openTelemetry: 'grpc.tcp.bytes_sent',
    type: 'counter',
    unit: 'By',
    help: 'Payload sent, retransmissions included',
  },
  bytesRetransmitted: {
    prometheus: 'tcp_retransmitted_bytes_total',
    openTelemetry: 'grpc.tcp.bytes_retransmitted',
    type: 'counter',
    unit: 'By',
    help: 'Payload sent again',
  },
  connectionsCreated: {
    prometheus: 'tcp_connections_created_total',
    openTelemetry: 'grpc.tcp.connections_created',
    type: 'counter',
    unit: '{connection}',
    help: 'Connections opened or accepted',
  },
  connectionCount: {
    prometheus: 'tcp_connections',
    openTelemetry: 'grpc.tcp.connection_count',
    type: 'gauge',
    unit: '{connection}',
    help: 'Open connections',
  },
  // Of this package.
  bytesReceived: {
    prometheus: 'tcp_received_bytes_total',
    openTelemetry: 'socket_options.tcp.bytes_received',
    type: 'counter',
    unit: 'By',
    help: 'Payload received in order',
  },
  bytesUnsentAtClose: {
    prometheus: 'tcp_unsent_at_close_bytes_total',
    openTelemetry: 'socket_options.tcp.bytes_unsent_at_close',
    type: 'counter',
    unit: 'By',
    help: 'Payload that still waited in the kernel when its connection was closed: sent later, or never',
  },
  rtt: {
    prometheus: 'tcp_rtt_seconds',
    openTelemetry: 'socket_options.tcp.rtt',
    type: 'histogram',
    unit: 's',
    help: 'Smoothed round-trip time, at each sample of a connection',
    bounds: ROUND_TRIPS,
  },
  rttPercentiles: {
    prometheus: 'tcp_connection_rtt_seconds',
    openTelemetry: 'socket_options.tcp.connection.rtt',
    type: 'level',
    unit: 's',
    help: 'Percentiles of the smoothed round-trip time over the open connections, within 3 %',
    label: { prometheus: 'percentile', openTelemetry: 'socket_options.percentile' },
  },
  connectionsByState: {
    prometheus: 'tcp_connections_by_state',
    openTelemetry: 'socket_options.tcp.connection.states',
    type: 'gauge',
    unit: '{connection}',
    help: 'Open connections by their state in the kernel',
    label: STATE,
  },
  connectionProblems: {
    prometheus: 'tcp_connection_problems',
    openTelemetry: 'socket_options.tcp.connection.problems',
    type: 'gauge',
    unit: '{connection}',
    help: 'Open connections with a problem, as diagnoseConnections() names it',
    label: { prometheus: 'problem', openTelemetry: 'socket_options.problem' },
  },
  closeWaitByAge: {
    prometheus: 'tcp_close_wait_connections',
    openTelemetry: 'socket_options.tcp.connection.close_wait',
    type: 'gauge',
    unit: '{connection}',
    help: 'Connections that the peer has closed and the program has not, by the time since then',
    label: { prometheus: 'age', openTelemetry: 'socket_options.age' },
  },
  unboundedWrites: {
    prometheus: 'tcp_unbounded_write_connections',
    openTelemetry: 'socket_options.tcp.connection.unbounded_writes',
    type: 'gauge',
    unit: '{connection}',
    help: 'Open connections without a user timeout and without supervision: a write to a lost peer can hang for minutes',
  },
  bytesUnread: {
    prometheus: 'tcp_unread_bytes',
    openTelemetry: 'socket_options.tcp.bytes_unread',
    type: 'gauge',
    unit: 'By',
    help: 'Payload that waits in the kernel until the program reads it',
  },
  bytesUnsent: {
    prometheus: 'tcp_unsent_bytes',
    openTelemetry: 'socket_options.tcp.bytes_unsent',
    type: 'gauge',
    unit: 'By',
    help: 'Payload that waits in the kernel until it can be sent',
  },
  deadPeers: {
    prometheus: 'tcp_dead_peers_total',
    openTelemetry: 'socket_options.tcp.dead_peers',
    type: 'counter',
    unit: '{connection}',
    help: 'Connections that supervision ended because the peer was dead',
  },
  deadPeerSilence: {
    prometheus: 'tcp_dead_peer_silence_seconds',
    openTelemetry: 'socket_options.tcp.dead_peer.silence',
    type: 'histogram',
    unit: 's',
    help: 'How long a dead peer had been silent when its connection was ended',
    bounds: SILENCES,
  },
  heartbeatsLate: {
    prometheus: 'tcp_heartbeats_late_total',
    openTelemetry: 'socket_options.tcp.heartbeats_late',
    type: 'counter',
    unit: '{heartbeat}',
    help: 'Silences of a peer that exceeded the middle of interval and timeout of its heartbeat',
  },
  heartbeatsDead: {
    prometheus: 'tcp_heartbeats_dead_total',
    openTelemetry: 'socket_options.tcp.heartbeats_dead',
    type: 'counter',
    unit: '{heartbeat}',
    help: 'Peers that a heartbeat declared dead',
  },
  // Of the measurement itself.
  samples: {
    prometheus: 'tcp_samples_total',
    openTelemetry: 'socket_options.tcp.samples',
    type: 'counter',
    unit: '{sample}',
    help: 'Samples of connections',
  },
  samplesFailed: {
    prometheus: 'tcp_samples_failed_total',
    openTelemetry: 'socket_options.tcp.samples_failed',
    type: 'counter',
    unit: '{sample}',
    help: 'Samples that failed: what these connections did since their last sample is not counted',
  },
  callbackErrors: {
    prometheus: 'tcp_metrics_callback_errors_total',
    openTelemetry: 'socket_options.tcp.callback_errors',
    type: 'counter',
    unit: '{error}',
    help: 'Calls of the functions peer and filter, and of the meter, that threw or returned a wrong value',
    label: { prometheus: 'callback', openTelemetry: 'socket_options.callback' },
    isGlobal: true,
  },
} as const satisfies Readonly<Record<string, Metric>>;

type Metrics = typeof metrics;
export type MetricName = keyof Metrics;

/** The names of the metrics of one type, with a label or without. */
type NamesOf<Type extends Metric['type'], Labelled extends boolean> = {
  [Name in MetricName]: Metrics[Name] extends { readonly type: Type }
    ? Metrics[Name] extends { readonly label: Label }
      ? Labelled extends true
        ? Name
        : never
      : Labelled extends true
        ? never
        : Name
    : never;
}[MetricName];

/** Metrics that are one number for each peer group. */
export type NumberName = NamesOf<'counter' | 'gauge', false>;
export type HistogramName = NamesOf<'histogram', false>;

export const metricTable: Readonly<Record<MetricName, Metric>> = metrics;
export const metricNames = Object.keys(metrics) as readonly MetricName[];
