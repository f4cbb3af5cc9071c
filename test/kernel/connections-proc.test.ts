// Lists of connections where netlink is refused by a seccomp filter, compared with those of netlink and ss(8).

import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { listConnections, setKeepAlive } from '../../dist/index.js';
import type { Connection, ConnectionFilter } from '../../lib/connections/connection';
import { main } from '../support/command-line';
import { listen, withPair } from '../support/net';
import { onLinux } from '../support/platform';

const fixture = (name: string) => join(__dirname, '../fixtures/connections', name);
const [EPERM, EACCES, EAFNOSUPPORT, ENOSYS] = [1, 13, 97, 38];

/** A command that may not use netlink. */
const refused = (error: number, ...command: string[]): [string, string[]] => [
  'python3',
  [fixture('without-netlink.py'), String(error), ...command],
];

const withoutSeccomp = (() => {
  const [program, args] = refused(EPERM, 'true');
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? undefined : `no seccomp filter here: ${error?.message ?? stderr.trim()}`;
})();
function needsSeccomp(context: TestContext): void {
  onLinux('/proc/net/tcp')(context);
  context.skip(withoutSeccomp !== undefined, withoutSeccomp);
}

async function listWithout(filter: ConnectionFilter, error = EPERM): Promise<Connection[]> {
  const [program, args] = refused(
    error,
    ...[process.execPath, fixture('print-list.mjs'), JSON.stringify(filter)],
  );
  let lists: Record<'list' | 'slices', Connection[]>;
  // Once more if a connection of another test came or went between the two lists: it may have one of these ports.
  for (let attempt = 1; ; attempt++) {
    const { stdout } = await promisify(execFile)(program, args);
    lists = JSON.parse(stdout);
    if (lists.slices.length === lists.list.length || attempt === 5) break;
  }
  const { list, slices } = lists;
  expect(slices.length).toBe(list.length);
  return list;
}

/** What both sources have. */
function common(connections: readonly Connection[]) {
  return connections
    .map(({ family, state, localAddress, localPort, remoteAddress, remotePort, ...more }) => {
      const { receiveQueue, sendQueue, uid, inode, timer, problems } = more;
      return {
        ends: `${family} ${state} ${localAddress} ${localPort} ${remoteAddress} ${remotePort}`,
        ...{ receiveQueue, uid, inode, sendQueue: state === 'LISTEN' ? null : sendQueue },
        timer: timer && { kind: timer.kind, count: timer.count },
        problems: problems?.map(({ problem }) => problem),
      };
    })
    .sort((a, b) => (a.ends < b.ends ? -1 : 1));
}

describe('without netlink', () => {
  beforeEach(needsSeccomp);

  test.each(Object.entries({ EPERM, EACCES, EAFNOSUPPORT, ENOSYS }))(
    'refused with %s, the list has the same sockets, states, queues, timers and problems',
    (_, error) =>
      withPair(async ({ client, accepted }) => {
        setKeepAlive(client, { enable: true, initialDelay: 60_000 });
        accepted.pause();
        client.write('unread');
        // Not the port alone: a closed connection of an earlier test may still have it.
        const filter: ConnectionFilter & { problems: true } = {
          ...{ port: client.localPort as number, state: 'ESTABLISHED', problems: true },
        };
        // Until the bytes are acknowledged.
        await expect
          .poll(() => listConnections(filter).map(({ timer }) => timer?.kind))
          .toContain('keepalive');
        const listed = await listWithout(filter, error);
        expect(common(listed)).toEqual(common(listConnections(filter)));
        const mine = listed.find(({ localPort }) => localPort === client.localPort);
        expect(mine).toMatchObject({
          ...{ cookie: null, interfaceIndex: null, mptcp: null, congestionControl: null },
          ...{ tcpInfo: null, timer: { kind: 'keepalive', count: 0 }, uid: process.getuid?.() },
        });
        // The delay, with the resolution of the file.
        expect(mine?.timer?.expires).toBeGreaterThan(40_000);
        expect(mine?.timer?.expires).toBeLessThanOrEqual(60_010);
      }),
  );

  test('IPv6, IPv4-mapped and listening sockets, owners and ownProcess are as with netlink', async () => {
    const server = net.createServer((socket) => socket.on('error', () => {}));
    const port = await listen(server, '::');
    const clients = ['::1', '127.0.0.1'].map((host) => net.connect(port, host));
    try {
      await Promise.all(clients.map((client) => once(client, 'connect')));
      const filter = { port, owners: true };
      const listed = await listWithout(filter);
      const wanted = listConnections(filter);
      expect(common(listed)).toEqual(common(wanted));
      expect(listed.map(({ remoteAddress }) => remoteAddress)).toContain('::ffff:127.0.0.1');
      const owners = (list: readonly Connection[]) =>
        list.map(({ inode, owners }) => [inode, owners]).sort();
      expect(owners(listed)).toEqual(owners(wanted));
      expect(await listWithout({ port, ownProcess: true })).toEqual([]);
      for (const prefix of ['127.0.0.0/8', '::1/128', '10.0.0.0/8']) {
        const narrow = { port, remoteAddress: prefix };
        expect(common(await listWithout(narrow)), prefix).toEqual(common(listConnections(narrow)));
      }
    } finally {
      for (const client of clients) client.destroy();
      server.close();
    }
  });

  test('has the sockets that ss(8) has', () =>
    withPair(async ({ client }) => {
      const port = client.localPort as number;
      const { stdout } = await promisify(execFile)('ss', [
        ...['-tanH', `( sport = :${port} or dport = :${port} )`],
      ]);
      const ends = stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).slice(3, 5).join(' '));
      const listed = (await listWithout({ port })).map(
        (one) => `${one.localAddress}:${one.localPort} ${one.remoteAddress}:${one.remotePort}`,
      );
      expect(listed.sort()).toEqual(ends.sort());
    }));

  test('metrics have no samples of what the file does not show, and the command line refuses to look for it', () =>
    withPair(async () => {
      const runRefused = (...args: string[]) => {
        const [program, rest] = refused(EPERM, process.execPath, main, ...args);
        const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
        return { status, stdout, stderr };
      };
      const { stdout } = runRefused('metrics');
      const codes = [...stdout.matchAll(/connection_problems\{problem="([\w-]+)"\}/g)].map(
        ([, code]) => code,
      );
      expect(codes).toEqual(['half-open', 'handshake-unanswered', 'close-wait', 'no-keepalive']);
      expect(stdout).not.toMatch(/^tcp_namespace_rtt_seconds\{/m);
      expect(runRefused('connections', '--problems', 'accept-queue-full')).toEqual({
        ...{ status: 1, stdout: '' },
        stderr: expect.stringMatching(/^socket-options: accept-queue-full cannot be found here: /),
      });
    }));

  test('the command line says what is missing and why, and shows timers and queues', () =>
    withPair(async ({ client }) => {
      setKeepAlive(client, { enable: true, initialDelay: 60_000 });
      const args = [main, 'connections', '--port', String(client.localPort)];
      const [program, rest] = refused(EPERM, process.execPath, ...args);
      const { stdout } = await promisify(execFile)(program, rest);
      expect(stdout).toMatch(
        /^ {2}ESTABLISHED +127\.0\.0\.1:\d+ +127\.0\.0\.1:\d+ .*first probe in 5\d s$/m,
      );
      expect(stdout.replaceAll('\n', ' ')).toContain(
        'This system refuses netlink, so the list comes from /proc/net/tcp: when peers last answered, round-trip times, retransmission totals and bytes are missing.',
      );
    }));
});
