// The shape of a command's module, its result, and its errors.

import type { ParseArgsConfig, parseArgs } from 'node:util';

/** Options, as `parseArgs` takes them. Every command also has `--help`. */
export type Options = NonNullable<ParseArgsConfig['options']>;

/** The values that `parseArgs` returns for these options. */
export type Values<Declared extends Options> = ReturnType<
  typeof parseArgs<{ options: Declared }>
>['values'];

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** The first line is the usage. */
  readonly help: string;
  readonly options: Options;
  /** Options of type string that may come without a value; it is the empty text then. */
  readonly optionalValues?: readonly string[];
  /** The values of options that are known in advance, for shell completion. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
  /** Options whose value is a list with commas. */
  readonly lists?: readonly string[];
  /** The names of the required positional arguments, as in the help. */
  readonly operands?: readonly string[];
  /** Returns the output, or a promise if the command writes its output itself while it runs. */
  run(values: Values<Options>, operands: readonly string[]): Result | Promise<void>;
}

/** The output of a command, and whether nothing is missing from it (exit code 0 instead of 1). */
export interface Result {
  readonly output: string;
  readonly complete: boolean;
}

/** Wrong arguments. The message names the argument and what is allowed. */
export class UsageError extends Error {}

/**
 * The message of an error. If several addresses were tried, `net.connect` fails with an AggregateError
 * without a message: then the messages of all addresses.
 */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}
