// What a command of the command line is: a module of this shape.

import type { ParseArgsConfig, parseArgs } from 'node:util';

/** Options as `parseArgs` takes them; every command has `--help` too. */
export type Options = NonNullable<ParseArgsConfig['options']>;

/** What `parseArgs` makes of them. */
export type Values<Declared extends Options> = ReturnType<
  typeof parseArgs<{ options: Declared }>
>['values'];

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** The first line is the usage. */
  readonly help: string;
  readonly options: Options;
  /** The required arguments that are not options, under their names in the help. */
  readonly operands?: readonly string[];
  /** Returns the output, or a promise if the command writes by itself for as long as it runs. */
  run(values: Values<Options>, operands: readonly string[]): Result | Promise<void>;
}

/** The output of a command, and whether it is all that was asked for. */
export interface Result {
  readonly output: string;
  readonly complete: boolean;
}

/** Wrong arguments; the message says which, and what is allowed. */
export class UsageError extends Error {}

/** The message of an error. Where several addresses were tried, the error has one for each, and no message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}
