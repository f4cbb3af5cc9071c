// A first look, on a real connection: what this system gives to every socket, what Node's own
// setKeepAlive(true) leaves in the kernel, and what tuning changes for a peer that vanishes.

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
// Some systems do not tell.
const seconds = (milliseconds) => (milliseconds === null ? '?' : `${milliseconds / 1_000} s`);
const after = (milliseconds) =>
  Number.isFinite(milliseconds) ? `after ${(milliseconds / 1_000).toFixed(1)} s` : 'never';

step('1. What this system gives to every socket (socket-options defaults)');
const commandLine = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
execFileSync(process.execPath, [commandLine, 'defaults'], { stdio: 'inherit' });

const server = net.createServer((socket) => socket.resume());
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address();
const socket = net.connect(port, '127.0.0.1');
await once(socket, 'connect');

step(`2. A TCP connection to 127.0.0.1:${port}, as the kernel has it`);
show();

step('3. After socket.setKeepAlive(true) of Node itself');
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

step('5. One number instead of five: within 20 s, whatever the connection is doing');
console.log('setDeadPeerTimeout(socket, 20_000)\n');
try {
  setDeadPeerTimeout(socket, 20_000);
  show();
} catch ({ message }) {
  // A system that cannot bound a write: an old Windows, or Wine.
  console.log(`  not here: ${message}`);
}

socket.destroy();
server.close();

/** Reads keepalive and the user timeout back from the kernel, and says what each number means. */
function show() {
  const { enable, initialDelay, interval, count } = getKeepAlive(socket);
  const userTimeout = isSupported('userTimeout') ? getOption(socket, 'userTimeout') : 0;
  line('enable', enable, enable ? 'a silent peer is probed' : 'a silent peer is never probed');
  line('initialDelay', seconds(initialDelay), 'silence until the first probe');
  line('interval', seconds(interval), 'between two probes');
  line(
    'count',
    count ?? '?',
    userTimeout
      ? 'without effect beside a userTimeout'
      : 'unanswered probes, then the socket fails',
  );
  line(
    'userTimeout',
    userTimeout ? seconds(userTimeout) : 'off',
    userTimeout ? 'unacknowledged or unanswered, then it fails' : "the system's retries decide",
  );
  const { idle, busy, worst } = getDeadPeerBounds(socket);
  console.log('\nIf the peer vanishes now (power, cable, router), the socket fails');
  console.log(`  while idle:      ${after(idle)}`);
  console.log(`  during a write:  ${after(busy)}`);
  console.log(`  at the worst:    ${after(worst)}`);
}

function line(name, value, meaning) {
  console.log(`  ${name.padEnd(13)} ${String(value).padEnd(8)} ${meaning}`);
}
