// The public entry 'socket-options/metrics'. Neither prom-client nor OpenTelemetry is needed or imported.

export type { TcpMetricsOptions } from './metrics/metrics-options';
export type { OpenTelemetryMeter } from './metrics/open-telemetry';
export type { PromClientRegistry } from './metrics/prom-client';
export { TcpMetrics, type TextOptions } from './metrics/tcp-metrics';
