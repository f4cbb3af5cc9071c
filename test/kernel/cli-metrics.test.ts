// socket-options metrics: once, and by HTTP.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import type { Connection } from '../../dist';
import { familiesOf } from '../../lib/cli/commands/metrics';
import normal from '../fixtures/connection.json';
import { main, run } from '../support/command-line';
import { seriesOf } from '../support/metrics-text';
import { listen, withPair } from '../support/net';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

test('prints metrics once', async () => {
  const { status, stdout, stderr } = await withPair(() => run(['metrics']));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const series = seriesOf(stdout);
  expect(series.get('tcp_namespace_connections{state="established"}')).toBeGreaterThanOrEqual(2);
  expect(series.get('tcp_namespace_connections{state="listen"}')).toBeGreaterThanOrEqual(1);
});

test('serves metrics to Prometheus, in the format that is asked for', async () => {
  const { url } = await start();
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(seriesOf(await response.text()).size).toBeGreaterThan(10);
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';
  const open = await fetch(`${url}/metrics`, { headers: { accept } });
  expect(open.headers.get('content-type')).toContain('application/openmetrics-text');
  expect((await open.text()).endsWith('# EOF\n')).toBe(true);
  expect((await fetch(`${url}/other`)).status).toBe(404);
  const many = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/metrics?a`)));
  expect(many.map(({ status }) => status)).toEqual(Array(20).fill(200));
});

test('answers one of the requests that a client sends at once, and closes', async () => {
  const { url } = await start();
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(500));
  let text = '';
  socket.setEncoding('latin1').on('data', (part) => {
    text += part;
  });
  await once(socket, 'close');
  expect(text.match(/HTTP\/1\.1 \d+ /g)).toEqual(['HTTP/1.1 200 ']);
  expect((await fetch(url)).status).toBe(200);
});

test('fails if the port is taken', async () => {
  const server = net.createServer();
  closers.push(() => server.close());
  const port = await listen(server);
  const { status, stderr } = await run(['metrics', '--port', `${port}`]);
  expect(status).toBe(1);
  expect(stderr).toContain('EADDRINUSE');
});

test.each([
  [['--port', '0'], "--port '0' is not a whole number from 1 to 65535"],
  [['--port', 'http'], "--port 'http' is not a whole number from 1 to 65535"],
  [['--host', '::1'], '--host needs --port'],
])('refuses %j', async (args, message) => {
  const { status, stderr } = await run(['metrics', ...args]);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});

test('counts states, problems and bytes of made-up connections', () => {
  const connection = normal as unknown as Connection;
  const problem = { severity: 'info', numbers: {}, message: '' } as const;
  const families = familiesOf(
    [
      { ...connection, problems: [{ ...problem, problem: 'half-open' }], receiveQueue: 5 },
      { ...connection, problems: [], sendQueue: 7 },
      { ...connection, state: 'CLOSE-WAIT', problems: null, receiveQueue: null },
      // The queues of a listening socket are connections, not bytes.
      { ...connection, state: 'LISTEN', problems: [], receiveQueue: 100, tcpInfo: null },
    ],
    'linux',
  );
  const values = Object.fromEntries(
    families.flatMap(({ name, points }) =>
      points.map(({ labels, value }) => [[name, ...Object.values(labels)].join(' '), value]),
    ),
  );
  expect(values).toMatchObject({
    'tcp_namespace_connections established': 2,
    'tcp_namespace_connections close_wait': 1,
    'tcp_namespace_connections listen': 1,
    'tcp_namespace_connection_problems half-open': 1,
    'tcp_namespace_rtt_seconds 50': 0.0015,
    tcp_namespace_unread_bytes: 5,
    tcp_namespace_unacknowledged_bytes: 7,
  });
});

test.each([
  ['linux', {}, 8, 3],
  // /proc/net/tcp.
  ['linux', { interfaceIndex: null, tcpInfo: null }, 4, 2],
  // gVisor.
  ['linux', { interfaceIndex: null, tcpInfo: null, receiveQueue: null, sendQueue: null }, 1, 0],
  ['darwin', { interfaceIndex: null, tcpInfo: null }, 2, 2],
  ['win32', { interfaceIndex: null, tcpInfo: null, receiveQueue: null, sendQueue: null }, 1, 0],
] as const)(
  'on %s with %j there is no sample of what is not reported',
  (platform, more, codes, rest) => {
    const connection = { ...(normal as unknown as Connection), problems: [], ...more };
    const points = (name: string) =>
      familiesOf([connection], platform).find((family) => family.name.endsWith(name))?.points ?? [];
    expect(points('connection_problems')).toHaveLength(codes);
    expect(points('connection_problems').map(({ labels }) => labels.problem)).toContain(
      'close-wait',
    );
    const bytes = [...points('unread_bytes'), ...points('unacknowledged_bytes')].length;
    expect(bytes).toBe(Math.min(rest, 2));
  },
);

/** Starts the exporter on a free port. */
async function start(): Promise<{ url: string }> {
  const server = net.createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  const child = spawn(process.execPath, [main, 'metrics', '--port', `${port}`]);
  closers.push(() => child.kill());
  const [line] = await once(createInterface(child.stdout), 'line');
  expect(line).toBe(`metrics are at http://127.0.0.1:${port}/metrics`);
  return { url: `http://127.0.0.1:${port}` };
}
