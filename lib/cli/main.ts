#!/usr/bin/env node
// The command line: runs the command, prints its output, and sets the exit code: 0 success, 1 failure,
// 2 wrong arguments, 3 problems found.

import { parseArgs } from 'node:util';
import { unknownName } from './arguments';
import {
  type Command,
  messageOf,
  type Options,
  type Result,
  UsageError,
  type Values,
} from './command';
import { completionOf } from './commands/completion';
import * as connections from './commands/connections';
import * as defaults from './commands/defaults';
import * as metrics from './commands/metrics';
import * as plan from './commands/plan';
import * as watch from './commands/watch';
import { formatTable, toPrintable } from './view/text';

const commands: Readonly<Record<string, Command>> = {
  defaults,
  connections,
  plan,
  watch,
  metrics,
  completion: completionOf(() => commands),
};

const help = `Usage: socket-options <command> [options]

Commands:
${formatTable(Object.entries(commands).map(([name, { summary }]) => [`  ${name}`, summary]))}

Options:
  --json     after defaults, connections, plan and watch: print JSON for
             scripts instead of text for people
  --help     show this help, or the help of a command
  --version  show the version of this package

Exit codes: 0 success, 1 failure, 2 wrong arguments; 3 problems were found, with
connections --fail-on-problems.
`;

function run([first, ...rest]: readonly string[]): Result | Promise<void> {
  if (first === undefined || first === '--help' || first === '-h') return complete(help);
  if (first === 'help') return complete(helpFor(rest));
  if (first === '--version') return complete(readVersion());
  if (first.startsWith('-')) throw unknownName('option', first, ['--help', '--version']);
  const command = findCommand(first);
  if (command === undefined) throw unknownName('command', first, Object.keys(commands));

  const { values, positionals } = parseArguments(rest, command);
  if (values.help) return complete(command.help);
  const { operands = [] } = command;
  const missing = operands[positionals.length];
  if (missing !== undefined) throw new UsageError(`${first} needs <${missing}>`);
  const extra = positionals[operands.length];
  if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}'`);
  return command.run(values, positionals);
}

/** `socket-options help`, or `help <command>`. */
function helpFor([name, extra]: readonly string[]): string {
  if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}'`);
  if (name === undefined) return help;
  const command = findCommand(name);
  if (command === undefined) throw unknownName('command', name, Object.keys(commands));
  return command.help;
}

const findCommand = (name: string) => (Object.hasOwn(commands, name) ? commands[name] : undefined);

const complete = (output: string): Result => ({ output, complete: true });

/** Parses loosely and checks the tokens itself: the messages of `parseArgs` do not suggest anything. */
function parseArguments(
  args: string[],
  { options: declared, optionalValues = [] }: Command,
): { values: Values<Options>; positionals: string[] } {
  const options: Options = { ...declared, help: { type: 'boolean', short: 'h' } };
  const parsed = parseArgs({
    args: withEmptyValues(args, optionalValues),
    options,
    strict: false,
    tokens: true,
  });
  const seen = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) {
      const known = Object.keys(options).map((each) => `--${each}`);
      throw unknownName('option', rawName, known);
    }
    if (option.type === 'boolean' && value !== undefined) {
      throw new UsageError(`${rawName} takes no value, but '${value}' is given`);
    }
    const isGiven = value !== undefined && args[token.index] !== `${rawName}=`;
    if (option.type === 'string' && !isGiven) {
      throw new UsageError(`${rawName} needs a value`);
    }
    if (option.type === 'string' && !inlineValue && value?.startsWith('-')) {
      throw new UsageError(
        `${rawName} needs a value, but '${value}' follows; if it is the value, write ${rawName}=${value}`,
      );
    }
    if (option.type === 'string' && !option.multiple && seen.has(name)) {
      throw new UsageError(`${rawName} is given twice, but takes one value`);
    }
    seen.add(name);
  }
  return parsed as { values: Values<Options>; positionals: string[] };
}

/** Writes `--problems` as `--problems=` if no value follows. */
function withEmptyValues(args: readonly string[], optionalValues: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.map((arg, index) => {
    const isAfterEnd = end >= 0 && index > end;
    const takesValue = optionalValues.some((name) => arg === `--${name}`);
    const next = args[index + 1];
    const hasValue = next !== undefined && !/^--?([a-z]|$)/.test(next);
    return takesValue && !hasValue && !isAfterEnd ? `${arg}=` : arg;
  });
}

function readVersion(): string {
  return (require('../../package.json') as { version: string }).version;
}

async function main(args: readonly string[]): Promise<void> {
  try {
    const result = await run(args);
    if (!result) return;
    process.stdout.write(`${result.output.trimEnd()}\n`);
    process.exitCode = result.complete ? 0 : 1;
  } catch (error) {
    printError(error);
    if (error instanceof UsageError) process.stderr.write(`${formatUsage(args[0])}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** Prints any error. Only the message about a missing addon has several lines, which are indented. */
function printError(error: unknown): void {
  const message = messageOf(error);
  const lines = error instanceof UsageError ? [message] : message.split('\n');
  process.stderr.write(`socket-options: ${lines.map((line) => toPrintable(line)).join('\n  ')}\n`);
}

function formatUsage(name = ''): string {
  const command = findCommand(name);
  if (command === undefined) return "Try 'socket-options --help'.";
  return `${command.help.split('\n', 1)[0]}\nTry 'socket-options ${name} --help'.`;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Not failures: a reader such as `head` closes the pipe (EPIPE), a terminal hangs up (EIO).
  if (error.code === 'EPIPE' || error.code === 'EIO') return;
  printError(new Error(`cannot write the output: ${error.message}`));
  process.exit(1);
});
// Without stderr there is no place to report an error.
process.stderr.on('error', () => {});

void main(process.argv.slice(2));
