// Runs a program of examples/, as a user does.

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';

export const examples = join(__dirname, '../../examples');

/** A running program. */
export interface Program {
  /** Waits until the output matches. Throws, with the output, if the program ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Waits until the program has ended. */
  ended(): Promise<{ readonly status: number | null; readonly output: string }>;
  /** Ends it, as Ctrl-C does. */
  interrupt(): void;
}

/** Starts a command. `closers` gets what ends it. */
export function startProgram(
  closers: (() => void)[],
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Program {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const changes = new EventEmitter();
  let output = '';
  let status: number | null | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      changes.emit('change');
    });
  }
  child.on('close', (code) => {
    status = code;
    changes.emit('change');
  });
  closers.push(() => child.kill('SIGKILL'));
  return {
    async until(pattern) {
      for (;;) {
        const found = pattern.exec(output);
        if (found !== null) return found[1] ?? found[0];
        if (status !== undefined) throw new Error(`ended without ${pattern}:\n${output}`);
        await once(changes, 'change');
      }
    },
    async ended() {
      while (status === undefined) await once(changes, 'change');
      return { status, output };
    },
    interrupt: () => void child.kill('SIGINT'),
  };
}

/** Starts a program of examples/. */
export const startExample = (closers: (() => void)[], name: string, ...args: string[]): Program =>
  startProgram(closers, process.execPath, [join(examples, name), ...args]);
