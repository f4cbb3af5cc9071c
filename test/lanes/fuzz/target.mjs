// Runs the cases of one target until its time is over, and reports the case that failed. run.mjs starts it:
//   FUZZ_SEED, FUZZ_CASE (one case only), FUZZ_TARGET_SECONDS, FUZZ_STATE (a file)
import { openSync, writeSync } from 'node:fs';
import { Random } from './random.mjs';

const { FUZZ_SEED = '1', FUZZ_CASE, FUZZ_TARGET_SECONDS = '5', FUZZ_STATE } = process.env;
const state = FUZZ_STATE === undefined ? undefined : openSync(FUZZ_STATE, 'w');

/**
 * `runCase(random, note)` throws, or returns the number of its executions. The last text of `note(text)` is kept, also
 * if the process ends during a case.
 */
export async function fuzz(runCase) {
  const seed = Number(FUZZ_SEED);
  const end = performance.now() + Number(FUZZ_TARGET_SECONDS) * 1_000;
  const only = FUZZ_CASE === undefined ? undefined : Number(FUZZ_CASE);
  let number = only ?? 0;
  let executions = 0;
  let noted = '';
  const note = (text) => {
    noted = text;
    if (state === undefined) return;
    const line = `${JSON.stringify({ case: number, note: text })}\n`;
    writeSync(state, line.padEnd(4_096).slice(0, 4_096), 0);
  };
  for (; only === undefined ? performance.now() < end : number === only; number++) {
    note('');
    try {
      executions += await runCase(new Random(seed, number), note);
    } catch (error) {
      console.error(`case ${number}: ${noted}`);
      console.error(error);
      process.exit(1);
    }
  }
  console.log(JSON.stringify({ executions, cases: number - (only ?? 0) }));
  process.exit(0);
}
