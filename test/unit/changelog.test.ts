// scripts/changelog.mjs, which `npm run release` runs.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = join(__dirname, '../../scripts/changelog.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'socket-options-changelog-'));
  writeFileSync(join(folder, 'package.json'), '{ "version": "1.2.0" }');
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(changelog: string, ...flags: string[]) {
  const file = join(folder, 'CHANGELOG.md');
  writeFileSync(file, changelog);
  const { status, stderr } = spawnSync(process.execPath, [script, ...flags, folder]);
  return { status, stderr: String(stderr), changelog: readFileSync(file, 'utf8') };
}

const UNRELEASED = '# Changelog\n\n## Unreleased\n\n- A change.\n\n## 1.1.0\n\n- An old one.\n';

test('gives the changes the heading of the version and keeps "Unreleased" for the next ones', () => {
  const { status, changelog } = run(UNRELEASED);
  expect(status).toBe(0);
  expect(changelog).toMatch(
    /^# Changelog\n\n## Unreleased\n\n## 1\.2\.0 \(\d{4}-\d\d-\d\d\)\n\n- A change\.\n\n## 1\.1\.0\n/,
  );
});

test('--check writes nothing', () => {
  expect(run(UNRELEASED, '--check')).toEqual({ status: 0, stderr: '', changelog: UNRELEASED });
});

test.each([
  ['without a change', UNRELEASED.replace('- A change.\n', ''), /has no change under/],
  ['without the heading', UNRELEASED.replace('## Unreleased\n', ''), /has no heading/],
  ['with the version already', UNRELEASED.replace('1.1.0', '1.2.0'), /has a heading "## 1\.2\.0"/],
])('fails %s', (_, changelog, message) => {
  const result = run(changelog);
  expect(result.status).toBe(1);
  expect(result.stderr).toMatch(message);
  expect(result.changelog).toBe(changelog);
});
