// Writes corpus/: this kernel's replies to the requests of lib/connections/, and its reports of closed connections.
// Run it in a network namespace:
//   unshare --net sh -c 'ip link set lo up && node test/lanes/fuzz/capture.mjs'
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { source } from '../../../scripts/source.mjs';

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('corpus/', import.meta.url));
const connections = await source(['connections/filter', 'connections/linux/request']);
const addon = require('../../../build/Release/socket_options.node');

const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const IPPROTO_MPTCP = 262;

/** Saves the first chunk of a reply: the result of one recvfrom(2). */
function save(name, table) {
  const memory = new Uint8Array(32 * 1024);
  const length = addon.readConnectionTable(table, memory);
  if (length <= 0) throw new Error(`${name}: ${length}`);
  writeFileSync(`${folder}${name}.netlink`, memory.subarray(0, length));
  console.log(name, length);
}

const server = net.createServer((socket) => socket.on('error', () => {}));
await once(server.listen(0, '::'), 'listening');
const { port } = server.address();
const clients = ['127.0.0.1', '127.0.0.1', '::1'].map((host) => net.connect(port, host));
await Promise.all(clients.map((client) => once(client, 'connect')));
clients[0].write('unread');

const all = connections.parseFilter({ tcpInfo: true }, 'filter');
const plain = connections.parseFilter({ state: 'ESTABLISHED' }, 'filter');
const requests = {
  'dump-ipv4': connections.dumpRequest(AF_INET, IPPROTO_TCP, all),
  'dump-ipv6': connections.dumpRequest(AF_INET6, IPPROTO_TCP, all),
  'dump-tcp': connections.dumpTcpRequest(all),
  'dump-plain': connections.dumpRequest(AF_INET, IPPROTO_TCP, plain),
  'dump-mptcp': connections.dumpRequest(AF_INET, IPPROTO_MPTCP, plain),
  // Rejected: there is no such family.
  refused: connections.dumpRequest(99, IPPROTO_TCP, plain),
};
for (const [name, request] of Object.entries(requests)) {
  const table = addon.openConnectionTable(request);
  save(name, table);
  addon.closeConnectionTable(table);
}

const watch = addon.watchClosedConnections(16, () => {});
clients[0].destroy();
clients[2].resetAndDestroy();
await wait(200);
save('closed', watch);
addon.closeConnectionTable(watch);
process.exit();
