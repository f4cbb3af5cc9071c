// socket-options connections with real connections over loopback.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { getOption, setKeepAlive } from '../../dist/index.js';
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
          `! 3 connections of \\S.* \\(${process.pid}\\) are in CLOSE-WAIT: the peer has closed`,
        ),
      );
    } finally {
      for (const socket of [...clients, ...accepted]) socket.destroy();
      server.close();
    }
  });

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
      new RegExp(`:${idle} - \\S+: half-open\\? [2-8] keepalive probes unanswered`),
    );
    expect(output).toMatch(
      new RegExp(`^! ESTABLISHED +127\\.0\\.0\\.1:${busy} .* retransmission [4-6] in`, 'm'),
    );
    expect(words).toMatch(new RegExp(`:${busy} - \\S+: half-open\\? [3-5] retransmissions unansw`));
    // The other ends are not suspects: they do not wait for an answer.
    expect(output.match(/^! ESTABLISHED/gm)).toHaveLength(2);
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
      expect(output).toMatch(/2 ESTABLISHED/);
    });
  });
});
