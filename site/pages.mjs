// Writes site/pages/, from which VitePress builds the site: the pages of the repository, a page for each option, and a page for
// each public symbol.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInternal, resolveLink } from '../scripts/markdown-links.mjs';
import { optionPages } from './options.mjs';
import { writeReference } from './reference.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = fileURLToPath(new URL('pages/', import.meta.url));

/** Pages of the repository outside of docs/, and their places on the site. */
const OTHER_PAGES = {
  'CHANGELOG.md': 'changelog.md',
  'CODE_OF_CONDUCT.md': 'conduct.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
  'test/README.md': 'tests.md',
};

export async function writePages() {
  rmSync(pages, { recursive: true, force: true });
  writeDocs();
  for (const [name, text] of await optionPages()) write(`options/${name}.md`, text);
  await writeReference(`${pages}reference`);
}

/** Writes the pages of the repository. */
export function writeDocs() {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'docs'], {
    cwd: root,
  });
  const docs = files.toString().trim().split('\n');
  const places = new Map([
    ...docs.map((file) => [file, placeOf(file)]),
    ...Object.entries(OTHER_PAGES),
  ]);
  for (const [file, place] of places) {
    if (!file.endsWith('.md')) {
      cpSync(root + file, pages + place);
      continue;
    }
    const text = withLinks(readFileSync(root + file, 'utf8'), file, places);
    write(place, place === 'options.md' ? withOptionLinks(text) : text);
  }
}

/** docs/README.md is the first page of the site, as GitHub shows it for the folder. */
function placeOf(file) {
  return file.replace(/^docs\//, '').replace(/README\.md$/, 'index.md');
}

/** Turns links between files of the repository into links between pages. Other files of the repository are not on the site. */
function withLinks(text, file, places) {
  return text.replaceAll(
    /(!?)\[((?:\[[^\]]*\]|[^\]])*)\]\(([^()\s]+)\)/g,
    (link, image, label, target) => {
      if (!isInternal(target) || target.startsWith('#')) return link;
      const { file: linked, anchor } = resolveLink(file, target);
      const place = places.get(linked);
      if (place === undefined) return label;
      const path = posix.relative(posix.dirname(places.get(file)), place);
      return `${image}[${label}](./${path}${anchor && `#${anchor}`})`;
    },
  );
}

/** The names in the table of options lead to the pages of the options. The wide table has the room of the outline. */
function withOptionLinks(text) {
  const linked = text.replaceAll(/^\| \*\*`(\w+)`\*\*/gm, '| **[`$1`](./options/$1.md)**');
  return `---\naside: false\n---\n\n${linked}`;
}

function write(place, text) {
  mkdirSync(dirname(pages + place), { recursive: true });
  writeFileSync(pages + place, text);
}
