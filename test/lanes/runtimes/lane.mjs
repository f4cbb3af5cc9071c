// Shared by the lanes of other runtimes: binaries from npm, a project that has installed the package, the reference
// addon for each processor, and runs of the suite.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLANG, LINKER, linuxHeaders, TARGETS } from '../../../scripts/prebuilds/targets.mjs';
import { installed } from '../../support/cache.cjs';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));

/** Ends a lane that cannot run with one line and an error. */
export function stop(reason) {
  console.error(reason);
  process.exit(1);
}

/** Ends the lane if a program is missing. */
export function needs(program, packages) {
  if (spawnSync(program, ['--version']).error === undefined) return;
  stop(`${program} is missing: apt-get install ${packages}`);
}

if (process.getuid() !== 0)
  stop('needs root: the kernel tells of closed connections to nobody else');

let modules;

/** The path of a file in the packages of this folder's package.json. */
export function binary(path) {
  // --force, because some packages are for other processors.
  modules ??= installed('runtimes', here, ['--force']);
  return join(modules, path);
}

/** The prebuilt addon of a system, made by `npm run prebuilds`. */
export function prebuilt(system) {
  const file = `prebuilds/${system}/socket-options.node`;
  if (!existsSync(join(root, file))) stop(`${file} is missing: npm run prebuilds`);
  const digest = createHash('sha256')
    .update(readFileSync(join(root, file)))
    .digest('hex');
  console.log(`${file}, SHA-256 ${digest}`);
  return join(root, file);
}

/**
 * test/support/reference-addon for any processor and for either C library: it names none, because Bun for musl loads
 * nothing that names glibc's, and takes its functions from the one that the process has.
 */
function buildReferenceAddon(system, folder) {
  compileShared(
    system,
    join(root, 'test/support/reference-addon/reference-addon.c'),
    join(folder, 'reference_addon.node'),
    ['-isystem', binary('node-api-headers/include')],
  );
}

/** Compiles a C file to a shared object without libraries. */
export function compileShared(system, source, output, flags = []) {
  const target = TARGETS[system];
  const headers = linuxHeaders(system).flatMap((folder) => ['-isystem', folder]);
  const args = [...target, '-O1', '-fPIC', '-nostdlibinc', ...headers, ...flags];
  const link = ['-shared', '-nostdlib', '-s', `-fuse-ld=${LINKER}`, '-o', output];
  execFileSync(CLANG, [...args, ...link, source], { stdio: 'inherit' });
}

/**
 * Creates a project that has installed the package with the prebuilt addon of one system. Its suite does not depend
 * on this checkout.
 */
export async function withProject(system, use) {
  const addon = prebuilt(system);
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-runtimes-'));
  try {
    const home = join(folder, 'node_modules/socket-options');
    mkdirSync(join(home, 'prebuilds', system), { recursive: true });
    copyFileSync(addon, join(home, 'prebuilds', system, 'socket-options.node'));
    copyFileSync(join(root, 'package.json'), join(home, 'package.json'));
    cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true });
    const loader = 'node_modules/node-gyp-build';
    cpSync(join(root, loader), join(folder, loader), { recursive: true });
    cpSync(join(here, 'suite'), join(folder, 'suite'), { recursive: true });
    const manifest = { private: true, type: 'module', dependencies: { 'socket-options': '*' } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=localhost'],
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    buildReferenceAddon(system, folder);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Longer than any runtime takes; an emulated processor is ten times slower. */
const PATIENCE = 240_000;

/**
 * Runs the suite in one runtime; `command` runs a file. The run has failed if it wrote no report, whatever its exit
 * code is.
 */
export function runSuite(folder, title, command, { libc = 'glibc', env = {}, skips = {} } = {}) {
  console.log(`\n${title}`);
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const [program, ...flags] = command;
  const { status, signal, error } = spawnSync(program, [...flags, join(folder, 'suite/main.mjs')], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      ...env,
      SUITE_LIBC: libc,
      SUITE_COMMAND: JSON.stringify(command),
      SUITE_REPORT: report,
      SUITE_SKIPS: JSON.stringify(skips),
    },
  });
  const passed = status === 0 && existsSync(report);
  if (!passed) console.error(`${title}: ${error ?? signal ?? `exit status ${status}`}`);
  if (!existsSync(report)) return { passed, outcomes: {}, summary: 'no report' };
  return { passed, ...JSON.parse(readFileSync(report, 'utf8')) };
}

/** Runs the tests of the project on a Node and the prebuilt addon; returns the counts and whether all passed. */
export async function runVitest(command, system, version, { env, flags = [] }) {
  const [program, ...first] = command;
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const suite = spawn(program, [...first, vitest, 'run', ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env, PREBUILDS_ONLY: '1' },
  });
  const closed = once(suite, 'close');
  let text = '';
  for await (const piece of suite.stdout.setEncoding('utf8')) {
    text += piece;
    process.stdout.write(piece);
  }
  const [status] = await closed;
  // The lines that test/support/setup.ts and reporter.mts print.
  const tested = `testing prebuilds/${system}/socket-options.node on Node v${version}, ${system}\n`;
  const counts = /^([1-9]\d*) passed, 0 failed, \d+ skipped$/m.exec(text);
  const passed = status === 0 && text.includes(tested) && counts !== null;
  return { passed, summary: counts?.[0] ?? `exit status ${status}` };
}

/** The version that a runtime reports. */
export function versionOf(...command) {
  const text = execFileSync(command[0], [...command.slice(1), '--version'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(text)[0];
}
