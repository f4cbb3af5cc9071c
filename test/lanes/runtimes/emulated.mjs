// npm run test:emulated: the suite of this lane on each processor of Linux that an emulator has here, and on arm64 also
// the tests of the project that work in an emulator. `-- linux-s390x` runs one system.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  binary,
  compileShared,
  needs,
  root,
  runSuite,
  runVitest,
  stop,
  versionOf,
  withProject,
} from './lane.mjs';
import { checkNames } from './table.mjs';

const riscv64 = execFileSync(fileURLToPath(new URL('riscv64.sh', import.meta.url)), {
  encoding: 'utf8',
}).trim();

/** By system: the name that qemu has for the processor, the folder of its libraries, and Node. */
const MACHINES = {
  'linux-arm64': ['aarch64', '/usr/aarch64-linux-gnu', binary('node-arm64/bin/node')],
  'linux-arm': ['arm', '/usr/arm-linux-gnueabihf', binary('node-arm/bin/node')],
  'linux-ppc64': ['ppc64le', '/usr/powerpc64le-linux-gnu', binary('node-ppc64/bin/node')],
  'linux-riscv64': ['riscv64', riscv64, join(riscv64, 'usr/bin/node')],
  // The only one whose numbers begin with the big end.
  'linux-s390x': ['s390x', '/usr/s390x-linux-gnu', binary('node-s390x/bin/node')],
};

const SHORT = 'qemu-user cuts TCP_INFO to 4 bytes';
const NETLINK = 'qemu-user has no NETLINK_SOCK_DIAG';
const skips = {
  'getTcpInfo, getKernelTcpInfo, TcpInfoReader': SHORT,
  'readTcpInfos, readTcpInfosAsync': SHORT,
  'Heartbeat: whether the system of a silent peer answers': SHORT,
  'Heartbeat: the same over TLS': SHORT,
  'listConnections, listConnectionsAsync': NETLINK,
  watchClosedConnections: NETLINK,
  diagnoseConnections: NETLINK,
  destroyConnection: NETLINK,
};

const TURNED = 'qemu-user takes what is no int for one, and turns its bytes around';
const skipsOfBigEndian = {
  ...skips,
  'the congestion control, a text': TURNED,
  'Heartbeat: a silent peer over TCP is dead': TURNED,
  'PeerRegistry: counts of the kernel': TURNED,
};

for (const [name] of Object.values(MACHINES)) needs(`qemu-${name}-static`, 'qemu-user-static');
const emulated = execFileSync('qemu-aarch64-static', ['--version'], { encoding: 'utf8' });
console.log(emulated.split('\n')[0]);

/** The native part of vitest for arm64, in the version that is installed here. */
function bundler() {
  const versions = ['@rolldown/binding-linux-arm64-gnu', 'rolldown'].map((name, index) => {
    const file = join(
      index === 0 ? binary(name) : join(root, 'node_modules', name),
      'package.json',
    );
    return JSON.parse(readFileSync(file, 'utf8')).version;
  });
  if (versions[0] !== versions[1]) {
    stop(
      `test/lanes/runtimes/package.json has rolldown ${versions[0]}, but ${versions[1]} is installed`,
    );
  }
  return binary('@rolldown/binding-linux-arm64-gnu/rolldown-binding.linux-arm64-gnu.node');
}

function runEmulatedVitest(folder, command, version) {
  const node = join(folder, 'node');
  const words = command.map((word) => `"${word}"`).join(' ');
  writeFileSync(node, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  const preload = fileURLToPath(new URL('emulated/preload.cjs', import.meta.url));
  return runVitest(command, 'linux-arm64', version, {
    flags: ['--config', 'test/lanes/runtimes/vitest.config.mts'],
    env: {
      NODE_OPTIONS: `--require="${preload}"`,
      EMULATED_NODE: node,
      EMULATED_REFERENCE_ADDON: join(folder, 'reference_addon.node'),
      NAPI_RS_NATIVE_LIBRARY_PATH: bundler(),
    },
  });
}

const failed = [];
const totals = [];
function tell(title, { passed, summary }) {
  totals.push(`${title}: ${summary}`);
  if (!passed) failed.push(title);
}

/** TCP_INFO as the C compiler of the processor lays it out, read by the package. */
function readFixedTcpInfo(folder, system, [emulator, ...command]) {
  const [source, check] = ['fixed_tcp_info.c', 'tcp-info.mjs'].map((name) =>
    fileURLToPath(new URL(`emulated/${name}`, import.meta.url)),
  );
  const library = join(folder, 'fixed_tcp_info.so');
  compileShared(system, source, library);
  const script = join(folder, 'suite/tcp-info.mjs');
  copyFileSync(check, script);
  const args = ['-E', `LD_PRELOAD=${library}`, ...command, script, source];
  return spawnSync(emulator, args, { stdio: 'inherit', timeout: 60_000 }).status === 0;
}

const wanted = process.argv.slice(2);
for (const system of wanted) if (MACHINES[system] === undefined) stop(`there is no ${system}`);
for (const [system, [name, libraries, node]] of Object.entries(MACHINES)) {
  if (wanted.length > 0 && !wanted.includes(system)) continue;
  const command = [`qemu-${name}-static`, '-L', libraries, node];
  const version = versionOf(...command);
  const title = `Node ${version} on ${system}`;
  await withProject(system, async (folder) => {
    const result = runSuite(folder, title, command, {
      skips: system === 'linux-s390x' ? skipsOfBigEndian : skips,
    });
    tell(title, result);
    if (result.passed) checkNames(result.outcomes);
    if (!readFixedTcpInfo(folder, system, command)) failed.push(`${title}, TCP_INFO`);
    // On one processor only: it takes as long as the suite on six.
    if (system !== 'linux-arm64') return;
    tell(`${title}, vitest`, await runEmulatedVitest(folder, command, version));
  });
}
console.log(`\n${totals.join('\n')}`);
if (failed.length > 0) stop(`failed: ${failed.join(', ')}`);
