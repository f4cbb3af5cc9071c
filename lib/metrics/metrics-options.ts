// The options of TcpMetrics, and their validation.

import type { Socket } from 'node:net';
import { validateFunction, validateNumber, validateOptions } from '../core/validate';
import type { Grouping } from './peer-groups';

/** Options of {@link TcpMetrics}. */
export interface TcpMetricsOptions {
  /**
   * How often each connection is sampled, in milliseconds: after a random 10 % to 110 % of it, as gRPC's proposal A80
   * says. 100 to 86 400 000. Samples come at multiples of a 32nd of it. Default: 15 000.
   */
  readonly interval?: number | undefined;
  /**
   * Names the peer group of a connection, for the label `peer`: `(socket) => names.get(socket.remotePort) ?? 'other'`.
   * Default: there is no such label. It is called once for each connection, when it is connected, before the listeners
   * of the program. The socket has its addresses then. It must return a string of 1 to 64 printable characters. If it
   * throws or returns anything else, the connection belongs to `'other'`, and `tcp_metrics_callback_errors_total`
   * counts it.
   *
   * Each group has 107 time series. Never return something that is different for each connection.
   */
  readonly peer?: ((socket: Socket) => string) | undefined;
  /**
   * Returns whether a connection is measured. Called once, before `peer`. If it throws or does not return a boolean, the
   * connection is measured, and `tcp_metrics_callback_errors_total` counts it. Default: all connections are.
   */
  readonly filter?: ((socket: Socket) => boolean) | undefined;
  /** The most names of `peer` that get a group of their own: 1 to 10 000. Later ones belong to `'other'`. Default: 100. */
  readonly maxPeers?: number | undefined;
}

/** The options after validation. */
export interface ValidatedOptions extends Grouping {
  readonly interval: number;
}

const MEMBERS = ['interval', 'peer', 'filter', 'maxPeers'] as const;

/** In milliseconds. */
const SHORTEST_INTERVAL = 100;
const LONGEST_INTERVAL = 86_400_000;

export function validateMetricsOptions(options: TcpMetricsOptions): ValidatedOptions {
  const {
    interval = 15_000,
    peer,
    filter,
    maxPeers = 100,
  } = validateOptions(options, 'options', MEMBERS);
  validateNumber(interval, 'options.interval', {
    ...{ min: SHORTEST_INTERVAL, max: LONGEST_INTERVAL, milliseconds: true },
  });
  if (peer !== undefined) validateFunction(peer, 'options.peer');
  if (filter !== undefined) validateFunction(filter, 'options.filter');
  validateNumber(maxPeers, 'options.maxPeers', { integer: true, min: 1, max: 10_000 });
  return { interval, peer, filter, maxPeers };
}
