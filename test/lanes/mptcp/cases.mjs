// The cases of a program of this lane. Each passes, fails with an error, or is skipped with a reason.

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

export const skip = (name, reason) => cases.push({ name, skipped: reason });

/** Prints the cases for run.mjs, and exits after all of it is written. */
export const printCases = () => process.stdout.write(JSON.stringify(cases), () => process.exit(0));
