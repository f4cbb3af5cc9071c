// Reads and writes prebuilds/manifest.json: the hashes of the prebuilt addons and of their sources.
// `npm run check:prebuilds` and `npm pack` run it.
//
//   node scripts/prebuilds/manifest.mjs --check     reports what is stale and why; needs no compiler

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binding } from './binding.mjs';
import { TARGETS } from './targets.mjs';

const REMEDY = 'npm run prebuilds';

export function hash(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Every file that the bytes depend on. */
function sourceFiles(root) {
  return [
    'binding.gyp',
    ...['native', 'native/platform'].flatMap((folder) =>
      readdirSync(join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${folder}/${entry.name}`),
    ),
    ...[
      'binding.mjs',
      'bsd.h',
      'build.mjs',
      'darwin.h',
      'declarations.mjs',
      'freebsd.h',
      'imports.mjs',
      'node_api.cc',
      'pe.mjs',
      'targets.mjs',
    ].map((file) => `scripts/prebuilds/${file}`),
  ].sort();
}

/** The versions, by package-lock.json, of the packages that the bytes depend on. */
export function lockedTools(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.fromEntries(
    ['node-addon-api', 'node-api-headers'].map((name) => [
      name,
      packages[`node_modules/${name}`].version,
    ]),
  );
}

function hashes(root, files) {
  return Object.fromEntries(files.map((file) => [file, hash(join(root, file))]));
}

export function createManifest(root, folder, tools) {
  return {
    files: hashes(
      folder,
      Object.keys(TARGETS).map((name) => `${name}/socket-options.node`),
    ),
    sources: hashes(root, sourceFiles(root)),
    tools,
  };
}

export function readManifest(root) {
  const file = join(root, 'prebuilds/manifest.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** The prebuilt addons that have a file among their sources. */
function affected(root, file) {
  const targets = Object.keys(TARGETS);
  if (!file.endsWith('.cc')) return targets;
  const users = targets.filter((name) => binding(root, name.split('-')[0]).sources.includes(file));
  return users.length > 0 ? users : targets;
}

/** One line: why prebuilds/ is not what its sources give; undefined if it is. */
export function staleness(root) {
  const manifest = readManifest(root);
  if (manifest === undefined) return `prebuilds/manifest.json is missing; ${REMEDY}`;

  for (const name of Object.keys(TARGETS)) {
    const file = `${name}/socket-options.node`;
    const path = join(root, 'prebuilds', file);
    if (!existsSync(path)) return `prebuilds/${file} is missing; ${REMEDY}`;
    if (hash(path) !== manifest.files[file]) {
      return `prebuilds/${file} is not the file that was built; ${REMEDY}`;
    }
  }
  const now = hashes(root, sourceFiles(root));
  for (const file of new Set([...Object.keys(manifest.sources), ...Object.keys(now)])) {
    if (now[file] === manifest.sources[file]) continue;
    const [what, names] = [file in now ? 'changed' : 'went away', affected(root, file)];
    const which = names.length === Object.keys(TARGETS).length ? '' : `${names.join(', ')}: `;
    return `prebuilds/ is stale: ${which}${file} ${what} since; ${REMEDY}`;
  }
  for (const [name, version] of Object.entries(lockedTools(root))) {
    const then = manifest.tools[name];
    if (then !== version) {
      return `prebuilds/ is stale: made with ${name} ${then}, which is now ${version}; ${REMEDY}`;
    }
  }
  return undefined;
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const reason = staleness(fileURLToPath(new URL('../..', import.meta.url)));
  if (reason !== undefined) {
    console.error(reason);
    process.exitCode = 1;
  } else {
    console.log('prebuilds/ is what its sources give');
  }
}
