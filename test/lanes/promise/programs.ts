// Runs the programs of this lane: compiles the relay, and passes a request by a file.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { certificate } from '../../support/certificate';
import { runInNamespace, withoutNamespace } from '../../support/namespace';

const { PROMISE_FULL, PROMISE_SEED, PROMISE_TRACE } = process.env;

export const isFull = PROMISE_FULL === '1';
export const seed = Number(PROMISE_SEED ?? 1);

/** Why the programs cannot run here; `undefined` if they can. */
export const withoutPrograms: string | undefined =
  withoutNamespace ??
  whyNot('no TUN devices', 'test', '-w', '/dev/net/tun') ??
  whyNot('no C compiler', 'cc', '--version');

function whyNot(reason: string, command: string, ...args: string[]): string | undefined {
  try {
    execFileSync(command, args, { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${reason} here`;
  }
}

/** For `beforeEach`: skips a test, with the reason, if the programs cannot run. */
export function needsPrograms({ skip }: TestContext): void {
  skip(withoutPrograms !== undefined, withoutPrograms);
}

export interface Programs {
  /** Where the programs record what the kernel reports of each connection: trace.mjs. */
  readonly traceFile: string;
  /** Runs a program of this folder and returns its report. */
  run<Report>(program: string, request: object, timeout: number): Promise<Report>;
  remove(): void;
}

export function preparePrograms(): Programs {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-promise-'));
  const relay = join(folder, 'relay');
  const sources = join(__dirname, 'relay');
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
  execFileSync('cc', ['-O2', '-Wall', '-o', relay, ...files.map((name) => join(sources, name))]);
  const traceFile = PROMISE_TRACE ?? join(folder, 'trace.jsonl');
  const common = { relay, seed, certificate: certificate(), traceFile };
  let count = 0;
  return {
    traceFile,
    run(program, request, timeout) {
      const file = join(folder, `request-${++count}.json`);
      writeFileSync(
        file,
        JSON.stringify({ ...common, run: `${process.pid}.${count}`, ...request }),
      );
      return runInNamespace(join(__dirname, program), [file], timeout);
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
