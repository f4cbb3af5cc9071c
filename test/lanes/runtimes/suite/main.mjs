// Runs the checks in a runtime without a test runner. Prints a line for each check, then the counts. Environment:
// SUITE_LIBC, the expected C library; SUITE_SKIPS, the checks that cannot run on this machine, with reasons;
// SUITE_REPORT, the file for the outcomes; SUITE_COMMAND, the command with which this runtime runs a file.

import { writeFileSync } from 'node:fs';
import { checks } from './checks.mjs';

const PATIENCE = Number(process.env.SUITE_PATIENCE ?? 20_000);
const skips = JSON.parse(process.env.SUITE_SKIPS ?? '{}');
for (const name of Object.keys(skips)) {
  if (checks[name] === undefined) throw new Error(`there is no check "${name}" to skip`);
}

/** After this time, a check has failed. */
function inTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const outcomes = {};
const counts = { works: 0, refused: 0, skipped: 0, failed: 0 };
for (const [name, check] of Object.entries(checks)) {
  if (skips[name] !== undefined) {
    outcomes[name] = 'skipped';
    counts.skipped++;
    console.log(`skipped: ${name}: ${skips[name]}`);
    continue;
  }
  try {
    const outcome = (await inTime((async () => check())())) ?? 'works';
    outcomes[name] = outcome;
    counts[outcome === 'works' ? 'works' : 'refused']++;
    console.log(
      outcome === 'works' ? `works: ${name}` : `refused, as it must be: ${name}: ${outcome}`,
    );
  } catch (error) {
    outcomes[name] = 'failed';
    counts.failed++;
    console.log(`FAILED: ${name}: ${error?.stack ?? error}`);
  }
}
const total = Object.keys(outcomes).length;
const { works, refused, skipped, failed } = counts;
const summary = `${total} checks: ${works} work, ${refused} refused, ${skipped} skipped, ${failed} failed`;
console.log(summary);
writeFileSync(process.env.SUITE_REPORT, JSON.stringify({ outcomes, summary }));
// Anything that a failed check left open must not keep the process running.
process.exit(failed === 0 && works > 0 ? 0 : 1);
