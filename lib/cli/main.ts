#!/usr/bin/env node
// The command line: finds the command, prints what it gives, and ends with an exit code:
// 0 success, 1 failure, 2 wrong arguments.

import { parseArgs } from 'node:util';
import { type Command, type Options, type Result, UsageError, type Values } from './command';
import * as connections from './connections';
import * as defaults from './defaults';
import { table } from './text';

const commands: Readonly<Record<string, Command>> = { defaults, connections };

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

  const values = parse(rest, command.options);
  return values.help ? whole(command.help) : command.run(values);
}

const whole = (output: string): Result => ({ output, complete: true });

function parse(args: string[], declared: Options): Values<Options> {
  try {
    const options: Options = { ...declared, help: { type: 'boolean', short: 'h' } };
    return parseArgs({ args, options }).values;
  } catch (error) {
    // parseArgs explains at length how to pass a positional that starts with a dash.
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
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
