// The system calls that tuneSockets() costs, recorded by strace(1).

import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, expect, type TestContext, test } from 'vitest';

const withoutStrace: string | undefined = (() => {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `strace does not run here: ${String((error as Error).message).trim()}`;
  }
})();
beforeEach(({ skip }: TestContext) => skip(withoutStrace !== undefined, withoutStrace));

/** The calls between two marks of the fixture, as `name OPTION` or `open path`. */
const calls: Record<string, string[]> = {};

beforeAll(async () => {
  if (withoutStrace !== undefined) return;
  const { stderr } = await promisify(execFile)(
    'strace',
    [
      ...['-f', '-qq', '-e', 'signal=none', '-e', 'trace=setsockopt,getsockopt,access,openat'],
      ...[process.execPath, join(__dirname, '../fixtures/tuned-syscalls.mjs')],
    ],
    { timeout: 60_000, maxBuffer: 2 ** 26 },
  );
  let mark = '';
  for (const line of stderr.split('\n')) {
    mark = /access\("\/mark\/([^"]+)"/.exec(line)?.[1] ?? mark;
    const call = /\b([gs]etsockopt)\(\d+, \w+, (\w+)/.exec(line);
    // malloc(3) of glibc reads how many processors there are, when two threads wait for each other.
    const opened = /openat\(\w+, "(?!\/sys\/devices\/system\/cpu\/online")([^"]+)"/.exec(line);
    calls[mark] ??= [];
    if (call) calls[mark]?.push(`${call[1]} ${call[2]}`);
    if (opened) calls[mark]?.push(`open ${opened[1]}`);
  }
});

test('a connection reads no file, and each side sets its values once', () => {
  const { connection = [] } = calls;
  expect(connection.filter((call) => call.startsWith('open'))).toEqual([]);
  for (const name of ['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE']) {
    expect(connection.filter((call) => call === `setsockopt ${name}`)).toHaveLength(2);
  }
});

test('a request of an agent that keeps its connection costs no system call for options', () => {
  expect(calls.requests).toEqual([]);
});
