// What the kernel finds in the memory that it is given, and what is made of whatever it answers: by a
// getsockopt(2) of the test's own (fixtures/getsockopt-probe.c) between the addon and the kernel's.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, type TestContext, test } from 'vitest';

const compiler = process.env.CC ?? 'cc';
const withoutPreload: string | undefined = (() => {
  if (process.platform !== 'linux') return 'LD_PRELOAD is of Linux';
  return spawnSync(compiler, ['--version']).status === 0 ? undefined : `no ${compiler} here`;
})();

beforeEach(({ skip }: TestContext) => skip(withoutPreload !== undefined, withoutPreload));

type Answer = string | number | { name: string; code: string; message: string };
let answers: Record<string, Answer>;
let complaints: string;
let folder: string | undefined;

beforeAll(() => {
  if (withoutPreload !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'getsockopt-probe-'));
  const library = join(folder, 'getsockopt-probe.so');
  const source = join(__dirname, '../fixtures/getsockopt-probe.c');
  execFileSync(compiler, ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  // First, so that the addon is its caller: under AddressSanitizer that is preloaded too.
  const preload = [library, process.env.LD_PRELOAD].filter(Boolean).join(':');
  const sanitizer = [process.env.ASAN_OPTIONS, 'verify_asan_link_order=0']
    .filter(Boolean)
    .join(':');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(__dirname, '../fixtures/getsockopt-probe.cjs'), require.resolve('../../dist/index.js')],
    {
      env: { ...process.env, LD_PRELOAD: preload, ASAN_OPTIONS: sanitizer },
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  if (status !== 0) throw new Error(stderr);
  answers = JSON.parse(stdout);
  complaints = stderr;
}, 90_000);

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

test('the memory that the kernel writes to contains only zeros, also behind a raw read', () => {
  expect(complaints).toBe('');
});

describe('getRawOption', () => {
  test('returns an int without a length, for 4 bytes or 1 byte', () => {
    expect(answers['4 undefined']).toBe(0x2a2a2a2a);
    expect(answers['1 undefined']).toBe(0x2a);
  });

  test.for([0, 2, 3])('throws without a length if the kernel wrote %i bytes', (written) => {
    expect(answers[`${written} undefined`]).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringMatching(
        new RegExp(`"length" argument must be given for 32343/${written}.*wrote ${written} bytes`),
      ),
    });
  });

  test('returns only the written bytes with a length', () => {
    for (const [option, length, bytes] of [
      [0, 0, 0],
      [0, 64, 0],
      [1, 64, 1],
      [3, 4, 3],
      [4, 64, 4],
      [4, 16_356, 4],
      [4, 1, 1],
    ]) {
      expect(answers[`${option} ${length}`], `${option} ${length}`).toBe(
        '2a'.repeat(bytes as number),
      );
    }
  });

  test('never returns bytes beyond the length, whatever length the kernel reports', () => {
    for (const [option, written] of [
      [1004, 4],
      [1064, 64],
      [2004, 4],
    ] as const) {
      for (const length of [0, 1, 4, 64]) {
        const filled = Math.min(written, length);
        const expected = '2a'.repeat(filled) + '00'.repeat(length - filled);
        expect(answers[`${option} ${length}`], `${option} ${length}`).toBe(expected);
      }
      // The buffer had 16 356 bytes; for the first two, the kernel reported 1 004 and 1 064.
      const length = { 1004: 1_004, 1064: 1_064, 2004: 16_356 }[option];
      const answer = answers[`${option} 16356`] as string;
      expect(answer).toBe('2a'.repeat(written) + '00'.repeat(length - written));
    }
  });
});
