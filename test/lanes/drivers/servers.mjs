// The machine that falls silent: real servers in a network namespace. stage.mjs starts it, connects it, and decides
// when it falls silent.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { DEAD, now, SERVER } from './address.mjs';
import { startDaemons } from './daemons.mjs';
import { startNpmServers } from './npm-servers.mjs';

const [data, programs, ports, names] = process.argv.slice(2);

let children;

async function begin() {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  execFileSync('ip', ['address', 'add', `${SERVER}/24`, 'dev', 'server']);
  execFileSync('ip', ['address', 'add', `${DEAD}/24`, 'dev', 'server']);
  execFileSync('ip', ['link', 'set', 'server', 'up']);
  execFileSync('nft', ['-f', '-'], { input: BLACK_HOLE });
  const daemons = await startDaemons(JSON.parse(names), data, JSON.parse(programs));
  children = daemons.children;
  await startNpmServers(Number(ports));
  return daemons.versions;
}

/** Drops what comes for one address. The machine still answers ARP for it. */
const BLACK_HOLE = `table inet dead {
  chain in { type filter hook input priority 0; ip daddr ${DEAD} drop; }
}
`;

/** Drops all packets in both directions. The link stays up, so the client's kernel does not notice. */
const SILENCE = `table inet silence {
  chain in { type filter hook input priority 0; policy drop; }
  chain out { type filter hook output priority 0; policy drop; }
}
`;

function fallSilent() {
  const at = now();
  execFileSync('nft', ['-f', '-'], { input: SILENCE });
  return at;
}

async function end() {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(
    children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')),
  );
  process.exit(0);
}

const ORDERS = { begin, fallSilent, end };

process.on('message', async (order) => {
  try {
    process.send({ result: await ORDERS[order]() });
  } catch (error) {
    process.send({ error: error.stderr?.toString() || error.stack });
  }
});
