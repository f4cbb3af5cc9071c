// npm run test:gvisor: runs the checks of checks.mjs on this Node inside gVisor, with the built product.
//
// `runsc do` shows the files of this system to the program, and keeps what it writes in memory. The program has the
// loopback device of gVisor, and no network.

import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

if (process.getuid() !== 0) {
  console.error('test:gvisor needs root: runsc makes namespaces');
  process.exit(1);
}
const runsc = execFileSync(fileOf('runsc.sh'), {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
}).trim();
const flags = ['--platform=systrap', '--network=none', '--ignore-cgroups'];
const program = [process.execPath, fileOf('checks.mjs')];
// A pipe, because gVisor does not continue at the position of a file.
const { status, signal, error, stdout } = spawnSync(
  runsc,
  [...flags, 'do', '-quiet', '-cwd', fileOf('.'), ...program],
  {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  },
);
process.stdout.write(stdout ?? '');
const counts = /^[1-9]\d* passed, 0 failed, \d+ skipped$/m.test(stdout ?? '');
if (status !== 0 || !counts) {
  console.error(`test:gvisor: ${error ?? signal ?? `exit status ${status}`}`);
  process.exitCode = 1;
}
