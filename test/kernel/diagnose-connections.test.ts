// diagnoseConnections() and listConnections({ problems: true }), of real connections.

import { once } from 'node:events';
import net from 'node:net';
import { beforeEach, expect, test } from 'vitest';
import { diagnoseConnections, listConnections } from '../../dist/index.js';
import { listen, withPair } from '../support/net';
import { onLinux } from '../support/platform';

beforeEach(onLinux('timers of connections'));

const portsOf = ({ localPort, remotePort }: net.Socket) =>
  ({ localPort, remotePort }) as { localPort: number; remotePort: number };

test('a connection has its problems, if the filter asks for them', async () => {
  await withPair(({ client }) => {
    const ports = portsOf(client);
    expect(listConnections(ports)[0]).toMatchObject({ problems: null, tcpInfo: null });
    const [one] = listConnections({ ...ports, problems: true });
    expect(one?.tcpInfo).not.toBeNull();
    expect(one?.problems).toMatchObject([{ problem: 'no-keepalive', severity: 'info' }]);
    client.setKeepAlive(true);
    expect(listConnections({ ...ports, problems: true })[0]?.problems).toEqual([]);
    expect(diagnoseConnections(ports)).toEqual([]);
  });
});

test('a connection that the peer has closed', async () => {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.end());
  const port = await listen(server);
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(client.resume(), 'end');
  const [diagnosis, ...more] = diagnoseConnections({ ...portsOf(client), state: 'CLOSE-WAIT' });
  expect(more).toEqual([]);
  expect(diagnosis).toMatchObject({
    ...{ problem: 'close-wait', severity: 'info' },
    connection: { state: 'CLOSE-WAIT', remotePort: port },
  });
  expect(diagnosis?.numbers.waitingFor).toBeGreaterThanOrEqual(0);
  client.destroy();
  server.close();
});

test('a full accept queue comes before what is less urgent', async () => {
  const server = net.createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const sockets: net.Socket[] = [];
  for (let i = 0; i < 4; i++) sockets.push(net.connect(port, '127.0.0.1').on('error', () => {}));
  // After Node has called connect(2), and before it polls: nobody accepts meanwhile.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const isFull = () => diagnoseConnections({ port })[0]?.problem === 'accept-queue-full';
  for (const end = performance.now() + 2_000; !isFull() && performance.now() < end; );
  const found = diagnoseConnections({ port });
  expect(found[0]).toMatchObject({
    problem: 'accept-queue-full',
    numbers: { waiting: 2, limit: 1 },
  });
  const ranks = ['critical', 'warning', 'info'];
  const severities = found.map(({ severity }) => ranks.indexOf(severity));
  expect(severities).toEqual(severities.toSorted());
  for (const socket of sockets) socket.destroy();
  server.close();
});

test.each([5, null, 'x', [], { ports: 1 }])('diagnoseConnections(%o) is refused', (filter) => {
  expect(() => diagnoseConnections(filter as never)).toThrow(/filter/);
});
