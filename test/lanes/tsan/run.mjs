// npm run test:tsan: the threads of the addon under ThreadSanitizer, which must find planted races first. Node is not
// instrumented: the sanitizer sees its locks, but not its atomic operations. So a report fails the lane only if it has
// a frame of the addon; others are counted. See docs/decisions/0016-lanes-with-planted-faults.md.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'socket-options-tsan-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const library = execFileSync('g++', ['-print-file-name=libtsan.so'], { encoding: 'utf8' }).trim();

function build() {
  execFileSync(join(root, 'scripts/build-sanitized.sh'), [folder, 'thread'], { stdio: 'inherit' });
}

/** The scenario on the instrumented addon: what it printed, and whether it ended well. */
function run(rounds) {
  // The sanitizer wants its own places in memory, which a random layout may have taken.
  const args = ['-R', process.execPath, join(root, 'test/lanes/tsan/threads.mjs')];
  const { status, stdout, stderr } = spawnSync('setarch', args, {
    encoding: 'utf8',
    timeout: 240_000,
    env: {
      ...process.env,
      SOCKET_OPTIONS_PREBUILD: folder,
      LD_PRELOAD: realpathSync(library),
      TSAN_OPTIONS: 'exitcode=0',
      TSAN_ROUNDS: String(rounds),
    },
  });
  const text = `${stdout}${stderr}`;
  const reports = text
    .split(/^={18}$/m)
    .filter((part) => part.includes('WARNING: ThreadSanitizer'));
  const ours = reports.filter((report) =>
    /socket_options\.node|native\/[\w/]+\.(cc|h)/.test(report),
  );
  const good = status === 0 && stdout.includes('closed connections told') && ours.length === 0;
  const title = `${stdout.trim().split('\n').at(-1)}; reports of Node alone: ${reports.length - ours.length}`;
  return { good, title, ours, text };
}

/** Planted races, by file: the text there, and its replacement. */
const PLANTED = [
  {
    what: 'a watch without its lock',
    file: 'platform/linux_watch.cc',
    take: 'pthread_mutex_lock(mutex_);',
    put: 'static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER; mutex_ = &own; if (false) pthread_mutex_lock(mutex_);',
  },
  {
    what: 'a count that two reading threads share',
    file: 'tcp_info.cc',
    take: 'void ReadAll(const Batch& batch) {',
    put: 'void ReadAll(const Batch& batch) { static volatile int planted; planted = planted + 1;',
  },
];

let passed = 0;
const failures = [];
function expect(isGood, title, text) {
  console.log(`${isGood ? 'passed' : 'FAILED'}  ${title}`);
  if (isGood) passed++;
  else failures.push(`${title}\n${text}`);
}

build();
for (const { what, file, take, put } of PLANTED) {
  const path = join(folder, 'native', file);
  const source = readFileSync(path, 'utf8');
  if (source.split(take).length !== 2) throw new Error(`${file} has not once "${take}"`);
  writeFileSync(path, source.replace(take, put));
  build();
  const { ours, text } = run(2);
  expect(
    ours.some((report) => report.includes('data race')),
    `found the planted race: ${what}`,
    text,
  );
  writeFileSync(path, source);
}
build();
const { good, title, text } = run(20);
expect(good, `watches and asynchronous reads: ${title}`, text);
for (const failure of failures) console.error(`\n${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
