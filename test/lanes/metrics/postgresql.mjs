// A real PostgreSQL on loopback. It does not run as root, so it runs as the user nobody.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './prometheus.mjs';

const NOBODY = 65_534;
const AS_NOBODY = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', '--'];
const ADDRESS = '127.0.0.1';

/** Ends with this process. */
export async function startPostgresql(postgres, initdb) {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-postgresql-'));
  chownSync(folder, NOBODY, NOBODY);
  const files = ['--pgdata', folder, '--username', 'postgres', '--auth', 'trust', '--no-sync'];
  execFileSync('setpriv', [...AS_NOBODY, initdb, ...files, '--no-locale', '--encoding', 'UTF8']);
  const port = await freePort();
  const settings = [`listen_addresses=${ADDRESS}`, 'unix_socket_directories=', 'fsync=off'];
  const server = spawn(
    'setpriv',
    [
      ...[...AS_NOBODY, postgres, '-D', folder, '-p', `${port}`],
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  process.once('exit', () => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await until('PostgreSQL answers', () => answers(port));
  return { host: ADDRESS, port, user: 'postgres', database: 'postgres' };
}

async function freePort() {
  const server = createServer();
  await once(server.listen(0, ADDRESS), 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function answers(port) {
  const socket = connect(port, ADDRESS);
  const isConnected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isConnected;
}
