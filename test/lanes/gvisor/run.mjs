// npm run test:gvisor: inside gVisor, with this Node: what the package reports (checks.mjs), the suite of other runtimes, and
// how long it takes until a dead peer is noticed (bounds.mjs).
//
// `runsc do` shows the files of this system to the program, and keeps what it writes in memory. The program has the
// loopback device of gVisor. Only bounds.mjs has a network, which sandbox.sh makes.

import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withProject } from '../runtimes/lane.mjs';

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

const home = execFileSync(
  fileOf('../../support/debian-packages.sh'),
  ['trixie', 'runsc', 'runsc'],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
).trim();
const runsc = `${home}/usr/bin/runsc`;

const NO_COUNTERS = 'gVisor counts no bytes and segments';
const NO_NETLINK = 'gVisor has no NETLINK_SOCK_DIAG';
const skips = {
  'register: sockets that connect': 'the table of connections of gVisor has no timers',
  'the congestion control, a text': 'gVisor has reno and cubic, and no module to name',
  'getTcpInfo, getKernelTcpInfo, TcpInfoReader': NO_COUNTERS,
  'readTcpInfos, readTcpInfosAsync': NO_COUNTERS,
  'listConnections, listConnectionsAsync': NO_NETLINK,
  diagnoseConnections: NO_NETLINK,
  watchClosedConnections: NO_NETLINK,
  destroyConnection: NO_NETLINK,
  'Heartbeat: whether the system of a silent peer answers': NO_COUNTERS,
  'Heartbeat: the same over TLS': NO_COUNTERS,
  'PeerRegistry: counts of the kernel': NO_NETLINK,
};

const total = { passed: 0, failed: 0, skipped: 0 };

/** Runs a program that prints its counts in the last line, and adds them. */
function run(title, program, args, { counts, env } = {}) {
  console.log(`\n${title}`);
  const { status, signal, error, stdout } = spawnSync(program, args, {
    encoding: 'utf8',
    // A pipe, because gVisor does not continue at the position of a file.
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 180_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...env },
  });
  process.stdout.write(stdout ?? '');
  const { passed, failed, skipped } = counts.exec(stdout ?? '')?.groups ?? {};
  const isRight = status === 0 && Number(passed) > 0;
  if (!isRight)
    console.error(`test:gvisor: ${title}: ${error ?? signal ?? `exit status ${status}`}`);
  total.passed += Number(passed ?? 0);
  total.failed += Number(failed ?? 0) || (isRight ? 0 : 1);
  total.skipped += Number(skipped ?? 0);
}

const inside = (folder, script) => [
  ...['--platform=systrap', '--network=none', '--ignore-cgroups'],
  ...['do', '-quiet', '-cwd', folder, process.execPath, script],
];
const COUNTS = /^(?<passed>\d+) passed, (?<failed>\d+) failed, (?<skipped>\d+) skipped$/m;
const SUITE =
  /^\d+ checks: (?<passed>\d+) work, 0 refused, (?<skipped>\d+) skipped, (?<failed>\d+) failed$/m;

run('what it reports', runsc, inside(fileOf('.'), fileOf('checks.mjs')), { counts: COUNTS });
await withProject('linux-x64', (folder) =>
  run('the suite of other runtimes', runsc, inside(folder, 'suite/main.mjs'), {
    counts: SUITE,
    env: {
      ...{ SUITE_LIBC: 'glibc', SUITE_COMMAND: JSON.stringify([process.execPath]) },
      // In the memory of the sandbox.
      ...{ SUITE_REPORT: '/tmp/report.json', SUITE_SKIPS: JSON.stringify(skips) },
    },
  }),
);
const scripts = [fileOf('bounds.mjs'), fileOf('vanishing-peer.mjs')];
run('dead peers', fileOf('sandbox.sh'), [runsc, process.execPath, fileOf('.'), ...scripts], {
  counts: COUNTS,
});
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
if (total.failed > 0) process.exitCode = 1;
