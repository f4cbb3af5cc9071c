// npm run bench:pools [-- --write] [-- --requests <number>]: how many requests over pooled connections meet a connection
// that the server just closed, with and without isReusable(). With --write, the table is written to docs/pools.md.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { markdownTable, writeBlock } from '../../../scripts/marked-block.mjs';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** The server closes what was idle for `idle`; the clients leave it idle for `idle`, plus or minus `spread`. */
const IDLE = 500;
const SPREAD = 250;
/** Of all modes together. */
const USERS = 800;

const MODES = ['unchecked', 'checked'];
/** undici 7.27 is the last one that does not wait for a turn of the event loop before it uses a connection again. */
const CLIENTS = ['http.Agent', 'undici-7.27', 'undici'];
const LOOPS = { free: 'free', busy: 'busy 20 ms of every 100 ms' };

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    requests: { type: 'string', default: '100000' },
  },
});
const requests = Number(values.requests);
if (!Number.isInteger(requests) || requests < 1) {
  console.error('bench:pools: --requests takes a number from 1');
  process.exit(2);
}

/** Runs one client on a new server. Returns resets and connections of each mode. */
async function measure(name, loop) {
  const server = fork(here('pool-server.mjs'), [`${IDLE}`]);
  try {
    const [{ port }] = await once(server, 'message');
    const plan = { name, modes: MODES, busy: loop === 'busy', port, requests };
    const client = fork(here('pool-client.mjs'), [
      JSON.stringify({ ...plan, users: USERS / MODES.length, idle: IDLE, spread: SPREAD }),
    ]);
    const ended = once(client, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code}`);
    });
    const [{ resets }] = await Promise.race([once(client, 'message'), ended]);
    ended.catch(() => {});
    server.send('count');
    const [{ connections }] = await once(server, 'message');
    return MODES.map((_, i) => ({ resets: resets[i], connections: connections[i + 1] }));
  } finally {
    server.kill();
  }
}

const rows = [];
for (const name of CLIENTS) {
  for (const loop of Object.keys(LOOPS)) {
    const results = await measure(name, loop);
    console.error(name, loop, JSON.stringify(results));
    rows.push({ name, loop, results });
  }
}

function versionOf(name) {
  if (name === 'http.Agent') return `${name}, Node ${process.version}`;
  const file = here(`node_modules/${name}/package.json`);
  return `undici ${JSON.parse(readFileSync(file, 'utf8')).version}`;
}

function cell({ resets, connections }) {
  const per100k = Math.round((resets * 100_000) / requests).toLocaleString('en');
  return `${per100k} (${Math.round((1 - connections / requests) * 100)} %)`;
}

const table = markdownTable([
  ['Client', 'Event loop', 'Without', 'With `isReusable`'],
  ...rows.map(({ name, loop, results }) => [versionOf(name), LOOPS[loop], ...results.map(cell)]),
]);
const kernel = /^\d+\.\d+\.\d+/.exec(release())[0];
const machine = `Node ${process.version}, Linux ${kernel}, ${cpus().length} processors`;
const block = `${machine}; ${requests.toLocaleString('en')} requests in each column.\n\n${table}`;
console.log(`\n${block}`);
if (values.write) writeBlock('docs/pools.md', 'pools', block);
