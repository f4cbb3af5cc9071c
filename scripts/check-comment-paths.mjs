// Checks that every file and folder of this repository that a comment or a page names exists.
// `npm run check` runs it; it needs no build.
//
// A path is one of this repository if it begins with one of its folders (native/addon.cc), or ends as only
// its files do (addon.cc, tune/tune-sockets.ts): the kernel's sources end in .c and .h, Node's in .js.
// It is written from the root, from the file that names it, or as the end of a longer path.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

// With files that nobody committed yet, and without files that somebody removed.
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'])
  .toString()
  .split('\0')
  .filter((file) => file !== '' && existsSync(file));
const folders = new Set(files.flatMap(parents));
const topFolders = [...folders].filter((folder) => /^[\w-]+$/.test(folder));

function parents(file) {
  const folder = posix.dirname(file);
  return folder === '.' ? [] : [folder, ...parents(folder)];
}

/** The comments of each kind of file. A string is code: a test may name a file that must not exist. */
const PROSE = [
  [/\.md$/, /^.*$/gm],
  [/\.(?:[cm]?[jt]s|cc?|h)$/, /^ *(?:\/\/|\/?\*).*$| \/\/ .*$/gm],
  [/\.(?:sh|py|yml|gyp)$|^\.ci\/run$/, /(?:^| )#.*$/gm],
];
/** Old entries of the changelog name the files of their time. */
const HISTORY = 'CHANGELOG.md';
/** Its files are in the project of the reader, and in test/lanes/bundlers/programs/. */
const BUNDLERS = 'docs/bundlers.md';
const PATHS = new RegExp(
  [
    // Not within a longer path, a package (@scope/name) or an include (<linux/tcp.h>).
    '(?<![\\w./<@-])',
    `(?:(?:\\.{1,2}/)*[\\w-][\\w./-]*\\.(?:[cm]?ts|[cm]js|cc|sh|py|md)\\b`,
    `|(?:${topFolders.join('|')})/[\\w./*<-]*)`,
  ].join(''),
  'g',
);

function exists(path, from) {
  const relative = posix.join(posix.dirname(from), path);
  return (
    [path, relative].some((one) => files.includes(one) || folders.has(one)) ||
    files.some((file) => file.endsWith(`/${path}`)) ||
    // A build makes it, such as native/binding.gyp.
    spawnSync('git', ['check-ignore', '--quiet', path]).status === 0
  );
}

let checked = 0;
for (const file of files) {
  const prose = PROSE.find(([name]) => name.test(file))?.[1];
  if (prose === undefined || file === HISTORY || file === BUNDLERS) continue;
  const text = readFileSync(file, 'utf8');
  for (const { 0: words, index } of text.matchAll(prose)) {
    for (const [found] of words.matchAll(PATHS)) {
      const path = found.replace(/[/.]+$/, '');
      // Patterns, and files of Node: lib/_http_client.js.
      if (/[*<]/.test(path) || /^lib\/.*\.js$/.test(path)) continue;
      checked++;
      if (exists(path, file)) continue;
      const line = text.slice(0, index).split('\n').length;
      console.error(`${file}:${line}: ${path} does not exist`);
      process.exitCode = 1;
    }
  }
}
console.log(`${checked} paths in comments and pages`);
