// HTTP, HTTPS, HTTP/2 and WebSocket servers on their usual ports, in the network namespace of servers.mjs, and the
// addresses that refuse connections. Tells its parent when it listens.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { WebSocketServer } from 'ws';
import { REFUSING, REFUSING6, SERVER, SERVER6 } from './address.mjs';

const [key, cert] = process.argv.slice(2);
const add = (...args) => execFileSync('ip', ['address', 'add', ...args, 'dev', 'server']);
add(`${REFUSING}/24`);
for (const address of [SERVER6, REFUSING6]) add(`${address}/64`, 'nodad');

function answer(_request, response) {
  response.end('here');
}

const plain = http.createServer(answer);
new WebSocketServer({ server: plain }).on('connection', (socket) =>
  socket.on('message', () => socket.send('here')),
);
const secure = http2.createSecureServer({ key, cert, allowHTTP1: true }, answer);
await Promise.all([
  once(plain.listen(80, SERVER), 'listening'),
  once(secure.listen(443, SERVER), 'listening'),
]);
process.send({ result: 'listening' });
