// docs/tcp-state.md documents every field, and the examples of the pages run.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getTcpInfo } from '../../dist/index.js';
import { examplesOf } from '../support/docs';
import { listen } from '../support/net';

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
  ['tcp-state.md', ''],
  ['dead-peers.md', PRELUDE],
  ['drivers.md', ''],
  ['pools.md', ''],
  ['heartbeats.md', PRELUDE],
])('every example of %s runs', (name, prelude) => {
  const examples = examplesOf(`docs/${name}`);
  expect(examples.length).toBeGreaterThanOrEqual(1);
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-docs-'));
  try {
    examples.forEach((code, index) => {
      const file = join(folder, `${index}.mjs`);
      // An example that creates its own connections needs no prelude.
      const given = code.includes("from 'node:net'") ? '' : prelude;
      const end = prelude === '' ? '' : END;
      writeFileSync(file, given + code + end);
      const env = { ...process.env, HOST: '127.0.0.1', PORT: '0' };
      execFileSync(process.execPath, [file], { timeout: 10_000, stdio: 'pipe', env });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
