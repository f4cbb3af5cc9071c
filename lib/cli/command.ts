// What a command of the command line is: a module of this shape.

import type { ParseArgsConfig, parseArgs } from 'node:util';

/** Options as `parseArgs` takes them; `--help` comes with every command. */
export type Options = NonNullable<ParseArgsConfig['options']>;

/** What `parseArgs` makes of them. */
export type Values<Declared extends Options> = ReturnType<
  typeof parseArgs<{ options: Declared }>
>['values'];

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly help: string;
  readonly options: Options;
  /** What stands beside the options, all of it needed: as the help calls it. */
  readonly operands?: readonly string[];
  /** Gives its output, or a promise where it writes by itself for as long as it runs. */
  run(values: Values<Options>, operands: readonly string[]): Result | Promise<void>;
}

/** What a command gives: its output, and whether it is all that was asked for. */
export interface Result {
  readonly output: string;
  readonly complete: boolean;
}

/** A mistake of the caller's; the message says which. */
export class UsageError extends Error {}
