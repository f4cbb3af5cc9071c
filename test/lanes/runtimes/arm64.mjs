// npm run test:arm64: the suite of this lane on emulated arm64 and 32-bit arm processors, and on arm64 also the tests
// of the project that work in an emulator.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary, needs, root, runSuite, runVitest, stop, versionOf, withProject } from './lane.mjs';
import { checkNames } from './table.mjs';

const emulator = (name, libraries) => [`qemu-${name}-static`, '-L', libraries];

const MACHINES = {
  'linux-arm64': [...emulator('aarch64', '/usr/aarch64-linux-gnu'), binary('node-arm64/bin/node')],
  'linux-arm': [...emulator('arm', '/usr/arm-linux-gnueabihf'), binary('node-arm/bin/node')],
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
  destroyConnection: NETLINK,
};

for (const name of ['aarch64', 'arm']) needs(`qemu-${name}-static`, 'qemu-user-static');
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

for (const [system, command] of Object.entries(MACHINES)) {
  const version = versionOf(...command);
  const title = `Node ${version} on ${system}`;
  await withProject(system, async (folder) => {
    const result = runSuite(folder, title, command, { skips });
    tell(title, result);
    if (result.passed) checkNames(result.outcomes);
    // The newest Node for 32-bit arm on npm is too old for vitest.
    if (system !== 'linux-arm64') return;
    tell(`${title}, vitest`, await runEmulatedVitest(folder, command, version));
  });
}
console.log(`\n${totals.join('\n')}`);
if (failed.length > 0) stop(`failed: ${failed.join(', ')}`);
