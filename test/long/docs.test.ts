// docs/tcp-state.md documents every field, and the examples of the pages run.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getTcpInfo } from '../../dist/index.js';
import { examplesOf } from '../support/docs';
import { needsNamespace, UNSHARE } from '../support/namespace';
import { listen } from '../support/net';
import { onLinux } from '../support/platform';

const page = readFileSync(join(__dirname, '../../docs/tcp-state.md'), 'utf8');

test('every field has a row in tcp-state.md, and each row has a field', async () => {
  const server = net.createServer();
  await listen(server);
  const fields = Object.keys(getTcpInfo(server));
  server.close();
  const documented = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] as string).matchAll(/`(\w+)`/g)])
    .map(([, name]) => name as string);
  expect(documented.sort()).toEqual(fields.sort());
});

/** Examples assume an open connection. */
const PRELUDE = `
import net from 'node:net';
import { once } from 'node:events';
const server = net.createServer();
await once(server.listen(0, '127.0.0.1'), 'listening');
const socket = net.connect(server.address().port, '127.0.0.1');
await once(socket, 'connect');
`;

/** Gives listeners and connections of an example time to fail. */
const END = `
setTimeout(() => process.exit(0), 200);
`;

test.each([
  ['../README.md', PRELUDE],
  ['README.md', ''],
  ['faq.md', PRELUDE],
  ['functions.md', PRELUDE],
  ['migration.md', PRELUDE],
  ['options.md', PRELUDE],
  ['tcp-state.md', ''],
  ['diagnostics.md', PRELUDE],
  ['incidents.md', PRELUDE],
  ['dead-peers.md', PRELUDE],
  ['drivers.md', ''],
  ['pools.md', ''],
  ['heartbeats.md', PRELUDE],
  ['metrics.md', PRELUDE],
])('every example of %s runs', { timeout: 120_000 }, (name, prelude) => {
  const examples = examplesOf(`docs/${name}`);
  expect(examples.length).toBeGreaterThanOrEqual(1);
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-docs-'));
  try {
    examples.forEach((code, index) => {
      const file = join(folder, `${index}.mjs`);
      // An example that creates its own connections needs no prelude.
      const given = code.includes("from 'node:net'") ? '' : prelude;
      const end = prelude === '' ? '' : END;
      // Another program may have the port.
      writeFileSync(file, given + code.replace('port: 8080', 'port: 0') + end);
      const env = { ...process.env, HOST: '127.0.0.1', PORT: '0' };
      execFileSync(process.execPath, [file], { timeout: 50_000, stdio: 'pipe', env });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** In a namespace, where it may mark packets, and where a server has the port of the examples. */
const IN_NAMESPACE = `
const { createServer } = await import('node:net');
const { execFileSync } = await import('node:child_process');
execFileSync('ip', ['link', 'set', 'lo', 'up']);
await new Promise((listening) => {
  createServer((socket) => socket.on('error', () => {}).resume()).listen(8080, listening);
});
`;

test('every example of before-connect.md runs', { timeout: 120_000 }, (context) => {
  onLinux('options before the first packet')(context);
  needsNamespace(context);
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-docs-'));
  try {
    for (const code of examplesOf('docs/before-connect.md')) {
      const file = join(folder, 'example.mjs');
      writeFileSync(file, IN_NAMESPACE + code + END);
      const command = [...UNSHARE, process.execPath, file];
      const { status, stderr } = spawnSync('unshare', command, { timeout: 50_000 });
      expect([status, String(stderr)], code).toEqual([0, '']);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
