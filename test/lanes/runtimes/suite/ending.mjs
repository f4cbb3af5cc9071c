// A program with only an open heartbeat. It ends at once; with the argument `ref` it ends when the peer is dead.

import { Duplex } from 'node:stream';
import { Heartbeat } from 'socket-options/heartbeat';

const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
const heartbeat = new Heartbeat(stream, {
  ...{ interval: 100, timeout: 300, send: 'PING' },
  onDead: () => console.log('dead'),
});
stream.resume();
if (process.argv.at(-1) === 'ref') heartbeat.ref();
