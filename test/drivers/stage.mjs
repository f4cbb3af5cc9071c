// In a network namespace of its own: lays a cable to real servers in another, has drivers connect, and
// lets the servers fall silent. Prints what the drivers made of it as JSON.

import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLIENT } from './address.mjs';

const TIMEOUT = 10_000;
/** So long is watched what the drivers do by themselves. */
const CAP = 30_000;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Debian's programs, where its packages put them. */
function programs() {
  const versions = '/usr/lib/postgresql';
  const version = existsSync(versions) ? readdirSync(versions).sort().at(-1) : undefined;
  const found = {
    postgres: `${versions}/${version}/bin/postgres`,
    initdb: `${versions}/${version}/bin/initdb`,
    redis: '/usr/bin/redis-server',
    mariadb: '/usr/sbin/mariadbd',
    mariadbInstall: '/usr/bin/mariadb-install-db',
    mosquitto: '/usr/sbin/mosquitto',
  };
  for (const path of Object.values(found)) {
    if (!existsSync(path)) throw new Error(`${path} is missing: apt-get install what .ci/run has`);
  }
  return found;
}

const ip = (...args) => execFileSync('ip', args);
const data = mkdtempSync(join(tmpdir(), 'socket-options-drivers-'));
chmodSync(data, 0o755);
ip('link', 'set', 'lo', 'up');
const servers = spawn(
  'unshare',
  ['--net', process.execPath, here('servers.mjs'), data, JSON.stringify(programs()), '4'],
  { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
);
const order = async (word) => {
  servers.send(word);
  const [{ result, error }] = await once(servers, 'message');
  if (error) throw new Error(error);
  return result;
};

try {
  ip('link', 'add', 'client', 'type', 'veth', 'peer', 'name', 'server', 'netns', `${servers.pid}`);
  ip('address', 'add', `${CLIENT}/24`, 'dev', 'client');
  ip('link', 'set', 'client', 'up');
  const versions = await order('begin');

  const runs = { tuned: [TIMEOUT, TIMEOUT + 5_000], plain: [0, CAP] };
  const clients = Object.entries(runs).map(([name, args]) => {
    const child = fork(here('client.mjs'), args.map(String), { stdio: ['ignore', 2, 2, 'ipc'] });
    return { name, child };
  });
  await Promise.all(
    clients.map(async ({ name, child }) => {
      const [message] = await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(([code]) => [`${name} ended with ${code}`]),
      ]);
      if (message !== 'ready') throw new Error(`${message}`);
    }),
  );
  const silentSince = await order('fallSilent');
  const reports = await Promise.all(
    clients.map(async ({ name, child }) => {
      child.send(silentSince);
      const [report] = await once(child, 'message');
      return [name, report];
    }),
  );
  const require = createRequire(import.meta.url);
  const { dependencies } = require('./package.json');
  process.stdout.write(
    JSON.stringify({
      versions,
      dependencies,
      cap: CAP,
      timeout: TIMEOUT,
      ...Object.fromEntries(reports),
    }),
  );
} finally {
  if (servers.exitCode === null) await order('end').catch(() => servers.kill('SIGKILL'));
  rmSync(data, { recursive: true, force: true });
}
