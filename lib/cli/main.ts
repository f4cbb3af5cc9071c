#!/usr/bin/env node
// The command line: finds the command, prints what it gives, and ends with an exit code:
// 0 success, 1 failure, 2 wrong arguments.

import { parseArgs } from 'node:util';
import { type Command, type Options, type Result, UsageError, type Values } from './command';
import * as connections from './connections';
import * as defaults from './defaults';
import * as plan from './plan';
import { table } from './text';
import * as watch from './watch';

const commands: Readonly<Record<string, Command>> = { defaults, connections, plan, watch };

const help = `Usage: socket-options <command> [options]

Commands:
${table(Object.entries(commands).map(([name, { summary }]) => [`  ${name}`, summary]))}

Options:
  --json     print JSON for scripts instead of text for people
  --help     show this, or the help of a command
  --version  show the version of this package

Exit codes: 0 success, 1 failure, 2 wrong arguments.
`;

function run(args: string[]): Result | Promise<void> {
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError('no command given');
  if (first === '--help' || first === '-h' || first === 'help') return whole(help);
  if (first === '--version') return whole(version());
  if (first.startsWith('-')) throw new UsageError(`unknown option '${first}'`);
  const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (command === undefined) throw new UsageError(`unknown command '${first}'`);

  const { values, positionals } = parse(rest, command);
  if (values.help) return whole(command.help);
  const missing = command.operands?.[positionals.length];
  if (missing !== undefined) throw new UsageError(`${first} needs a ${missing}`);
  return command.run(values, positionals);
}

const whole = (output: string): Result => ({ output, complete: true });

function parse(
  args: string[],
  { options: declared, operands = [] }: Command,
): { values: Values<Options>; positionals: string[] } {
  let parsed: { values: Values<Options>; positionals: string[] };
  try {
    const options: Options = { ...declared, help: { type: 'boolean', short: 'h' } };
    parsed = parseArgs({ args, options, allowPositionals: operands.length > 0 });
  } catch (error) {
    // parseArgs explains at length how to pass a positional that starts with a dash.
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
  const extra = parsed.positionals[operands.length];
  if (extra !== undefined) throw new UsageError(`Unexpected argument '${extra}'`);
  return parsed;
}

function version(): string {
  return (require('../../package.json') as { version: string }).version;
}

async function main(): Promise<void> {
  try {
    const result = await run(process.argv.slice(2));
    if (!result) return;
    process.stdout.write(`${result.output.trimEnd()}\n`);
    process.exitCode = result.complete ? 0 : 1;
  } catch (error) {
    const { message } = error as Error;
    const usage = error instanceof UsageError;
    process.stderr.write(`socket-options: ${message}\n`);
    if (usage) process.stderr.write("Try 'socket-options --help'.\n");
    process.exitCode = usage ? 2 : 1;
  }
}

// A reader that has enough (`| head`) closes the pipe, a terminal hangs up: that is their right, not
// our failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
});

void main();
