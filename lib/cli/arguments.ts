// Arguments that several commands take.

import { UsageError } from './command';
import { parseDuration } from './text';

export function durationOf(name: string, text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) {
    throw new UsageError(`${name} '${text}' is not a duration: write 10s, 500ms, 2m or 1h`);
  }
  return milliseconds;
}

export function numberOf(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || number < least || number > most) {
    throw new UsageError(`${name} '${text}' is not a number from ${least} to ${most}`);
  }
  return number;
}

export function choiceOf<Choice extends string>(
  name: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) {
    throw new UsageError(`${name} '${text}' is none of ${choices.join(', ')}`);
  }
  return choice;
}

/** Has a timeout that is too small be a mistake of the caller's, in words. */
export function orTooSmall<Result>(make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    const [, least, given] = /must be >= (\d+) ms \((.*)\)/.exec((error as Error).message) ?? [];
    if (least === undefined) throw error;
    const seconds = Math.ceil(Number(least) / 100) / 10;
    throw new UsageError(`the timeout is too small: at least ${seconds}s is possible (${given})`);
  }
}
