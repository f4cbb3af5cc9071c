// socket-options metrics: the connections of this network namespace as metrics for Prometheus, once or by HTTP: an exporter for
// programs that are not Node's. socket-options/metrics measures the connections of a program more closely.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ProblemCode } from '../../connections/problem';
import { problemCodes, unreadBytesOf } from '../../connections/problems';
import { undetectableProblems } from '../../connections/undetectable-problems';
import { type Connection, listConnectionsAsync, type TcpState, tcpStates } from '../../index';
import {
  contentTypes,
  type ExpositionFormat,
  exposeText,
  type Family,
} from '../../metrics/exposition';
import { numberOf } from '../arguments';
import { messageOf, UsageError, type Values } from '../command';
import { toPrintable } from '../view/text';

export const summary = 'print metrics of all connections, or serve them to Prometheus';

export const help = `Usage: socket-options metrics [options]

Prints metrics of the TCP connections of this system (on Linux: of this network
namespace), in the text format of Prometheus: connections by state, problems,
percentiles of round-trip times, and bytes that wait. It sees every program. A
program of Node measures its own connections more closely with
socket-options/metrics. What this system does not report has no sample: where
netlink is refused, full accept queues and lossy paths, for example.

  --port <number>  serve them by HTTP on this port, each time anew: 1 to 65535
  --host <name>    the address or host name to listen on (default: 127.0.0.1;
                   needs --port)

Ctrl-C ends the server. Anybody who can reach it can read the numbers: they name
no address and no program.

Examples:
  socket-options metrics
  socket-options metrics --port 9464
  socket-options metrics --port 9464 --host 0.0.0.0

Exit codes: 0 success, 1 the connections could not be listed or the port not be
opened, 2 wrong arguments.
`;

export const options = {
  port: { type: 'string' },
  host: { type: 'string' },
} as const;

export async function run({ port, host }: Values<typeof options>): Promise<void> {
  if (port === undefined) {
    if (host !== undefined) throw new UsageError('--host needs --port');
    process.stdout.write(exposeText(familiesOf(await listAll()), 'prometheus'));
    return;
  }
  const number = numberOf('--port', port, [1, 65_535], 'whole number');
  // Node would listen on every address.
  if (host === '') throw new UsageError('--host is empty');
  await serve(number, host ?? '127.0.0.1');
}

/** In milliseconds. */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
};
/** In milliseconds. */
const SLOWEST_READER = 30_000;

async function serve(port: number, host: string): Promise<void> {
  const asked = new WeakSet<Socket>();
  const server = createServer(LIMITS, (request, response) => {
    const { socket } = request;
    // Pipelined requests get no answer. maxRequestsPerSocket would answer each of them with 503.
    if (asked.has(socket)) return;
    asked.add(socket);
    socket.pause();
    // The first answer closes the connection.
    response.setHeader('connection', 'close');
    void answer(request, response);
  });
  server.maxConnections = 100;
  // It does not read its answer.
  server.setTimeout(SLOWEST_READER, (socket) => socket.destroy());
  server.listen(port, host);
  await once(server, 'listening');
  const { address, port: opened } = server.address() as AddressInfo;
  const name = address.includes(':') ? `[${address}]` : address;
  process.stdout.write(`metrics are at http://${name}:${opened}/metrics\n`);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split('?', 1)[0];
  if (path !== '/' && path !== '/metrics') {
    response.writeHead(404, PLAIN).end('metrics are at /metrics\n');
    return;
  }
  try {
    const families = familiesOf(await listOnce());
    const format = formatFor(request.headers.accept);
    response.writeHead(200, { 'content-type': contentTypes[format] });
    response.end(exposeText(families, format));
  } catch (error) {
    response.writeHead(500, PLAIN).end(`${toPrintable(messageOf(error))}\n`);
  }
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8' };

function formatFor(accept = ''): ExpositionFormat {
  return accept.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
}

/** The list that is being made. */
let pending: Promise<Connection[]> | undefined;

/** Requests at the same time share a list. */
function listOnce(): Promise<Connection[]> {
  pending ??= listAll().finally(() => {
    pending = undefined;
  });
  return pending;
}

const listAll = () => listConnectionsAsync({ problems: true });

const PERCENTILES = [50, 90, 99] as const;

/** Returns the metrics of a list of connections. What its source does not report has no sample: 0 would be a claim. */
export function familiesOf(
  connections: readonly Connection[],
  platform: string = process.platform,
): Family[] {
  const isOpen = ({ state }: Connection) => state !== 'LISTEN';
  const open = connections.filter(isOpen);
  const [first] = connections;
  const undetectable = first === undefined ? [] : undetectableProblems(first, platform);
  const detectable = problemCodes.filter((code) => !undetectable.includes(code));
  const rtts = open
    .flatMap(({ tcpInfo }) => tcpInfo?.rtt ?? [])
    .sort((a, b) => a - b)
    .map((milliseconds) => milliseconds / 1_000);
  return [
    gauge('tcp_namespace_connections', 'Connections and listening sockets by state', [
      ...tcpStates.map((state) => point({ state: labelOf(state) }, count(connections, state))),
    ]),
    gauge('tcp_namespace_connection_problems', 'Connections with a problem', [
      ...detectable.map((problem) => point({ problem }, countProblem(connections, problem))),
    ]),
    gauge('tcp_namespace_rtt_seconds', 'Percentiles of the smoothed round-trip time', [
      ...PERCENTILES.flatMap((percent) => {
        const rtt = rtts[Math.max(0, Math.ceil((percent / 100) * rtts.length) - 1)];
        return rtt === undefined ? [] : [point({ percentile: `${percent}` }, rtt)];
      }),
    ]),
    gauge(
      'tcp_namespace_unread_bytes',
      'Bytes that programs have not read',
      total(open, unreadBytesOf),
    ),
    gauge(
      'tcp_namespace_unacknowledged_bytes',
      'Bytes that peers have not acknowledged',
      total(open, ({ sendQueue }) => sendQueue),
    ),
  ];
}

const gauge = (name: string, help: string, points: Family['points']): Family => ({
  ...{ name, type: 'gauge', help, points },
});

const point = (labels: Readonly<Record<string, string>>, value: number) => ({ labels, value });

/** As the semantic conventions of OpenTelemetry write states: `close_wait`. */
const labelOf = (state: TcpState) => state.toLowerCase().replaceAll('-', '_');

const count = (connections: readonly Connection[], state: TcpState) =>
  connections.filter((connection) => connection.state === state).length;

const countProblem = (connections: readonly Connection[], code: ProblemCode) =>
  connections.filter(({ problems }) => problems?.some(({ problem }) => problem === code)).length;

/** The sum; no point if the system reports the number of no connection. */
function total(
  connections: readonly Connection[],
  pick: (connection: Connection) => number | null,
): Family['points'] {
  const known = connections.flatMap((connection) => pick(connection) ?? []);
  if (known.length === 0 && connections.length > 0) return [];
  return [
    point(
      {},
      known.reduce((sum, bytes) => sum + bytes, 0),
    ),
  ];
}
