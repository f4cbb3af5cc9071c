// npm run test:arm64: on emulated processors, arm64 and 32-bit arm.

import { execFileSync } from 'node:child_process';
import { binary, runSuite, stop, versionOf, withProject } from './lane.mjs';
import { checkNames } from './table.mjs';

const emulator = (name, libraries) => [`qemu-${name}-static`, '-L', libraries];

const MACHINES = {
  'linux-arm64': [...emulator('aarch64', '/usr/aarch64-linux-gnu'), binary('node-arm64/bin/node')],
  // The newest that npm has for it.
  'linux-arm': [...emulator('arm', '/usr/arm-linux-gnueabihf'), binary('node-arm/bin/node')],
};

const SHORT = 'qemu-user cuts TCP_INFO to 4 bytes';
const NETLINK = 'qemu-user has no NETLINK_SOCK_DIAG';
const skips = {
  'getTcpInfo, getKernelTcpInfo, TcpInfoReader': SHORT,
  'readTcpInfos, readTcpInfosAsync': SHORT,
  'listConnections, listConnectionsAsync': NETLINK,
  watchClosedConnections: NETLINK,
  destroyConnection: NETLINK,
};

const version = execFileSync('qemu-aarch64-static', ['--version'], { encoding: 'utf8' });
console.log(version.split('\n')[0]);
const failed = [];
const totals = [];
for (const [system, command] of Object.entries(MACHINES)) {
  const title = `Node ${versionOf(...command)} on ${system}`;
  const { passed, outcomes, summary } = withProject(system, (folder) =>
    runSuite(folder, title, command, { skips }),
  );
  totals.push(`${title}: ${summary}`);
  if (passed) checkNames(outcomes);
  else failed.push(title);
}
console.log(`\n${totals.join('\n')}`);
if (failed.length > 0) stop(`failed: ${failed.join(', ')}`);
