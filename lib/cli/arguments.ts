// Arguments that several commands take: text in, a checked value out, or a UsageError.

import { parseDuration } from '../core/duration';
import { suggest } from '../core/suggest';
import { UsageError } from './command';

/**
 * A duration in milliseconds. The bounds are written as people write durations. No timer of Node takes
 * more than 2^31 - 1 ms (24.8 days): it would fire after 1 ms instead.
 */
export function durationOf(name: string, text: string, least: string, most: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) {
    throw new UsageError(
      `${name} '${text}' is not a duration from ${least} to ${most}: write 10s, 500ms, 2m, 1h or 1d`,
    );
  }
  const from = parseDuration(least) as number;
  const to = parseDuration(most) as number;
  if (!(milliseconds >= from && milliseconds <= to)) {
    throw new UsageError(`${name} '${text}' must be from ${least} to ${most}`);
  }
  return milliseconds;
}

/** Of dead-peer timeouts; how short one may be depends on the system, and the library says so. */
export const TIMEOUT_RANGE = ['1ms', '24d'] as const;

export function numberOf(
  name: string,
  text: string,
  [least, most]: readonly [number, number],
  kind: 'number' | 'whole number' | 'number of seconds' = 'number',
): number {
  const number = Number(text);
  const pattern = kind === 'whole number' ? /^\d+$/ : /^\d+(\.\d+)?$/;
  if (!pattern.test(text) || number < least || number > most) {
    throw new UsageError(`${name} '${text}' is not a ${kind} from ${least} to ${most}`);
  }
  return number;
}

/** For `--min-probes`. */
export const probesOf = (text: string) => numberOf('--min-probes', text, [1, 127], 'whole number');

export function choiceOf<Choice extends string>(
  name: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) throw unknownName(`value of ${name}`, text, choices);
  return choice;
}

/** A name that does not exist, with the one that was probably meant, or else all that exist. */
export function unknownName(kind: string, name: string, known: readonly string[]): UsageError {
  const near = suggest(name, known);
  const help = near === undefined ? `known: ${known.join(', ')}` : `did you mean '${near}'?`;
  return new UsageError(`unknown ${kind} '${name}' (${help})`);
}

/** Calls a function of the library. An argument that it refuses is a mistake of the user. */
export function checkedBy<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    const { code, message, smallestTimeout, reason } = error as NodeJS.ErrnoException & {
      /** Of a timeout that is too small, as `reason` is. */
      readonly smallestTimeout?: number;
      readonly reason?: string;
    };
    if (code !== 'ERR_OUT_OF_RANGE' && code !== 'ERR_INVALID_ARG_VALUE') throw error;
    if (smallestTimeout === undefined) throw new UsageError(message);
    const seconds = Math.ceil(smallestTimeout / 100) / 10;
    throw new UsageError(`the timeout is too small: at least ${seconds}s is possible (${reason})`);
  }
}
