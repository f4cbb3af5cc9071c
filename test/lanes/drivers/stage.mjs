// In namespaces of its own (network, processes): two machines, a cable between them, every driver on
// one of them, tuned and untuned, and the servers on the other, which falls silent. Prints what
// happened as JSON. When this process ends, so does all that it started.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT, now } from './address.mjs';
import { DRIVERS } from './drivers.mjs';

const [data, programs, timeout, cases, watch] = process.argv.slice(2);
const CASES = JSON.parse(cases);
const here = (file) => new URL(file, import.meta.url).pathname;
const ip = (...args) => execFileSync('ip', args);

function start(command, ...args) {
  return spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function tell(child, order) {
  child.send(order);
  const [answer] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code, signal]) => [{ error: `ended with ${code ?? signal}` }]),
  ]);
  if (answer.error !== undefined) throw new Error(`${order}: ${answer.error}`);
  return answer.result;
}

ip('link', 'set', 'lo', 'up');
const servers = start(
  ...['unshare', '--net', process.execPath, here('servers.mjs')],
  ...[data, programs, `${CASES.length}`],
);
// Its namespace is there when the program that unshare(1) becomes is.
const program = () => readFileSync(`/proc/${servers.pid}/cmdline`, 'utf8');
while (!program().startsWith(process.execPath)) await sleep(10);
ip('link', 'add', 'client', 'type', 'veth', 'peer', 'name', 'server', 'netns', `${servers.pid}`);
ip('address', 'add', `${CLIENT}/24`, 'dev', 'client');
ip('link', 'set', 'client', 'up');
const serverVersions = await tell(servers, 'begin');

function versionOf(name) {
  const built = ['fetch', 'http.Agent', 'http2'].includes(name);
  if (built) return null;
  return JSON.parse(readFileSync(here(`node_modules/${name}/package.json`), 'utf8')).version;
}

const clients = Object.keys(DRIVERS).flatMap((name) =>
  ['tuned', 'untuned'].map((mode) => ({ name, mode })),
);
// A few at a time: to start is all that costs processor time here.
const queue = [...clients];
await Promise.all(
  Array.from({ length: 4 }, async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const args = [here('client.mjs'), one.name, one.mode, timeout, cases];
      one.process = start(process.execPath, ...args);
      one.connections = await tell(one.process, ['open']);
      one.closed = one.connections.map(() => null);
    }
  }),
);
await Promise.all(clients.map((one) => tell(one.process, ['freshen'])));
// Until what was said last is acknowledged on both sides.
await sleep(100);
const before = established();
const gone = clients.filter(({ connections }) => !connections.every((one) => before.has(one)));
if (gone.length > 0) throw new Error(`ended too early: ${gone.map(({ name }) => name).join(', ')}`);
const silence = await tell(servers, 'fallSilent');
await Promise.all(clients.map((one) => tell(one.process, ['silent', silence])));

/** Connections that are established, as the kernel lists them: a local port may serve several. */
function established() {
  const lines = readFileSync('/proc/self/net/tcp', 'utf8').trim().split('\n').slice(1);
  const rows = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === '01');
  const port = (address) => Number.parseInt(address.split(':')[1], 16);
  return new Set(rows.map(([, local, remote]) => `${port(local)} ${port(remote)}`));
}

while (now() < silence + Number(watch)) {
  await sleep(20);
  const open = established();
  const at = now();
  for (const { connections, closed } of clients) {
    for (const [index, connection] of connections.entries()) {
      if (closed[index] === null && !open.has(connection)) closed[index] = at;
    }
  }
}

const seconds = (at) => (at === null ? null : Math.round(at - silence) / 1_000);
const since = (one) => (one === undefined ? null : { ...one, at: seconds(one.at) });
const drivers = [];
for (const { name, mode, process: child, closed } of clients) {
  const { untunable, cases: seen } = await tell(child, ['report']);
  drivers.push({
    ...{ name, mode, untunable, version: versionOf(name) },
    cases: seen.map(({ state, told, failed, answered, code, held }, index) => ({
      ...{ state, held, code: code ?? null, closed: seconds(closed[index]) },
      told: told.map(since),
      request: since(failed),
      answered: answered ?? false,
    })),
  });
  child.kill('SIGKILL');
}
servers.send('end');
await once(servers, 'exit');
const versions = { node: process.version, kernel: os.release(), ...serverVersions };
console.log(JSON.stringify({ versions, drivers, watched: Number(watch) / 1_000 }));
process.exit(0);
