// docs/tcp-state.md says something of every field, and its examples are programs.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('every example runs', () => {
  const examples = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code as string);
  expect(examples.length).toBeGreaterThanOrEqual(4);
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-docs-'));
  try {
    examples.forEach((code, index) => {
      const file = join(folder, `${index}.mjs`);
      const face = JSON.stringify(join(__dirname, '../dist/index.js'));
      writeFileSync(file, code.replaceAll("'socket-options'", face));
      execFileSync(process.execPath, [file], { timeout: 10_000, stdio: 'pipe' });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
