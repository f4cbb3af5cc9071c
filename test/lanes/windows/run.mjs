// npm run test:windows [-- <major>...]: runs the tests on real node.exe of each supported version under Wine, and
// compares with what the Linux kernel holds for the sockets that are tuned there.
//
// Everything runs in a copy of the checkout with the node_modules for Windows.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installed } from '../../support/cache.cjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Installs a lock file as npm does on Windows. */
const modulesOf = (name, folder) => installed(name, folder, ['--os=win32', '--cpu=x64']);

/** Copies the files that git knows, and the build. */
function copyCheckout(to) {
  const files = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, encoding: 'utf8' },
  );
  for (const file of files.split('\0')) {
    // git also lists files whose deletion is not committed yet.
    if (file !== '' && existsSync(join(root, file))) cpSync(join(root, file), join(to, file));
  }
  cpSync(join(root, 'dist'), join(to, 'dist'), { recursive: true });
  // The prebuilt addon must belong to these sources.
  execFileSync('npm', ['run', '--silent', 'check:prebuilds'], { cwd: root, stdio: 'inherit' });
  symlinkSync(modulesOf('win32-modules', root), join(to, 'node_modules'));
  const referenceAddon = join(
    to,
    'test/support/reference-addon/build/Release/reference_addon.node',
  );
  execFileSync(join(here, 'reference-addon.sh'), [
    join(tools, 'node-api-headers/include'),
    referenceAddon,
  ]);
  const build = [join(root, 'scripts/prebuilds/build.mjs'), '--other-windows'];
  const other = join(to, 'other-windows/build/Release');
  execFileSync(process.execPath, [...build, join(here, 'fake/windows.cc'), other]);
}

/** Made with openssl(1) of this system. */
function makeCertificate(to) {
  mkdirSync(to);
  const files = ['-keyout', join(to, 'key.pem'), '-out', join(to, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const args = ['req', '-x509', ...curve, ...files, '-days', '2', '-subj', '/CN=localhost'];
  execFileSync('openssl', args, { stdio: 'ignore' });
}

const here = join(root, 'test/lanes/windows');
const { optionalDependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const versions = Object.keys(optionalDependencies).map((name) => name.replace('node-', ''));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((version) => !versions.includes(version));
if (unknown.length > 0) {
  console.error(`test:windows has Node ${versions.join(', ')}, and not ${unknown.join(', ')}`);
  process.exit(1);
}

const wine = execFileSync(join(here, 'wine.sh'), {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
}).trim();
const tools = modulesOf('win32-tools', here);
const nodeExe = (version) => join(tools, `node-${version}/bin/node.exe`);

const folder = mkdtempSync(join(tmpdir(), 'socket-options-windows-'));
const checkout = join(folder, 'checkout');
const programs = join(wine, 'root/usr/lib/wine');
const environment = {
  ...process.env,
  WINELOADER: join(programs, 'wine64'),
  WINESERVER: join(programs, 'wineserver64'),
  WINEPREFIX: join(folder, 'prefix'),
  WINEDEBUG: '-all',
  // Wine must not look for .NET or a browser, or add menu entries.
  WINEDLLOVERRIDES: 'mscoree,mshtml,winemenubuilder.exe=',
  XDG_RUNTIME_DIR: folder,
  NO_COLOR: '1',
  TEST_CERTIFICATE: join(folder, 'certificate'),
  TEST_OTHER_WINDOWS: join(checkout, 'other-windows'),
};
// No display, and no variables that name files of this system.
for (const name of ['DISPLAY', 'WAYLAND_DISPLAY', 'NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS']) {
  delete environment[name];
}

/** Two Wine prefixes, each with its own registry, because tests write to it. */
const windows = [environment, { ...environment, WINEPREFIX: join(folder, 'prefix-2') }];

/** The processes of a Wine prefix, found by their environment. */
function processesOf({ WINEPREFIX }) {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`WINEPREFIX=${WINEPREFIX}\0`);
    } catch {
      // The process has ended.
      return false;
    }
  });
}

/** Ends every process of a Wine prefix, also if its server has crashed. */
function endWine(env) {
  try {
    const options = { env, stdio: 'ignore', timeout: 60_000 };
    execFileSync(environment.WINESERVER, ['--kill', '--wait'], options);
  } catch {
    // No server runs.
  }
  for (const pid of processesOf(env)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // The process has ended.
    }
  }
}

/** Cleans up. */
function end() {
  for (const env of windows) endWine(env);
  rmSync(folder, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    end();
    process.exit(1);
  });
}

