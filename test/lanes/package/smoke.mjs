// The smoke test of the installed package: sets options on every kind of socket and reads them back, on any system,
// with only Node and the package. Run it in a folder where the package is installed.

import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { getKeepAlive, getOptions, isSupported, setKeepAlive, setOptions } from 'socket-options';

const HOST = '127.0.0.1';
const KEEP_ALIVE = { enable: true, initialDelay: 30_000, interval: 5_000, count: 3 };
// Values that are not a system's default.
const TCP = { noDelay: true, ttl: 77, userTimeout: 45_000 };
const UDP = { ttl: 78 };
/** Options that every system must have; others are tested if the system has them. */
const REQUIRED = ['keepAlive', 'keepAliveCount', 'noDelay', 'ttl'];

let differences = 0;

function compare(socket, what, expected, held) {
  const same = isDeepStrictEqual(held, expected);
  if (!same) differences++;
  console.log(`${same ? 'ok  ' : 'WRONG'} ${socket}: ${what} ${JSON.stringify(held)}`);
  if (!same) console.log(`      expected ${JSON.stringify(expected)}`);
}

function checkOptions(name, socket, wanted) {
  const options = Object.fromEntries(Object.entries(wanted).filter(([key]) => isSupported(key)));
  setOptions(socket, options);
  compare(name, 'options', options, getOptions(socket, Object.keys(options)));
}

function checkTcp(name, socket) {
  setKeepAlive(socket, KEEP_ALIVE);
  compare(name, 'keepalive', KEEP_ALIVE, getKeepAlive(socket));
  checkOptions(name, socket, TCP);
}

async function listening(server) {
  server.listen(0, HOST);
  await once(server, 'listening');
  return server.address().port;
}

async function checkNet() {
  const server = net.createServer();
  const port = await listening(server);
  checkTcp('net.Server', server);
  const client = net.connect(port, HOST);
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  checkTcp('net.Socket, client', client);
  checkTcp('net.Socket, accepted', accepted);
  for (const one of [client, accepted]) one.destroy();
  server.close();
}

/** With a pre-shared key, which needs no certificate. */
async function checkTls() {
  const psk = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const common = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
  const server = tls.createServer({ ...common, pskCallback: () => psk });
  const port = await listening(server);
  const client = tls.connect({
    ...common,
    ...{ port, host: HOST, checkServerIdentity: () => undefined },
    pskCallback: () => ({ psk, identity: 'smoke' }),
  });
  const [[accepted]] = await Promise.all([
    once(server, 'secureConnection'),
    once(client, 'secureConnect'),
  ]);
  checkTcp('tls.TLSSocket, client', client);
  checkTcp('tls.TLSSocket, accepted', accepted);
  for (const one of [client, accepted]) one.destroy();
  server.close();
}

async function checkDgram() {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  checkOptions('dgram.Socket', socket, UDP);
  socket.close();
}

console.log(`Node ${process.version}, ${process.platform}-${process.arch}`);
const missing = REQUIRED.filter((name) => !isSupported(name));
if (missing.length > 0) {
  differences++;
  console.log(`WRONG not supported here: ${missing.join(', ')}`);
}
for (const check of [checkNet, checkTls, checkDgram]) await check();
console.log(differences === 0 ? 'every option is as it was set' : `${differences} differ`);
process.exitCode = differences === 0 ? 0 : 1;
