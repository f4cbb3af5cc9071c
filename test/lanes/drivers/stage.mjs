// The experiment, in network and process namespaces: two connected machines, with the drivers on one of them, each in one or
// several modes, and the servers on the other one, which falls silent. Prints the results as JSON. When this
// process ends, everything that it started ends too.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { now } from './address.mjs';
import { packageOf } from './drivers.mjs';
import { start, startServers, tell } from './machines.mjs';

const [data, programs, plan] = process.argv.slice(2);
/** What the test asks for: see drivers.test.ts. */
const { clients: planned, timeout, cases, watch } = JSON.parse(plan);
const here = (file) => new URL(file, import.meta.url).pathname;

const { servers, versions: serverVersions } = await startServers(data, programs, cases.length);

function versionOf(name) {
  const folder = packageOf(name);
  if (folder === null) return null;
  return JSON.parse(readFileSync(here(`node_modules/${folder}/package.json`), 'utf8')).version;
}

const clients = planned.map((one) => ({ ...one }));
// A few at a time: only starting takes processor time.
const queue = [...clients];
await Promise.all(
  Array.from({ length: 4 }, async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const args = JSON.stringify({ ...one, timeout, cases });
      one.process = start(process.execPath, here('client.mjs'), args);
      one.connections = await tell(one.process, ['open']);
      one.closed = one.connections.map(() => null);
    }
  }),
);
// One after the other, and before the servers fall silent: otherwise all attempts fail at the same time, when the clients are
// busiest, and measure that.
for (const one of clients) await tell(one.process, ['connectToDead']);
await sleep(1_000);
await Promise.all(clients.map((one) => tell(one.process, ['freshen'])));
// Until the last data is acknowledged on both sides.
await sleep(100);
const before = established();
const gone = clients.filter(({ connections }) => !connections.every((one) => before.has(one)));
if (gone.length > 0) throw new Error(`ended too early: ${gone.map(({ name }) => name).join(', ')}`);
const silence = await tell(servers, 'fallSilent');
await Promise.all(clients.map((one) => tell(one.process, ['silent', silence])));

/** The established connections, from the kernel: a local port may have several. */
function established() {
  const lines = readFileSync('/proc/self/net/tcp', 'utf8').trim().split('\n').slice(1);
  const rows = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === '01');
  const port = (address) => Number.parseInt(address.split(':')[1], 16);
  return new Set(rows.map(([, local, remote]) => `${port(local)} ${port(remote)}`));
}

while (now() < silence + watch) {
  await sleep(20);
  const open = established();
  const at = now();
  for (const { connections, closed } of clients) {
    for (const [index, connection] of connections.entries()) {
      if (closed[index] === null && !open.has(connection)) closed[index] = at;
    }
  }
}

const seconds = (at, begin = silence) => (at === null ? null : Math.round(at - begin) / 1_000);
const since = (one, begin) => (one === undefined ? null : { ...one, at: seconds(one.at, begin) });
const drivers = [];
for (const { name, mode, process: child, closed } of clients) {
  const { untunable, dead, cases: seen } = await tell(child, ['report']);
  drivers.push({
    ...{ name, mode, untunable, version: versionOf(name) },
    dead: {
      attempt: since(dead.attempt, dead.begin),
      request: since(dead.failed, dead.begin),
      told: dead.told.map((one) => since(one, dead.begin)),
    },
    cases: seen.map(({ state, told, failed, answered, code, held }, index) => ({
      ...{ state, held, code, closed: seconds(closed[index]) },
      told: told.map((one) => since(one)),
      request: since(failed),
      answered: answered ?? false,
    })),
  });
  child.kill('SIGKILL');
}
servers.send('end');
await once(servers, 'exit');
const versions = { node: process.version, kernel: os.release(), ...serverVersions };
console.log(JSON.stringify({ versions, drivers, watched: watch / 1_000 }));
process.exit(0);
