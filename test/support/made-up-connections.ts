// Connections that no kernel has reported.

import { Survey } from '../../lib/cli/selection';
import type { Sample } from '../../lib/cli/view/live-table';
import type { Connection, ConnectionTimer } from '../../lib/connections/connection';
import { keepAliveByTimer, problemsOf } from '../../lib/connections/problems';
import type { TcpInfo } from '../../lib/tcp-info/tcp-info';
import normal from '../fixtures/connection.json';

/** An established, idle connection with a living peer, except for the given members; with its problems. */
export function make(more: Partial<Connection> = {}, info: Partial<TcpInfo> = {}): Connection {
  const { tcpInfo, ...rest } = normal as unknown as Connection;
  const connection = { ...rest, tcpInfo: { ...(tcpInfo as TcpInfo), ...info }, ...more };
  const keepAlive = keepAliveByTimer(connection, 'linux');
  return { ...connection, problems: problemsOf({ ...connection, keepAlive }) };
}

export const timer = (kind: ConnectionTimer['kind'], count: number, expires = 1_600) => ({
  timer: { kind, count, expires },
});

export const listener = (receiveQueue: number, sendQueue: number) =>
  make({
    ...{ state: 'LISTEN', localPort: 80, remoteAddress: '0.0.0.0', remotePort: 0 },
    ...{ receiveQueue, sendQueue, tcpInfo: null },
  });

export const many = (size: number, one: (index: number) => Connection) =>
  Array.from({ length: size }, (_, index) => one(index));

/** A selection of everything. */
export const everything = {
  ...{ filter: {}, hiddenStates: [], problems: null, withoutKeepAlive: false },
  ...{ sort: undefined, limit: Infinity },
} as const;

export function sampleWith(connections: readonly Connection[]): Sample {
  const survey = new Survey();
  for (const connection of connections) survey.admit(connection, everything);
  return { time: new Date(2026, 0, 2, 3, 4, 5), shown: connections, survey, selection: everything };
}
