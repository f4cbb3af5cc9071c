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

const BOTH = ['unchecked', 'checked'];
const CASES = [
  ['http.Agent', 'free', BOTH],
  ['http.Agent', 'busy', BOTH],
  ['undici', 'free', BOTH],
  ['undici', 'busy', BOTH],
  // Its undici is not exported: there is no Client to extend.
  ['fetch', 'free', ['unchecked']],
  ['fetch', 'busy', ['unchecked']],
];

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
async function measure(name, loop, modes) {
  const server = fork(here('pool-server.mjs'), [`${IDLE}`]);
  try {
    const [{ port }] = await once(server, 'message');
    const plan = { name, modes, busy: loop === 'busy', port, requests };
    const client = fork(here('pool-client.mjs'), [
      JSON.stringify({ ...plan, users: USERS / modes.length, idle: IDLE, spread: SPREAD }),
    ]);
    const ended = once(client, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code}`);
    });
    const [{ resets }] = await Promise.race([once(client, 'message'), ended]);
    ended.catch(() => {});
    server.send('count');
    const [{ connections }] = await once(server, 'message');
    return modes.map((_, i) => ({ resets: resets[i], connections: connections[i + 1] }));
  } finally {
    server.kill();
  }
}

const rows = [];
for (const [name, loop, modes] of CASES) {
  const results = await measure(name, loop, modes);
  console.error(name, loop, JSON.stringify(results));
  rows.push({ name, loop, results });
}

const { version: undici } = JSON.parse(readFileSync(here('node_modules/undici/package.json')));
const VERSIONS = {
  'http.Agent': `Node ${process.version}`,
  undici,
  fetch: `undici ${process.versions.undici} in Node`,
};
const LOOPS = { free: 'free', busy: 'busy 20 ms of every 100 ms' };

function cell({ resets, connections }) {
  const per100k = Math.round((resets * 100_000) / requests).toLocaleString('en');
  return `${per100k} (${Math.round((1 - connections / requests) * 100)} %)`;
}

const table = markdownTable([
  ['Client', 'Version', 'Event loop', 'Without', 'With `isReusable`'],
  ...rows.map(({ name, loop, results: [unchecked, checked] }) => [
    ...[name, VERSIONS[name], LOOPS[loop]],
    ...[cell(unchecked), checked === undefined ? '–' : cell(checked)],
  ]),
]);
const kernel = /^\d+\.\d+\.\d+/.exec(release())[0];
const machine = `Node ${process.version}, Linux ${kernel}, ${cpus().length} processors`;
const block = `${machine}; ${requests.toLocaleString('en')} requests in each column.\n\n${table}`;
console.log(`\n${block}`);
if (values.write) writeBlock('docs/pools.md', 'pools', block);
