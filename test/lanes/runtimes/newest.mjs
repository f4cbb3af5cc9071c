// npm run newest: makes the lanes of runtimes take the newest Node of each line, the newest Bun and Deno: writes their
// versions into package.json and package-lock.json of this folder. Prints what changed. Fails if npm has a line of Node that
// the lanes do not run.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('.', import.meta.url);
const file = new URL('package.json', folder);
const manifest = JSON.parse(readFileSync(file, 'utf8'));

const npm = (...args) => execFileSync('npm', args, { cwd: folder, encoding: 'utf8' });
const versionsOf = (name) => {
  const versions = JSON.parse(npm('view', name, 'versions', '--json'));
  return versions.filter((version) => /^\d+\.\d+\.\d+$/.test(version));
};
const numbers = (version) => version.split('.').map(Number);
const byVersion = (a, b) => {
  const index = numbers(a).findIndex((number, place) => number !== numbers(b)[place]);
  return index < 0 ? 0 : numbers(a)[index] - numbers(b)[index];
};
const newest = (versions) => versions.toSorted(byVersion).at(-1);

let lines = [];
for (const [alias, wanted] of Object.entries(manifest.dependencies)) {
  const [, name, version] = /^npm:(.+)@([\d.]+)$/.exec(wanted) ?? [];
  // The processors that are emulated need what Debian or npm have for them.
  const line = /^node-(\d+)$/.exec(alias)?.[1];
  if (name === undefined || (line === undefined && !/^(bun|bun-musl|deno)$/.test(alias))) continue;
  const versions = versionsOf(name);
  if (line !== undefined) lines = versions.map((one) => numbers(one)[0]);
  const found = newest(versions.filter((one) => line === undefined || one.startsWith(`${line}.`)));
  if (found === version) continue;
  console.log(`${alias}: ${version} -> ${found}`);
  manifest.dependencies[alias] = `npm:${name}@${found}`;
}
writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
npm(
  'install',
  '--package-lock-only',
  '--omit-lockfile-registry-resolved',
  '--force',
  '--loglevel=error',
);

const run = Object.keys(manifest.dependencies).filter((alias) => /^node-\d+$/.test(alias));
const missing = [...new Set(lines)].filter(
  (major) => major > 20 && major % 2 === 0 && !run.includes(`node-${major}`),
);
if (missing.length > 0) {
  console.error(`npm has Node ${missing.join(', ')}, which the lanes do not run`);
  process.exitCode = 1;
}
