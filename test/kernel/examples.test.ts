// The programs of examples/ run as users run them, and the kernel shows what they set. Those that need the server of a
// database or a driver: test/lanes/drivers/examples.test.ts.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { examples, startExample, startProgram } from '../support/example';
import { inNamespace, needsNamespace } from '../support/namespace';
import { listen } from '../support/net';
import { onLinux } from '../support/platform';

// Each test starts Node, some of them several times.
vi.setConfig({ testTimeout: 60_000 });
beforeEach(onLinux('ss(8) shows the timers'));

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Starts a server for an example to connect to. */
async function startServer(): Promise<{ port: string; accepted: Promise<net.Socket> }> {
  const server = net.createServer();
  const accepted = once(server, 'connection').then(([socket]) => socket as net.Socket);
  const port = await listen(server);
  closers.push(() => server.close());
  return { port: `${port}`, accepted };
}

async function connectTo(port: string): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port: Number(port) });
  closers.push(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/**
 * The time until the kernel sends the first keepalive probe, in seconds, of each connection that ss(8) selects. It prints
 * 3.664 s as "3.664ms", and two hours as "119min".
 */
function keepAliveTimers(filter: string): number[] {
  const lines = execFileSync('ss', ['-tnoH', filter], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [, time = '', unit] = /timer:\(keepalive,(\d+(?:\.\d+)?)(ms|sec),/.exec(line) ?? [];
    if (unit === undefined) throw new Error(`no keepalive of seconds: ${line}`);
    const isMilliseconds = unit === 'ms' && !time.includes('.');
    return isMilliseconds ? Number(time) / 1_000 : Number(time);
  });
}

/** A timeout of 20 s probes after 4 s of silence, one of 60 s after 12 s. */
function expectTimers(filter: string, longest: number): void {
  const timers = keepAliveTimers(filter);
  expect(timers).toHaveLength(1);
  for (const timer of timers) expect(timer).toBeLessThanOrEqual(longest);
}

test('one-socket.mjs: the kernel probes the socket, and the program ends with its peer', async () => {
  const { port, accepted } = await startServer();
  const program = startExample(closers, 'one-socket.mjs', '127.0.0.1', port);
  expect(await program.until(/fails within (.*) s\./)).toBe('20');
  await program.until(/connected to 127\.0\.0\.1\n/);
  expectTimers(`dport = :${port}`, 4);
  (await accepted).end('hello');
  const { status, output } = await program.ended();
  expect(output).toMatch(/received 5 bytes\nclosed\n$/);
  expect(status).toBe(0);
});

test('http-server.mjs: the kernel probes each client, and a reset is explained', async () => {
  const program = startExample(closers, 'http-server.mjs', '0');
  const port = await program.until(/listening on http:\/\/localhost:(\d+)\/\n/);
  const client = await connectTo(port);
  client.write('GET /path HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [answer] = await once(client, 'data');
  expect(`${answer}`).toMatch(/\r\n\r\nGET \/path\n$/);
  expectTimers(`sport = :${port}`, 12);
  const { localPort } = client;
  client.resetAndDestroy();
  await program.until(new RegExp(`port ${localPort}: .*no longer knows this connection`));
  program.interrupt();
  await program.ended();
});

describe('mqtt-broker.mjs', () => {
  /** CONNECT of MQTT 3.1.1, with a client identifier of ten bytes and the time that the device may be silent. */
  const connectPacket = (keepAlive: number) =>
    Buffer.concat([
      Buffer.from([0x10, 22, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, keepAlive, 0, 10]),
      Buffer.from('device-007'),
    ]);
  const CONNACK = Buffer.from([0x20, 2, 0, 0]);

  test('replaces the connection of a device that comes back, and ends a silent one', async () => {
    const program = startExample(closers, 'mqtt-broker.mjs', '0');
    const port = await program.until(/listening on port (\d+)\n/);
    const older = await connectTo(port);
    older.write(connectPacket(60));
    expect(await once(older, 'data')).toEqual([CONNACK]);
    expectTimers(`sport = :${port}`, 12);

    const newer = await connectTo(port);
    const packet = connectPacket(1);
    newer.setNoDelay().write(packet.subarray(0, 9));
    newer.write(packet.subarray(9));
    expect(await once(newer, 'data')).toEqual([CONNACK]);
    await program.until(/device-007: has a newer connection\ndevice-007: closed\n/);

    newer.write(Buffer.from([0xc0, 0]));
    expect(await once(newer, 'data')).toEqual([Buffer.from([0xd0, 0])]);
    await program.until(/sent nothing for as long as .*\ndevice-007: closed\n/);
  });

  test('survives bytes that are no MQTT', async () => {
    const program = startExample(closers, 'mqtt-broker.mjs', '0');
    const port = await program.until(/listening on port (\d+)\n/);
    const stranger = await connectTo(port);
    stranger.write(Buffer.from([0x10, 2, 0, 99, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff]));
    const device = await connectTo(port);
    device.write(connectPacket(60));
    expect(await once(device, 'data')).toEqual([CONNACK]);
  });
});

test('metrics.mjs: serves as many connections as ss(8) shows', async () => {
  const program = startExample(closers, 'metrics.mjs', '0');
  const url = await program.until(/listening on (http:.*)\n/);
  const { port } = new URL(url);
  await Promise.all([connectTo(port), connectTo(port)]);
  const agent = new http.Agent({ keepAlive: true });
  closers.push(() => agent.destroy());
  const text = await new Promise<string>((resolve, reject) => {
    const request = http.get(url, { agent }, async (response) => {
      resolve((await response.setEncoding('utf8').toArray()).join(''));
    });
    request.on('error', reject);
  });
  const filter = ['-tnH', 'state', 'established', `sport = :${port}`];
  const rows = execFileSync('ss', filter, { encoding: 'utf8' }).trim().split('\n');
  expect(rows).toHaveLength(3);
  expect(text).toContain('\ntcp_connections{peer="other"} 3\n');
  expect((await fetch(new URL('/', url))).status).toBe(404);
});

test('worker.mjs: the sockets of the worker are tuned', async () => {
  const { port, accepted } = await startServer();
  const program = startExample(closers, 'worker.mjs', '127.0.0.1', port);
  await program.until(/worker: connected; .* fails within 20 s\n/);
  expectTimers(`dport = :${port}`, 4);
  (await accepted).end();
  expect(await program.ended()).toMatchObject({
    status: 0,
    output: expect.stringMatching(/worker: ended\n$/),
  });
});

test('heartbeat-ws.mjs: ends a client that answers no ping, and keeps one that does', async () => {
  const program = startExample(closers, 'heartbeat-ws.mjs', '0', '1000');
  const url = await program.until(/listening on (ws:.*)\n/);
  const living = new WebSocket(url);
  const hanging = new WebSocket(url, { autoPong: false });
  closers.push(
    () => living.terminate(),
    () => hanging.terminate(),
  );
  hanging.on('error', () => {});
  await program.until(/answered after [\d.]+ ms\n/);
  await program.until(/dead \(silent\)\n/);
  await program.until(/closed with code 1006\n/);
  expect(living.readyState).toBe(WebSocket.OPEN);
});

describe('cron.sh', () => {
  const script = join(examples, 'cron.sh');
  const fake = join(__dirname, '../fixtures/connections.cjs');

  /** A command without spaces, as an installed one: the folder of this checkout may have spaces. */
  function commandFor(module: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'socket-options-cron-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const command = join(folder, 'socket-options');
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${module}' "$@"\n`, {
      mode: 0o755,
    });
    return command;
  }

  test('prints the half-open connections and the old ones in CLOSE-WAIT, and nothing else', async () => {
    const CONNECTIONS = `${commandFor(fake)} mixed connections`;
    const { status, output } = await startProgram(closers, script, [], { CONNECTIONS }).ended();
    expect(output).toBe(`\
192.0.2.1:5432 - 192.0.2.7:40002
  half-open: the peer may be gone: 6 retransmissions are unanswered, its last sign of life came 13 s ago
192.0.2.1:5432 - 192.0.2.8:40004
  close-wait: the peer has closed the connection, the program here has not for 1 min
  api (7)
`);
    expect(status).toBe(0);
  });

  test('prints nothing about a connection that has been in CLOSE-WAIT for a moment', async () => {
    const server = net.createServer({ allowHalfOpen: true });
    closers.push(() => server.close());
    const accepted = once(server, 'connection');
    const port = await listen(server);
    const client = await connectTo(`${port}`);
    const [socket] = await accepted;
    closers.push(() => socket.destroy());
    client.end();
    await once(socket.resume(), 'end');
    const filter = ['-tnH', 'state', 'close-wait', `sport = :${port}`];
    expect(execFileSync('ss', filter, { encoding: 'utf8' })).toContain(`:${port}`);

    const main = join(__dirname, '../../dist/cli/main.js');
    const CONNECTIONS = `${commandFor(main)} connections --port ${port}`;
    const program = startProgram(closers, script, [], { CONNECTIONS });
    expect(await program.ended()).toEqual({ status: 0, output: '' });
  });
});

