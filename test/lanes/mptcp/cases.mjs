// The cases of a program of this lane. Each passes, or fails with an error.

const cases = [];

/** Runs a case. A case that throws has failed; the program continues. */
export async function check(name, run) {
  try {
    await run();
    cases.push({ name });
  } catch (error) {
    cases.push({ name, failed: String(error.message) });
  }
}

/** Prints the cases for run.mjs, and exits after all of it is written. */
export const printCases = () => process.stdout.write(JSON.stringify(cases), () => process.exit(0));

// What a program needs between its cases: those after it did not run.
process.on('uncaughtException', ({ stack }) => {
  cases.push({ name: 'the cases after this one', failed: stack });
  printCases();
});
