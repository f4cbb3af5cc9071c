// The experiment, in namespaces: the programs of examples/ that use a driver, copied into a project of their own, on a
// server that falls silent. Prints as JSON what each of them printed, and what ss(8) showed of its socket.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { now, OWN_PORTS, PORTS, SERVER } from './address.mjs';
import { answerOf, start, startServers, tell } from './machines.mjs';

const [data, programs] = process.argv.slice(2);
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** A project that has installed this package and the drivers. */
const project = join(data, 'project');
cpSync(here('../../../examples'), project, { recursive: true });
mkdirSync(join(project, 'node_modules/@grpc'), { recursive: true });
symlinkSync(here('../../..'), join(project, 'node_modules/socket-options'));
for (const name of ['pg', 'ioredis', 'undici', 'mqtt', '@grpc/grpc-js']) {
  symlinkSync(here(`node_modules/${name}`), join(project, 'node_modules', name));
}

const HTTP = OWN_PORTS.http;
/** How each program is run, the port of its server, and what it prints while the server answers and when it is silent. */
const EXAMPLES = {
  pg: {
    ...{ args: [`postgres://postgres@${SERVER}/postgres`], port: PORTS.postgres },
    ...{ answered: /^answered: \d{4}-.*Z$/m, failed: /^(?:failed|idle): .*$/m },
  },
  ioredis: {
    ...{ args: [`redis://${SERVER}`], port: PORTS.redis },
    ...{ answered: /^answered: PONG$/m, failed: /^disconnected: .*$/m },
  },
  undici: {
    ...{ args: [`http://${SERVER}:${HTTP}/`], port: HTTP },
    ...{ answered: /^answered: 200, 4 characters$/m, failed: /^failed: .*$/m },
  },
  grpc: {
    ...{ args: [`${SERVER}:50051`], port: 50_051 },
    ...{ answered: /^answered: serving$/m, failed: /^failed: .*$/m },
  },
  'mqtt-client': {
    ...{ args: [`mqtt://${SERVER}`, 'device-1'], port: PORTS.mosquitto },
    ...{ answered: /^the broker has the message$/m, failed: /^.*answer.*$/m },
  },
};

function run(name, ...args) {
  const path = join(project, `${name}.mjs`);
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const program = { child, output: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      program.output += text;
    });
  }
  return program;
}

/** Returns the part of the output that matches, and when it was there; `null` if it does not come. */
async function printed(program, pattern, patience) {
  for (const deadline = now() + patience; now() < deadline; await sleep(20)) {
    const [line] = pattern.exec(program.output) ?? [];
    if (line !== undefined) return { line, at: now() };
    if (program.child.exitCode !== null) break;
  }
  return null;
}

const { servers } = await startServers(data, programs, 1, ['postgres', 'redis', 'mosquitto']);
const grpc = start(
  ...[
    'nsenter',
    `--net=/proc/${servers.pid}/ns/net`,
    process.execPath,
    here('examples-servers.mjs'),
  ],
);
const { error } = await answerOf(grpc);
if (error !== undefined) throw new Error(`The health service: ${error}`);

const started = Object.entries(EXAMPLES).map(([name, example]) => ({
  ...{ name, ...example, program: run(name, ...example.args) },
}));
await Promise.all(
  started.map(async (one) => {
    one.before = await printed(one.program, one.answered, 20_000);
    const filter = `dport = :${one.port}`;
    one.sockets = execFileSync('ss', ['-tnoH', filter], { encoding: 'utf8' }).trim();
  }),
);

// The broker of the examples, on this machine, and two clients with the name of one device.
const broker = run('mqtt-broker', '1883');
await printed(broker, /listening/, 10_000);
const clients = [];
for (const _ of [1, 2]) {
  const client = run('mqtt-client', 'mqtt://127.0.0.1', 'device-2');
  clients.push(client);
  await printed(client, /^connected/m, 10_000);
}
await printed(broker, /has a newer connection/, 10_000);
for (const { child } of [broker, ...clients]) child.kill('SIGKILL');

const silence = await tell(servers, 'fallSilent');
await Promise.all(
  started.map(async (one) => {
    one.program.output = '';
    one.after = await printed(one.program, one.failed, 30_000);
  }),
);

const results = started.map(({ name, before, sockets, after, program }) => {
  program.child.kill('SIGKILL');
  return {
    ...{ name, sockets, answered: before?.line ?? null, output: program.output },
    failed: after && { line: after.line, seconds: (after.at - silence) / 1_000 },
  };
});
grpc.kill('SIGKILL');
servers.send('end');
await once(servers, 'exit');
console.log(JSON.stringify({ results, broker: broker.output }));
process.exit(0);
