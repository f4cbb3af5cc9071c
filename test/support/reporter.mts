// Prints every skipped test with its reason, and the numbers of tests, after the report of vitest. A lane in which
// nothing ran then does not look like one that passed.

import type { TestCase, TestModule } from 'vitest/node';

export default class SkipReporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const skipped: TestCase[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'pending') continue;
        counts[state]++;
        if (state === 'skipped') skipped.push(test);
      }
    }
    for (const test of skipped) {
      const result = test.result();
      const reason = result.state === 'skipped' ? result.note : undefined;
      console.log(`skipped: ${test.fullName}: ${reason ?? 'no reason given'}`);
    }
    const { passed, failed } = counts;
    console.log(`${passed} passed, ${failed} failed, ${counts.skipped} skipped`);
    // A skip without a reason is an error of the test; a run without tests is an error of the lane.
    const unexplained = skipped.some(
      (test) => (test.result() as { note?: string }).note === undefined,
    );
    if (passed === 0 || unexplained) process.exitCode = 1;
  }
}
