// docs/tcp-state.md says something of every field, and the examples of the pages are programs.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { getTcpInfo } from '../dist/index.js';
import { listen } from './support/net';

const page = readFileSync(join(__dirname, '../docs/tcp-state.md'), 'utf8');

test('every field has a row, and nothing else has', async () => {
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

/** What examples take for given: an open connection, to a server of its own. */
const PRELUDE = `
import net from 'node:net';
import { once } from 'node:events';
const server = net.createServer();
await once(server.listen(0, '127.0.0.1'), 'listening');
const socket = net.connect(server.address().port, '127.0.0.1');
await once(socket, 'connect');
`;

test.each([
  ['tcp-state.md', ''],
  ['dead-peers.md', PRELUDE],
  ['drivers.md', ''],
])('every example of %s runs', (name, prelude) => {
  const text = readFileSync(join(__dirname, '../docs', name), 'utf8');
  const examples = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code as string);
  expect(examples.length).toBeGreaterThanOrEqual(1);
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-docs-'));
  try {
    examples.forEach((code, index) => {
      const file = join(folder, `${index}.mjs`);
      const face = JSON.stringify(pathToFileURL(join(__dirname, '../dist/index.js')));
      const end = prelude === '' ? '' : '\nprocess.exit(0);\n';
      writeFileSync(file, prelude + code.replaceAll("'socket-options'", face) + end);
      execFileSync(process.execPath, [file], { timeout: 10_000, stdio: 'pipe' });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
