// The machine that falls silent: real servers in a network namespace. stage.mjs starts it, connects it, and decides
// when it falls silent.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { WebSocketServer } from 'ws';
import { DEAD, now, OWN_PORTS, PORTS, SERVER } from './address.mjs';
import { WAIT } from './grpc.mjs';

const [data, programs, ports] = process.argv.slice(2);
const { postgres, initdb, redis, mariadb, mariadbInstall, mosquitto } = JSON.parse(programs);
const CASES = Number(ports);

/** Longer than any measurement here. */
const LONG = 300_000;
/** The user nobody: PostgreSQL and MariaDB do not run as root. */
const NOBODY = 65_534;
const AS_NOBODY = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', '--'];
const run = promisify(execFile);

function folder(name) {
  const path = join(data, name);
  mkdirSync(path);
  chownSync(path, NOBODY, NOBODY);
  return path;
}

const children = [];

function start(name, command, ...args) {
  const log = join(data, `${name}.log`);
  const out = openSync(log, 'w');
  const child = spawn('setpriv', [...AS_NOBODY, command, ...args], {
    cwd: data,
    stdio: ['ignore', out, out],
  });
  children.push({ name, child, log });
}

/** The log says why a server did not start. */
async function listening({ name, child, log }) {
  for (const deadline = now() + 30_000; now() < deadline; await sleep(50)) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    const socket = net.connect(PORTS[name], SERVER);
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
  }
  throw new Error(`${name} does not answer:\n${readFileSync(log, 'utf8').slice(-2_000)}`);
}

const STARTERS = {
  async postgres() {
    const path = folder('postgres');
    await run('setpriv', [
      ...[...AS_NOBODY, initdb, '--pgdata', path, '--username', 'postgres'],
      ...['--auth', 'trust', '--no-locale', '--encoding', 'UTF8', '--no-sync'],
    ]);
    writeFileSync(join(path, 'pg_hba.conf'), 'host all all 0.0.0.0/0 trust\n');
    const settings = [`listen_addresses=${SERVER}`, 'unix_socket_directories=', 'fsync=off'];
    start('postgres', postgres, '-D', path, ...settings.flatMap((setting) => ['-c', setting]));
  },
  async redis() {
    const settings = ['--bind', SERVER, '--protected-mode', 'no', '--save', ''];
    start('redis', redis, ...settings, '--dir', folder('redis'));
  },
  async mariadb() {
    const path = folder('mariadb');
    const common = ['--no-defaults', `--datadir=${path}`];
    await run('setpriv', [
      ...[...AS_NOBODY, mariadbInstall, ...common, '--skip-test-db'],
      ...['--auth-root-authentication-method=normal', '--skip-name-resolve'],
    ]);
    // Its only account, root, may only connect from localhost.
    const settings = ['--skip-grant-tables', '--skip-name-resolve', `--bind-address=${SERVER}`];
    start('mariadb', mariadb, ...common, ...settings, `--socket=${join(path, 'socket')}`);
  },
  async mosquitto() {
    const config = join(data, 'mosquitto.conf');
    writeFileSync(config, `listener ${PORTS.mosquitto} ${SERVER}\nallow_anonymous true\n`);
    start('mosquitto', mosquitto, '-c', config);
  },
};

async function listen(server, port) {
  await once(server.listen(port, SERVER), 'listening');
}

/** `/wait` is answered after every measurement has ended. */
function answer(request, response) {
  if (request.url !== '/wait') response.end('here');
}

async function startOwn(index) {
  const plain = http.createServer(answer);
  // Keep-alive clients learn how long the connection may be idle: longer than any measurement here.
  plain.keepAliveTimeout = LONG;
  await listen(plain, OWN_PORTS.http + index);
  await listen(http2.createServer(answer), OWN_PORTS.http2 + index);
  const sockets = new WebSocketServer({ host: SERVER, port: OWN_PORTS.ws + index });
  sockets.on('connection', (socket) =>
    socket.on('message', (text) => `${text}` !== 'wait' && socket.send('here')),
  );
  const grpc = new GrpcServer();
  grpc.addService(WAIT, {
    wait: ({ request }, callback) => request !== 'wait' && callback(null, 'here'),
  });
  await promisify(grpc.bindAsync.bind(grpc))(
    `${SERVER}:${OWN_PORTS.grpc + index}`,
    ServerCredentials.createInsecure(),
  );
}

async function versionOf(program, ...args) {
  // Mosquitto prints its version only with its help, and exits with 3.
  const { stdout } = await run(program, args).catch((error) => error);
  return /\d+\.\d+(\.\d+)?/.exec(stdout)[0];
}

async function begin() {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  execFileSync('ip', ['address', 'add', `${SERVER}/24`, 'dev', 'server']);
  execFileSync('ip', ['address', 'add', `${DEAD}/24`, 'dev', 'server']);
  execFileSync('ip', ['link', 'set', 'server', 'up']);
  execFileSync('nft', ['-f', '-'], { input: BLACK_HOLE });
  await Promise.all(Object.values(STARTERS).map((starter) => starter()));
  await Promise.all(children.map(listening));
  await Promise.all(Array.from({ length: CASES }, (_, index) => startOwn(index)));
  return {
    PostgreSQL: await versionOf(postgres, '--version'),
    Redis: await versionOf(redis, '--version'),
    MariaDB: await versionOf(mariadb, '--version'),
    Mosquitto: await versionOf(mosquitto, '-h'),
  };
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
  for (const { child } of children) child.kill('SIGKILL');
  await Promise.all(
    children.map(({ child }) => child.exitCode ?? child.signalCode ?? once(child, 'exit')),
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
