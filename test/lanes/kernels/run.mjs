// npm run test:kernels: the package on other kernels, in virtual time: an emulator whose clock jumps over idle time.
//
//   node test/lanes/kernels/run.mjs                  every kernel of KERNELS, with a day of living peers
//   node test/lanes/kernels/run.mjs sid bookworm     these alone
//   --without-day                                    without the day: a third of the time
//   --at-once=1                                      one guest after the other; by default one for each processor
//
// WRITE_DOCS=1 writes the tables of docs/kernels.md and docs/dead-peers.md, if every kernel has run. Without the day they lack its row.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';
import { needs, root, stop, withProject } from '../runtimes/lane.mjs';
import { checkPlaces, writeTables } from './tables.mjs';
import { buildTcpInfoReader } from './tcp-info.mjs';

/** Debian's suites, the oldest kernel first. */
const KERNELS = ['bookworm', 'trixie', 'sid', 'experimental'];
const PACKAGES = ['linux-image-cloud-amd64', 'linux-libc-dev'];
const PARTS = '^linux-(image|binary|modules)-[0-9].*-cloud-amd64$';

const here = fileURLToPath(new URL('.', import.meta.url));
/** A guest that takes longer has failed: five times what it takes on a machine that does nothing else. */
const PATIENCE = 1_500_000;

const { values, positionals: suites } = parseArgs({
  allowPositionals: true,
  options: {
    'without-day': { type: 'boolean', default: false },
    'at-once': { type: 'string', default: String(cpus().length) },
  },
});
const hasDay = !values['without-day'];
for (const suite of suites) {
  if (!KERNELS.includes(suite)) stop(`no kernel of ${suite}: choose from ${KERNELS.join(', ')}`);
}
needs('qemu-system-x86_64', 'qemu-system-x86 seabios');
needs('modinfo', 'kmod');
needs('cpio', 'cpio');
needs('gcc', 'gcc');
needs('nft', 'nftables');

function packages(...args) {
  return execFileSync(join(root, 'test/support/debian-packages.sh'), args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
}

/** Completes what every guest runs. */
function addGuest(project) {
  cpSync(join(here, 'guest'), join(project, 'guest'), { recursive: true });
  buildSync({
    entryPoints: [join(root, 'test/support/wire-lines.ts')],
    outfile: join(project, 'wire-lines.mjs'),
    format: 'esm',
  });
}

/** Runs the guest of a kernel; returns what it reported. */
async function run(suite, project, folder) {
  const kernel = packages('--follow', PARTS, suite, `kernel-${suite}`, ...PACKAGES);
  const busybox = packages('trixie', 'busybox', 'busybox-static');
  mkdirSync(folder);
  const own = join(folder, 'project');
  cpSync(project, own, { recursive: true });
  buildTcpInfoReader(kernel, join(own, 'tcp-info'));
  execFileSync(join(here, 'image.sh'), [kernel, busybox, own, process.execPath, folder], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const start = performance.now();
  const report = join(folder, 'report');
  const settings = hasDay ? '' : ' WITHOUT_DAY=1';
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      // The clock counts instructions, and jumps to the next timer when there is nothing to do.
      ...['-accel', 'tcg', '-icount', 'shift=0,sleep=off', '-rtc', 'clock=vm'],
      ...['-cpu', 'max', '-m', '1500', '-nodefaults', '-nographic', '-no-reboot', '-nic', 'none'],
      ...['-kernel', join(folder, 'vmlinuz'), '-initrd', join(folder, 'initrd.gz')],
      ...['-serial', `file:${join(folder, 'console')}`, '-serial', `file:${report}`],
      '-append',
      `console=ttyS0 quiet panic=-1 clocksource=tsc tsc=reliable nokaslr${settings}`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], timeout: PATIENCE, killSignal: 'SIGKILL' },
  );
  await once(qemu, 'close');
  const wallSeconds = Math.round((performance.now() - start) / 1_000);
  const lines = existsSync(report) ? readFileSync(report, 'utf8').split(/\r?\n/) : [];
  const measured = lines.find((line) => line.startsWith('measured: '))?.slice(10);
  const counts = lines.map((line) => /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(line));
  const [, passed, failed, skipped] = counts.find((match) => match !== null) ?? [];
  for (const line of lines) {
    if (!/^(passed|measured|works|$)/.test(line)) console.log(`${suite}: ${line}`);
  }
  if (passed === undefined || !lines.includes('exit status 0')) {
    console.log(`${suite}: the guest did not end as it should. Its console:`);
    console.log(readFileSync(join(folder, 'console'), 'utf8').slice(-2_000));
  }
  rmSync(folder, { recursive: true });
  return {
    suite,
    wallSeconds,
    facts: measured === undefined ? undefined : JSON.parse(measured),
    passed: Number(passed ?? 0),
    failed: passed === undefined ? 1 : Number(failed),
    skipped: Number(skipped ?? 0),
  };
}

const writesDocs = process.env.WRITE_DOCS === '1';
if (writesDocs) {
  if (suites.length > 0) stop('WRITE_DOCS=1 needs every kernel');
  checkPlaces();
}

const results = [];
await withProject('linux-x64', async (project) => {
  addGuest(project);
  const scratch = mkdtempSync(join(tmpdir(), 'socket-options-kernels-'));
  const waiting = suites.length > 0 ? [...suites] : [...KERNELS];
  const worker = async () => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) {
      const result = await run(suite, project, join(scratch, suite));
      results.push(result);
      const { passed, failed, skipped, wallSeconds, facts } = result;
      const times = `${facts?.guestSeconds ?? '?'} s of the guest in ${wallSeconds} s`;
      console.log(
        `${suite}: Linux ${facts?.kernel}: ${passed} passed, ${failed} failed, ${skipped} skipped; ${times}`,
      );
    }
  };
  try {
    await Promise.all(
      Array.from({ length: Math.min(Number(values['at-once']), waiting.length) }, worker),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

results.sort((a, b) => KERNELS.indexOf(a.suite) - KERNELS.indexOf(b.suite));
const sum = (name) => results.reduce((total, result) => total + result[name], 0);
const failed = sum('failed');
if (failed === 0 && writesDocs) writeTables(results);
console.log(`${sum('passed')} passed, ${failed} failed, ${sum('skipped')} skipped`);
process.exitCode = failed === 0 && sum('passed') > 0 ? 0 : 1;
