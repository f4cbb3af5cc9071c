// Gives the changes under "Unreleased" in CHANGELOG.md the heading of the version that package.json has.
// `npm run release` runs it.
//
//   node scripts/changelog.mjs [folder]           writes the heading
//   node scripts/changelog.mjs --check [folder]   fails if there is no change to release, and writes nothing

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HEADING = '## Unreleased\n';

const args = process.argv.slice(2);
const isCheck = args[0] === '--check';
const root = args[isCheck ? 1 : 0] ?? fileURLToPath(new URL('..', import.meta.url));
const file = join(root, 'CHANGELOG.md');
const changelog = readFileSync(file, 'utf8');

const [before, after] = changelog.split(HEADING);
if (after === undefined) fail(`has no heading "${HEADING.trim()}": add one above the last version`);
const [changes] = after.split(/^## /m);
if (!/^- /m.test(changes)) {
  fail(
    `has no change under "${HEADING.trim()}": add a line for each change that a user can notice`,
  );
}

if (!isCheck) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (changelog.includes(`\n## ${version}`)) fail(`has a heading "## ${version}" already`);
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(file, `${before}${HEADING}\n## ${version} (${date})\n${after}`);
}

function fail(what) {
  console.error(`${file} ${what}`);
  process.exit(1);
}
