// docs/diagnostics.md has each problem with its severities and numbers, and each channel.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { channels } from '../../lib/core/channels';

const page = readFileSync(join(__dirname, '../../docs/diagnostics.md'), 'utf8');
const types = readFileSync(join(__dirname, '../../lib/connections/problem.ts'), 'utf8');
const rowOf = (name: string) =>
  page.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`));

test('each problem has a row, and each row is a problem', () => {
  const [block = ''] = /begin: problems[\s\S]*end: problems/.exec(page) ?? [];
  const rows = [...block.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  const codes = [...types.matchAll(/^ {2}\| '([\w-]+)'/gm)].map(([, name]) => name);
  expect(rows.toSorted()).toEqual(codes.toSorted());
  expect(codes.length).toBeGreaterThan(5);
});

test('each channel has a row', () => {
  for (const { name } of Object.values(channels)) expect(rowOf(String(name))).toHaveLength(1);
});
