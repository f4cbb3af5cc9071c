// The registry and the connection table of Windows, and tuneSockets() on real sockets.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  getSysctl,
  getSystemDefaults,
  listConnections,
  listConnectionsAsync,
  tuneSockets,
} from '../../../dist/index.js';
import { fdOf, listen, withPair } from '../../support/net';
import {
  getInt,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from '../../support/reference-addon';

const KEY = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters';

/** Sets a value in the registry while `use` runs, and removes it again. */
function withRegistry(name: string, value: number, use: () => void): void {
  const reg = (...args: string[]) => execFileSync('reg.exe', args, { stdio: 'ignore' });
  reg('add', KEY, '/v', name, '/t', 'REG_DWORD', '/d', String(value), '/f');
  try {
    use();
  } finally {
    reg('delete', KEY, '/v', name, '/f');
  }
}

const commandLine = (...args: string[]) =>
  JSON.parse(
    execFileSync(
      process.execPath,
      [join(__dirname, '../../../dist/cli/main.js'), ...args, '--json'],
      {
        encoding: 'utf8',
      },
    ),
  );

describe('the registry', () => {
  test.each([
    ['KeepAliveTime', 'keepAliveInitialDelay', 7_200_000, 300_000],
    ['KeepAliveInterval', 'keepAliveInterval', 1_000, 5_000],
    ['TcpMaxDataRetransmissions', 'retransmissions', 5, 9],
  ] as const)(
    '%s is the value in the registry, otherwise built in',
    (name, member, builtin, value) => {
      const absent = { value: builtin, source: 'builtin', name, scope: 'machine' };
      const present = { value, source: 'registry', name, scope: 'machine' };
      expect(getSystemDefaults()[member]).toMatchObject(absent);
      expect(getSysctl(name)).toMatchObject({ value: null, source: 'registry' });
      withRegistry(name, value, () => {
        expect(getSystemDefaults()[member]).toMatchObject(present);
        expect(getSysctl(name)).toMatchObject({ value: String(value), source: 'registry' });
        expect(commandLine('defaults')[member]).toMatchObject(present);
      });
      expect(getSystemDefaults()[member]).toMatchObject(absent);
    },
  );
});

describe('the table of connections', () => {
  test('lists both ends of a connection and the listening socket', async () => {
    await withPair(async ({ client, accepted, server }) => {
      const { port } = server.address() as net.AddressInfo;
      const ends = (connections: readonly { state: string | null; localPort: number }[]) =>
        connections.map(({ state, localPort }) => [state, localPort]).sort();
      const expected = [
        ['ESTABLISHED', client.localPort],
        ['ESTABLISHED', accepted.localPort],
        ['LISTEN', port],
      ].sort();
      expect(ends(listConnections({ port }))).toEqual(expected);
      expect(ends(await listConnectionsAsync({ port }))).toEqual(expected);
      expect(ends(listConnections({ port, state: 'LISTEN' }))).toEqual([['LISTEN', port]]);
      const [one] = listConnections({ localPort: client.localPort as number });
      expect(one).toMatchObject({
        localAddress: '127.0.0.1',
        remoteAddress: '127.0.0.1',
        remotePort: port,
        tcpInfo: null,
        timer: null,
      });
      expect(ends(commandLine('connections', '--port', String(port), '--all'))).toEqual(expected);
    });
  });
});

test('tuneSockets() tunes opened and accepted sockets', async () => {
  const held = (socket: net.Socket) =>
    [
      [SOL_SOCKET, SO_KEEPALIVE],
      [IPPROTO_TCP, TCP_KEEPIDLE],
      [IPPROTO_TCP, TCP_KEEPINTVL],
      [IPPROTO_TCP, TCP_KEEPCNT],
    ].map(([level, name]) => getInt(fdOf(socket), level as number, name as number));
  const options = (seconds: number) => ({
    keepAlive: true,
    keepAliveInitialDelay: seconds * 1_000,
    keepAliveInterval: 3_000,
    keepAliveCount: 4,
  });
  const errors: unknown[] = [];
  const tuning = tuneSockets({
    client: options(21),
    server: options(22),
    onError: (error) => errors.push(error),
  });
  const server = net.createServer();
  const port = await listen(server);
  const connect = async () => {
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const client = net.connect(port, '127.0.0.1');
    await once(client, 'connect');
    return [client, (await accepted)[0]] as const;
  };
  const [client, accepted] = await connect();
  expect([held(client), held(accepted)]).toEqual([
    [1, 21, 3, 4],
    [1, 22, 3, 4],
  ]);
  tuning.close();
  const [later] = await connect();
  expect(held(later)[0]).toBe(0);
  expect(errors).toEqual([]);
  for (const socket of [client, accepted, later]) socket.destroy();
  server.close();
});
