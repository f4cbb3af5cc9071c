// Shows on a real connection what this system sets on every socket, what Node's own setKeepAlive(true) sets in
// the kernel, and how tuning changes the time to detect a vanished peer.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  getDeadPeerBounds,
  getKeepAlive,
  getOption,
  isSupported,
  setDeadPeerTimeout,
  setKeepAlive,
  setOptions,
} from 'socket-options';

const step = (title) => console.log(`\n== ${title}\n`);
// null: the system does not report the value.
const seconds = (milliseconds) => (milliseconds === null ? '?' : `${milliseconds / 1_000} s`);
const after = (milliseconds) =>
  Number.isFinite(milliseconds) ? `after ${(milliseconds / 1_000).toFixed(1)} s` : 'never';

step('1. The defaults of every socket on this system (socket-options defaults)');
const commandLine = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
execFileSync(process.execPath, [commandLine, 'defaults'], { stdio: 'inherit' });

const server = net.createServer((socket) => socket.resume());
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address();
const socket = net.connect(port, '127.0.0.1');
await once(socket, 'connect');

step(`2. The options of a TCP connection to 127.0.0.1:${port}, read from the kernel`);
show();

step('3. After socket.setKeepAlive(true) of Node');
socket.setKeepAlive(true);
show();

step('4. After tuning it with this package');
const keepAlive = { enable: true, initialDelay: 30_000, interval: 5_000, count: 3 };
console.log(`setKeepAlive(socket, ${JSON.stringify(keepAlive).replaceAll('"', '')})`);
setKeepAlive(socket, keepAlive);
if (isSupported('userTimeout')) {
  console.log('setOptions(socket, { userTimeout: 45_000 })');
  setOptions(socket, { userTimeout: 45_000 });
}
console.log();
show();

step('5. One number instead of five: a dead-peer timeout of 20 s in every state');
console.log('setDeadPeerTimeout(socket, 20_000)\n');
try {
  setDeadPeerTimeout(socket, 20_000);
  show('this package watches the socket');
} catch ({ message }) {
  // Old versions of Windows, and Wine, cannot limit the time of a write.
  console.log(`  not supported here: ${message}`);
}

socket.destroy();
server.close();

/** Reads keepalive and the user timeout from the kernel, and explains each number. */
function show(withoutUserTimeout = 'the retries of the system decide') {
  const { enable, initialDelay, interval, count } = getKeepAlive(socket);
  const userTimeout = isSupported('userTimeout') ? getOption(socket, 'userTimeout') : 0;
  line('enable', enable, enable ? 'a silent peer is probed' : 'a silent peer is never probed');
  line('initialDelay', seconds(initialDelay), 'silence until the first probe');
  line('interval', seconds(interval), 'between two probes');
  line(
    'count',
    count ?? '?',
    userTimeout ? 'ignored while a userTimeout is set' : 'unanswered probes, then the socket fails',
  );
  line(
    'userTimeout',
    userTimeout ? seconds(userTimeout) : 'off',
    userTimeout ? 'without an acknowledgement, then it fails' : withoutUserTimeout,
  );
  const { idle, busy, worst } = getDeadPeerBounds(socket);
  console.log('\nIf the peer vanishes now (power, cable, router), the socket fails');
  console.log(`  while idle:      ${after(idle)}`);
  console.log(`  during a write:  ${after(busy)}`);
  console.log(`  at worst:        ${after(worst)}`);
}

function line(name, value, meaning) {
  console.log(`  ${name.padEnd(13)} ${String(value).padEnd(8)} ${meaning}`);
}