describe('options before the first packet', () => {
  interface Ended {
    readonly status: number;
    readonly output: string;
  }

  interface Report {
    /** `syns`: how many with the mark nft(8) has counted. `socket`: the line of ss(8). */
    readonly mark: Ended & { readonly syns: number; readonly socket: string };
    readonly device: Ended & { readonly socket: string };
    readonly absent: Ended;
    /** The kernel's counters of SYNs with data. */
    readonly fastOpen: Ended & { readonly active: number; readonly passive: number };
  }

  test('mark.mjs, bind-to-device.mjs and fast-open.mjs set them in time', async (context) => {
    needsNamespace(context);
    const { mark, device, absent, fastOpen } = await inNamespace<Report>('examples.mjs');

    expect(mark.output).toBe('connected to 127.0.0.1 with mark 9\n');
    expect(mark).toMatchObject({
      status: 0,
      syns: 1,
      socket: expect.stringContaining('fwmark:0x9'),
    });

    expect(device.output).toBe('connected to 127.0.0.1 from 127.0.0.1 by lo\n');
    expect(device).toMatchObject({ status: 0, socket: expect.stringContaining('127.0.0.1%lo:') });
    expect(absent.output).toMatch(/^ENODEV: .*SO_BINDTODEVICE.*interface/);
    expect(absent.status).toBe(1);

    expect(fastOpen.output).toBe('first connection: an answer\nsecond connection: an answer\n');
    expect(fastOpen).toMatchObject({ status: 0, active: 1, passive: 1 });
  });
});

test('register-app.mjs: node tunes the sockets of a program that does not know this package', async () => {
  const { port, accepted } = await startServer();
  const args = ['--import', 'socket-options/register', join(examples, 'register-app.mjs')];
  const program = startProgram(closers, process.execPath, [...args, '127.0.0.1', port], {
    SOCKET_OPTIONS: '20s',
  });
  await program.until(/connected to 127\.0\.0\.1\n/);
  expectTimers(`dport = :${port}`, 4);
  (await accepted).end();
  expect(await program.ended()).toMatchObject({ status: 0 });
});