/**
 * Whether the server of a Wine prefix runs. It crashes in some runs, mostly while its first program starts. Then every
 * program of the prefix waits for ever.
 */
function hasServer(env) {
  return processesOf(env).some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'wineserver\n';
    } catch {
      // The process has ended.
      return false;
    }
  });
}

/** A run that prints nothing for this long is stuck. The longest test file takes a minute. */
const LONGEST_SILENCE = 5 * 60_000;
/** A program starts the server again where it has ended by itself, which takes less. */
const LONGEST_WITHOUT_SERVER = 20_000;
/** How often a suite is begun: Wine's server ended by itself in two of three runs on a busy machine. */
const ATTEMPTS = 5;

/**
 * Runs a program; returns its exit status, or `'stuck'` if it was ended because it printed nothing, or has no server.
 * node.exe in Wine writes its output to files, not to pipes.
 */
async function run(program, args, env, output) {
  const file = openSync(output, 'w');
  const stdio = ['ignore', file, file];
  const child = spawn(program, args, { cwd: checkout, env, stdio });
  const isInWine = program === env.WINELOADER;
  let isStuck = false;
  let served = Date.now();
  const watch = setInterval(() => {
    const now = Date.now();
    if (!isInWine || hasServer(env)) served = now;
    isStuck =
      now - served > LONGEST_WITHOUT_SERVER || now - statSync(output).mtimeMs > LONGEST_SILENCE;
    if (isStuck) child.kill('SIGKILL');
  }, 1_000);
  const [status] = await once(child, 'exit');
  clearInterval(watch);
  closeSync(file);
  return isStuck ? 'stuck' : status;
}

/** Runs vitest; the last line of test/support/reporter.mts has the counts. */
async function suite(title, program, args, env = environment) {
  const start = Date.now();
  const output = join(folder, title.replaceAll(/\W+/g, '-'));
  const status = await run(program, args, env, output);
  const text = readFileSync(output, 'utf8');
  console.log(`\n--- ${title}\n${text}`);
  const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped\r?$/m.exec(text);
  const [passed = 0, failed = 0, skipped = 0] = counts?.slice(1).map(Number) ?? [];
  const seconds = Math.round((Date.now() - start) / 1000);
  const line = `${title}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s`;
  const isGood = status === 0 && passed > 0 && failed === 0;
  return { line: isGood ? line : `${line}: FAILED, exit ${status}`, isGood, status };
}

try {
  copyCheckout(checkout);
  makeCertificate(environment.TEST_CERTIFICATE);
  const results = [];
  const tested = wanted.length > 0 ? wanted : versions;
  const waiting = [...tested];
  const boot = (env) =>
    run(env.WINELOADER, ['wineboot', '--init'], env, `${env.WINEPREFIX}-wineboot`);
  const oneByOne = async (env) => {
    await boot(env);
    const prefix = env.WINEPREFIX;
    for (let version = waiting.shift(); version !== undefined; version = waiting.shift()) {
      // A thread instead of processes, which Wine starts in a second; one, because files share a registry.
      const options = ['--pool=threads', '--maxWorkers=1'];
      const args = [nodeExe(version), 'node_modules/vitest/vitest.mjs', 'run', ...options];
      const title = `node.exe ${version} in Wine`;
      let result = await suite(title, env.WINELOADER, args, env);
      for (let attempt = 2; result.status === 'stuck' && attempt <= ATTEMPTS; attempt++) {
        console.log(`${result.line}\nOnce more, in a new Wine`);
        endWine(env);
        env.WINEPREFIX = `${prefix}-${version}-${attempt}`;
        await boot(env);
        result = await suite(title, env.WINELOADER, args, env);
      }
      results.push(result);
    }
  };
  // Two at a time: programs in Wine wait half of the time for Wine's server.
  await Promise.all(windows.map(oneByOne));
  environment.WINDOWS_NODES = JSON.stringify(
    Object.fromEntries(tested.map((version) => [version, nodeExe(version)])),
  );
  environment.WINDOWS_CHECKOUT = checkout;
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const config = ['--root', root, '--config', join(here, 'vitest.config.mts')];
  const args = [vitest, 'run', ...config];
  results.push(await suite('the kernel of Linux, of the same sockets', process.execPath, args));
  console.log(`\n${results.map(({ line }) => line).join('\n')}`);
  if (!results.every(({ isGood }) => isGood)) process.exitCode = 1;
} finally {
  end();
}
