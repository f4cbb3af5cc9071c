// One socket: it fails within 20 s after its peer vanished. Two lines of this program do that: the import and the call.
//
//   node one-socket.mjs db.example 5432

import net from 'node:net';
import { explainDisconnect, setDeadPeerTimeout } from 'socket-options';

const [host = 'localhost', port = '5432'] = process.argv.slice(2);

const socket = net.connect({ host, port: Number(port) });
const plan = setDeadPeerTimeout(socket, 20_000);

console.log(`If the peer vanishes, the socket fails within ${plan.bounds.worst / 1_000} s.`);
socket.on('connect', () => console.log(`connected to ${socket.remoteAddress}`));
socket.on('data', (data) => console.log(`received ${data.length} bytes`));
socket.on('error', (error) => {
  console.error(explainDisconnect(error).message);
  process.exitCode = 1;
});
socket.on('close', () => console.log('closed'));
