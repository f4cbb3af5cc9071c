// A program that does not know this package. Prints the timer that the kernel reports for its idle connection: `02` is keepalive.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';

const server = net.createServer((socket) => socket.on('error', () => {}));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const socket = net.connect(server.address().port, '127.0.0.1');
await once(socket, 'connect');
const hex = (port) => port.toString(16).toUpperCase().padStart(4, '0');
const ends = [`:${hex(socket.localPort)}`, `:${hex(socket.remotePort)}`];
const row = readFileSync('/proc/self/net/tcp', 'utf8')
  .split('\n')
  .map((line) => line.trim().split(/\s+/))
  .find(([, local, remote]) => local?.endsWith(ends[0]) && remote.endsWith(ends[1]));
process.stdout.write(row[5].split(':')[0], () => process.exit());
