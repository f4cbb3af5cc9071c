// Runs the command line in a separate process, as users do.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export const main = join(__dirname, '../../dist/cli/main.js');
const fixture = join(__dirname, '../fixtures/connections.cjs');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function node(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, LC_ALL: 'C.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}

/** Runs the command line until it ends, in a UTF-8 locale unless `env` sets another. */
export const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  node([main, ...args], env);

/** The same with the made-up connections of a scenario in test/fixtures/connections.cjs. */
export const runFaked = (scenario: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  node([fixture, scenario, ...args], env);

/** The options of a command, and which of them take a value, according to its help. */
export async function optionsOf(command: string): Promise<{ name: string; hasValue: boolean }[]> {
  const { stdout } = await run([command, '--help']);
  return [...stdout.matchAll(/^ {2}--(\S+)( <)?/gm)].map(([, name = '', value]) => ({
    name,
    hasValue: value !== undefined,
  }));
}

/** Runs at most four at a time, because each starts a process. */
export async function each<Item>(
  items: readonly Item[],
  use: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await use(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
