// socket-options connections with real connections over loopback.

import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { getOption, setKeepAlive } from '../../dist/index.js';
import type { Group } from '../../lib/cli/view/group-table';
import type { Connection } from '../../lib/connections/connection';
import { inNamespace, needsNamespace } from '../support/namespace';
import { listen, withPair } from '../support/net';
import { onLinux } from '../support/platform';
import { needsPty, play } from '../support/terminal';

const main = join(__dirname, '../../dist/cli/main.js');
const command = (...args: string[]) => [process.execPath, main, 'connections', ...args];

async function run(...args: string[]): Promise<string> {
  const [program = '', ...rest] = command(...args);
  const { stdout, stderr } = await promisify(execFile)(program, rest);
  expect(stderr).toBe('');
  return stdout;
}

/** The connections that `--json` prints. */
const json = async (...args: string[]) => JSON.parse(await run('--json', ...args)) as Connection[];

describe.concurrent('on Linux', () => {
  beforeEach(onLinux('netlink'));
  test('shows both ends of a connection and their keepalive timers', () =>
    withPair(async ({ client, accepted }) => {
      setKeepAlive(client, { enable: true, initialDelay: 60_000 });
      const lines = (await run('--port', String(client.localPort))).split('\n');
      expect(lines[0]).toMatch(/^ {2}STATE +LOCAL +PEER +ALIVE +RTT .*TIMER$/);
      const here = `127.0.0.1:${client.localPort}`;
      const there = `127.0.0.1:${accepted.localPort}`;
      const facts = '\\d\\.\\d s +\\d+\\.\\d+ ms';
      const end = (ends: string, timer: string) =>
        expect.stringMatching(new RegExp(`^ {2}ESTABLISHED +${ends} +${facts} +${timer}$`));
      expect(lines).toContainEqual(end(`${here} +${there}`, 'first probe in 5\\d s'));
      expect(lines).toContainEqual(end(`${there} +${here}`, 'off'));
      // No connection without that port.
      const others = lines.filter((line) => line.includes('127.0.0.1') && !line.includes(here));
      expect(others).toEqual([]);
    }));

  test('--json prints the kernel state and the cookie of a connection', () =>
    withPair(async ({ client, accepted }) => {
      client.write('hello');
      await once(accepted, 'data');
      const ports = [client.localPort, accepted.localPort];
      // Another program may have a connection with one of the two ports, but not with both.
      const found = (await json('--port', String(client.localPort), '--process')).filter((one) =>
        [one.localPort, one.remotePort].every((port) => ports.includes(port)),
      );
      const mine = found.find(({ localPort }) => localPort === client.localPort);
      expect(found).toHaveLength(2);
      expect(mine).toMatchObject({
        family: 'IPv4',
        state: 'ESTABLISHED',
        localAddress: '127.0.0.1',
        remoteAddress: '127.0.0.1',
        remotePort: accepted.localPort,
        cookie: getOption(client, 'cookie'),
        tcpInfo: { state: 'ESTABLISHED', bytesSent: 5 },
        owners: [{ pid: process.pid }],
        problems: [{ problem: 'no-keepalive', severity: 'info' }],
      });
    }));

  test('filters by state, port and address', () =>
    withPair(async ({ client, accepted }) => {
      const port = ['--port', String(client.localPort)];
      const ports = [client.localPort, accepted.localPort];
      const sizes = [
        ['--state', 'estab'],
        ['--state', 'close-wait'],
        ['--local', '127.0.0.0/8'],
        ['--local', '10.0.0.0/8'],
        ['--remote', '127.0.0.1', '--all'],
        ['--remote', '::1'],
      ].map(async (args) => {
        const listed = await json(...port, ...args);
        // A connection of another program may have the same port.
        return listed.filter((one) =>
          [one.localPort, one.remotePort].every((each) => ports.includes(each)),
        ).length;
      });
      expect(await Promise.all(sizes)).toEqual([2, 0, 2, 0, 2, 0]);
    }));

  test('counts listening sockets, and shows them with --all', async () => {
    const server = net.createServer();
    const port = String(await listen(server));
    try {
      // An earlier connection with the same port may still be in TIME-WAIT.
      expect(await run('--port', port)).toMatch(
        /^No connections\.\n\nLeft out: 1 LISTEN(, \d+ TIME-WAIT)? \(--all shows them\)\.\n$/,
      );
      expect(await run('--port', port, '--all')).toMatch(
        new RegExp(`^ {2}LISTEN +127\\.0\\.0\\.1:${port} +accept queue 0/\\d+$`, 'm'),
      );
      expect(await json('--port', port, '--state', 'LISTEN')).toHaveLength(1);
    } finally {
      server.close();
    }
  });

  test('reports a leak of connections in CLOSE-WAIT by process', async () => {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const port = await listen(server);
    const accepted: net.Socket[] = [];
    server.on('connection', (socket) => accepted.push(socket));
    const clients = Array.from({ length: 3 }, () => net.connect(port, '127.0.0.1').end());
    try {
      await Promise.all(clients.map((client) => once(client, 'finish')));
      await expect.poll(() => accepted.length).toBe(3);
      const output = await run('--port', String(port), '--process');
      expect(output).toMatch(/^ {2}CLOSE-WAIT .*\(\d+\)$/m);
      expect(output.replaceAll('\n', ' ')).toMatch(
        new RegExp(
          `[^!] 3 connections of \\S.* \\(${process.pid}\\) are in CLOSE-WAIT: the peer has closed`,
        ),
      );
    } finally {
      for (const socket of [...clients, ...accepted]) socket.destroy();
      server.close();
    }
  });

  test('selects connections by peer, keepalive and problems, and counts groups', () =>
    withPair(async ({ client, accepted }) => {
      setKeepAlive(client, { enable: true, initialDelay: 60_000 });
      const port = ['--port', String(client.localPort)];
      const ports = async (...args: string[]) =>
        (await json(...port, ...args))
          .filter((one) => [one.localPort, one.remotePort].includes(accepted.localPort as number))
          .map(({ localPort }) => localPort);
      expect(await ports('--no-keepalive')).toEqual([accepted.localPort]);
      expect(await ports('--problems', 'no-keepalive')).toEqual([accepted.localPort]);
      expect(await ports('--problems')).toEqual([]);
      expect(await ports('--peer', '127.0.0.0/8')).toHaveLength(2);
      expect(await ports('--peer', '10.0.0.0/8')).toEqual([]);
      const [group] = JSON.parse(await run(...port, '--group-by', 'peer', '--json'));
      expect(group).toMatchObject({ group: '127.0.0.1', marked: 0, unread: 0, unacked: 0 });
      expect(group.connections).toBe(group.states.ESTABLISHED);
      expect(group.medianRtt).toBeGreaterThan(0);
    }));

  test('marks connections whose peer vanished, idle with keepalive and with data in flight', async (context) => {
    needsNamespace(context);
    const { output, idle, busy } = await inNamespace<{
      output: string;
      idle: number;
      busy: number;
    }>('half-open.mjs');
    const words = output.replaceAll('\n', ' ');
    expect(output).toMatch(
      new RegExp(`^! ESTABLISHED +127\\.0\\.0\\.1:${idle} .* probe [3-9] in `, 'm'),
    );
    expect(words).toMatch(
      new RegExp(`:${idle} - \\S+: the peer may be gone: [2-8] keepalive probes are unanswered`),
    );
    expect(output).toMatch(
      new RegExp(`^! ESTABLISHED +127\\.0\\.0\\.1:${busy} .* retransmission [4-7] in`, 'm'),
    );
    expect(words).toMatch(
      new RegExp(`:${busy} - \\S+: the peer may be gone: [3-6] retransmissions are unanswered`),
    );
    // The other ends are not suspects: they do not wait for an answer.
    expect(output.match(/^! ESTABLISHED/gm)).toHaveLength(2);
  });

  test('answers the questions of an incident with real peers', async (context) => {
    needsNamespace(context);
    const runs = {
      all: [],
      problems: ['--problems', '--json'],
      dead: ['--problems', 'half-open', '--json', '--fail-on-problems'],
      peers: ['--group-by', 'peer', '--json'],
      unguarded: ['--no-keepalive', '--state', 'established', '--json'],
      largest: ['--sort', 'unacked', '--limit', '1', '--json'],
      processes: ['--group-by', 'process', '--state', 'close-wait'],
      healthy: ['--peer', '192.0.2.9', '--fail-on-problems', '--json'],
    };
    const outputs = await inNamespace<{ status: number; stdout: string; stderr: string }[]>(
      'cli-incident.mjs',
      JSON.stringify(Object.values(runs)),
    );
    const named = Object.fromEntries(
      Object.keys(runs).map((name, index) => [name, outputs[index]]),
    ) as Record<keyof typeof runs, { status: number; stdout: string; stderr: string }>;
    for (const { stderr } of outputs) expect(stderr).toBe('');
    const peersOf = (name: keyof typeof runs) =>
      (JSON.parse(named[name].stdout) as Connection[]).map(
        ({ remoteAddress, remotePort }) => `${remoteAddress}:${remotePort}`,
      );
    const dead = Array<string>(4).fill('192.0.2.7:5432');
    expect(peersOf('problems')).toEqual([...dead, '192.0.2.11:9000']);
    expect([named.dead.status, peersOf('dead')]).toEqual([3, dead]);
    expect(peersOf('unguarded')).toEqual(['192.0.2.9:6379']);
    expect(peersOf('largest')).toEqual(['192.0.2.11:9000']);
    expect(named.healthy.status).toBe(0);
    const groups = JSON.parse(named.peers.stdout) as Group[];
    expect(groups.map(({ group, marked, problems }) => ({ group, marked, problems }))).toEqual([
      { group: '192.0.2.7', marked: 4, problems: { 'half-open': 4 } },
      { group: '192.0.2.11', marked: 1, problems: { 'window-closed': 1 } },
      { group: '192.0.2.20', marked: 0, problems: { 'close-wait': 4 } },
      { group: '192.0.2.9', marked: 0, problems: { 'no-keepalive': 1 } },
    ]);
    expect(named.processes.stdout).toMatch(/^ {2}node \(\d+\) +4 +4 close-wait +.*4 CLOSE-WAIT$/m);
    const text = named.all.stdout.replaceAll('\n', ' ');
    expect(text).toContain("192.0.2.11:9000: the peer's program does not read: ");
    expect(text).toMatch(/[^!] 4 connections on local port 8080 are in CLOSE-WAIT: the peer/);
    expect(text).toContain('11 connections: 7 ESTABLISHED, 4 CLOSE-WAIT. Left out: 1 LISTEN');
    expect(named.all.stdout.match(/^! ESTABLISHED/gm)).toHaveLength(5);
  });

  test('shows the connections of other users without privilege, and only their processes are missing', async (context) => {
    context.skip(process.getuid?.() !== 0, 'only root can become another user');
    const nobody = { uid: 65_534, gid: 65_534, encoding: 'utf8' } as const;
    const { status } = spawnSync(process.execPath, [main, '--version'], nobody);
    context.skip(status !== 0, 'another user may not read this folder');
    await withPair(async ({ client }) => {
      const args = ['--process', '--json', '--port', `${client.localPort}`];
      const [program = '', ...rest] = command(...args);
      const { stdout } = await promisify(execFile)(program, rest, nobody);
      const mine = (JSON.parse(stdout) as Connection[]).find(
        ({ localPort }) => localPort === client.localPort,
      );
      expect(mine).toMatchObject({ state: 'ESTABLISHED', owners: null, problems: [{}] });
    });
  });

  test('--watch updates the table in a terminal until q is pressed', (context) => {
    needsPty(context);
    return withPair(async ({ client }) => {
      const here = `127.0.0.1:${client.localPort}`;
      const port = String(client.localPort);
      const { output, status, modesRestored } = await play(
        command('--watch', '--interval', '0.2', '--port', port),
        [
          ['until', '▁▁'],
          ['type', 'q'],
          ['end', 5],
        ],
        { columns: 120 },
      );
      expect({ status, modesRestored }).toEqual({ status: 0, modesRestored: true });
      expect(output).toContain(`ESTABLISHED  ${here} `);
      expect(output).toMatch(/[2-9] ESTABLISHED/);
    });
  });
});
