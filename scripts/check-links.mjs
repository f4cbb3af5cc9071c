// Checks that every link of a Markdown page to a file or a heading of this repository leads somewhere, as GitHub shows it.
// `npm run check` runs it. site/check.mjs checks the links of the built site, test/lanes/package those of the tarball.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { anchorsOf, isInternal, linksOf, resolveLink } from './markdown-links.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

// With pages that nobody committed yet, and without pages that somebody removed.
const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z', '*.md'])
  .toString()
  .split('\0')
  .filter((page) => page !== '' && existsSync(page));

const anchors = new Map();
function hasAnchor(page, anchor) {
  if (!anchors.has(page)) anchors.set(page, anchorsOf(readFileSync(page, 'utf8')));
  return anchors.get(page).includes(anchor);
}

let checked = 0;
for (const page of pages) {
  for (const { target, line } of linksOf(readFileSync(page, 'utf8'))) {
    if (!isInternal(target)) continue;
    checked++;
    const { file, anchor } = resolveLink(page, target);
    const problem = !existsSync(file)
      ? `${file} does not exist`
      : anchor !== '' && !(file.endsWith('.md') && hasAnchor(file, anchor))
        ? `${file} has no heading with the anchor #${anchor}`
        : undefined;
    if (problem === undefined) continue;
    console.error(`${page}:${line}: ${problem}`);
    process.exitCode = 1;
  }
}
console.log(`${checked} links in ${pages.length} pages`);
