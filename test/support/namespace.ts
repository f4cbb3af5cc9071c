// Runs programs in a new network namespace: as root, or in a user namespace if the system allows that.

import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';

const isRoot = process.getuid?.() === 0;

/** Options of unshare(1) for a network and a mount namespace. */
export const UNSHARE = isRoot
  ? ['--net', '--mount']
  : ['--user', '--map-root-user', '--net', '--mount'];

/** Why no namespace can be made here; `undefined` if it can. */
export const withoutNamespace: string | undefined = (() => {
  try {
    execFileSync('unshare', [...UNSHARE, 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no private network namespace here: ${String((error as Error).message).trim()}`;
  }
})();

/** For `beforeEach`: skips a test, with the reason, if no namespace can be made. */
export function needsNamespace({ skip }: TestContext): void {
  skip(withoutNamespace !== undefined, withoutNamespace);
}

/** Longer than any fixture takes. */
const TIMEOUT = 150_000;
/** More than any program reports. */
const MAX_BUFFER = 64 << 20;

/** Runs a fixture in a new network namespace and returns the JSON that it prints. */
export async function inNamespace<Report>(fixture: string, ...args: string[]): Promise<Report> {
  return runInNamespace<Report>(join(__dirname, '../fixtures', fixture), args, TIMEOUT);
}

/** Runs a program of Node in a new network namespace and returns the JSON that it prints. */
export async function runInNamespace<Report>(
  path: string,
  args: readonly string[],
  timeout: number,
): Promise<Report> {
  const { stdout } = await commandInNamespace([process.execPath, path, ...args], timeout);
  return JSON.parse(stdout) as Report;
}

/** Runs a command in a new network namespace. */
export async function commandInNamespace(
  command: readonly string[],
  timeout = TIMEOUT,
): Promise<{ stdout: string; stderr: string }> {
  const options = { timeout, killSignal: 'SIGKILL', maxBuffer: MAX_BUFFER } as const;
  return promisify(execFile)('unshare', [...UNSHARE, ...command], options);
}
