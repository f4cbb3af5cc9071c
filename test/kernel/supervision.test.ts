// The events of supervised sockets on the real kernel, in states in which Node itself gets no event. All states, round-trip
// times and faults are in test/lanes/promise/.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type DeadPeerDetails, explainDisconnect, setDeadPeerTimeout } from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { inNamespace, withoutNamespace } from '../support/namespace';
import { fdOf, listen } from '../support/net';
import { onLinux } from '../support/platform';
import { getInt } from '../support/reference-addon';

const TIMEOUT = 4_000;

interface Seen {
  readonly events: readonly {
    readonly event: 'error' | 'end' | 'close';
    readonly code?: string;
    /** In milliseconds after the loss of the peer. */
    readonly at: number;
  }[];
  readonly message?: string;
  readonly error?: NodeJS.ErrnoException & {
    readonly deadPeer?: DeadPeerDetails;
    readonly tcpInfo?: { readonly state: string };
  };
}

interface Report {
  /** In milliseconds: how late a timer of that process was at most. */
  readonly lateness: number;
  readonly scenes: Readonly<Record<string, Seen & Record<string, unknown>>>;
}

describe('a supervised socket', () => {
  let report: Report;

  beforeAll(async () => {
    if (withoutNamespace !== undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'socket-options-'));
    const { key, cert } = certificate();
    writeFileSync(join(folder, 'key.pem'), key);
    writeFileSync(join(folder, 'cert.pem'), cert);
    report = await inNamespace<Report>('dead-peers/supervised.mjs', folder);
    rmSync(folder, { recursive: true });
  }, 120_000);

  const scene = (name: string) => report.scenes[name] as Seen & Record<string, unknown>;
  const kinds = (seen: Seen) => seen.events.map(({ event }) => event);

  test.for([
    'idle',
    'core has switched keepalive off',
    'TLS client',
    'TLS over a supervised socket',
    'TLS handshake that does not end',
    'TLS server',
    'http2 session',
    'connection of a server, paused',
    'tuned while connecting',
  ])('fails within the timeout: %s', (name, { skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    const seen = scene(name);
    expect(kinds(seen)).toEqual(['error', 'close']);
    expect(seen.events[0]?.code).toBe('ETIMEDOUT');
    expect(seen.events[0]?.at).toBeLessThan(TIMEOUT + 250 + report.lateness);
    expect(seen.error?.deadPeer?.unanswered).toBeGreaterThanOrEqual(3);
  });

  test('has an error like that of the kernel, with the last counters', ({ skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    const { error, message } = scene('idle');
    expect(error).toMatchObject({ errno: -110, code: 'ETIMEDOUT', syscall: 'read' });
    expect(error?.deadPeer?.timeout).toBe(TIMEOUT);
    expect(error?.tcpInfo?.state).toBe('ESTABLISHED');
    expect(explainDisconnect(Object.assign(new Error(message), error)).peer).toBe('vanished');
  });

  test('is bounded while it connects', ({ skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    const { events, error, message, port } = scene('connecting');
    expect(events[0]?.at).toBeLessThan(TIMEOUT + 250 + report.lateness);
    expect(message).toBe(`connect ETIMEDOUT 127.0.0.1:${port}`);
    expect(error).toMatchObject({
      code: 'ETIMEDOUT',
      syscall: 'connect',
      address: '127.0.0.1',
      port,
    });
  });

  test('fails after a reset that came while it was paused, and never ends cleanly', ({ skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    const seen = scene('reset while paused');
    expect(kinds(seen)).toEqual(['error', 'close']);
    expect(seen.events[0]?.code).toBe('ECONNRESET');
  });

  test('keeps the unread data of a connection that both sides have closed', ({ skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    const seen = scene('both FINs through, data unread');
    expect(kinds(seen)).toEqual(['end', 'close']);
    expect(seen.bytes).toBe(30_000);
  });

  test('survives a living peer that does not read for three timeouts', ({ skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    expect(scene('living peer that does not read')).toMatchObject({
      events: [],
      destroyed: false,
      bytes: 10_000_000,
    });
  });

  test('is left alone after setDeadPeerTimeout(socket, null)', ({ skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    expect(scene('no longer supervised')).toMatchObject({ events: [], keepAlive: false });
  });

  test('leaves supervision when it is sent to another process', ({ skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    expect(scene('sent to another process')).toMatchObject({ answer: 'has it' });
    expect(
      scene('sent to another process').events.filter(({ event }) => event === 'error'),
    ).toEqual([]);
  });

  test('fails together with 999 others', ({ skip }) => {
    skip(withoutNamespace !== undefined, withoutNamespace);
    expect(scene('a thousand peers at once')).toMatchObject({ codes: ['ETIMEDOUT'], count: 1_000 });
  });
});

test('supervision does not keep the process running', () => {
  const path = join(__dirname, '../fixtures/dead-peers/unreferenced.mjs');
  // A process that runs on is killed, and this throws.
  const output = execFileSync(process.execPath, [path], { encoding: 'utf8', timeout: 60_000 });
  expect(output).toBe('ready');
});

test('the connections of a tuned server inherit the values', async (context) => {
  onLinux('connections inherit the values of the listening socket')(context);
  const server = net.createServer();
  const port = await listen(server);
  const plan = setDeadPeerTimeout(server, 60_000);
  const client = net.connect(port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  expect(getInt(fdOf(accepted), 6, 4)).toBe(12);
  expect(getInt(fdOf(accepted), 1, 9)).toBe(1);
  expect(plan.supervised).toBe(true);
  client.destroy();
  accepted.destroy();
  server.close();
});
