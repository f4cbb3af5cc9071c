// Many requests at once over one connection to a server that gets 0.3 of a processor: node requests.mjs <file with the
// request>. Prints how many failed, and how. It needs a network namespace of its own.
//
// The scene is of the kind of undici's test for its issue 4880: 10 000 requests share a connection, so that they all fail if
// it is ended. While the server does not run, its window is closed. The answers have no body. Node's http2 reads no body while
// it waits to write: two sides with full buffers would wait for each other forever, also without this package.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getTcpInfo, tuneSockets } from '../../../dist/index.js';
import { addressOf, makeHosts } from './hosts.mjs';
import { portOf } from './manners.mjs';

const FLOW = 1;
const REQUESTS = 10_000;
/** Rounds of running and being stopped, of one timeout each. */
const ROUNDS = 3;
const SHARE = 0.3;
/** Header compression cannot make it smaller. Headers have no flow control, so they fill the connection. */
const header = () => randomBytes(300).toString('base64');

async function main({ relay, seed, timeout }) {
  const hosts = await makeHosts({ relay, seed });
  await hosts.peer.ask('listen');
  await hosts.path.set(FLOW, { delay: 0.001, rate: 2e6, queue: 2e5 });
  tuneSockets({ client: { deadPeerTimeout: timeout } });
  const socket = net.connect(portOf('http2'), addressOf(FLOW));
  await once(socket, 'connect');
  const session = http2.connect('http://peer', { createConnection: () => socket });

  let reason = 'no answer';
  session.on('error', ({ code }) => {
    reason = code;
  });

  const counts = { answered: 0, failed: {} };
  const send = () =>
    new Promise((resolve) => {
      const stream = session.request({ ':path': '/empty', 'x-padding': header() });
      let isAnswered = false;
      stream.resume().on('response', () => {
        isAnswered = true;
      });
      stream.on('error', () => {});
      stream.on('close', () => {
        if (isAnswered) counts.answered++;
        else counts.failed[reason] = (counts.failed[reason] ?? 0) + 1;
        resolve();
      });
    });
  hosts.peer.signal('SIGSTOP');
  const all = Promise.all(Array.from({ length: REQUESTS }, send));
  let wasClosed = false;
  for (let round = 0; round < ROUNDS; round++) {
    await sleep((1 - SHARE) * timeout);
    wasClosed ||= !socket.destroyed && getTcpInfo(socket).sendWindow === 0;
    hosts.peer.signal('SIGCONT');
    // A server at 0.3 of a processor does not answer them all in its share of one timeout.
    await sleep(round === 0 ? 20 : SHARE * timeout);
    if (round < ROUNDS - 1) hosts.peer.signal('SIGSTOP');
  }
  await all;
  process.stdout.write(JSON.stringify({ ...counts, wasClosed }), () => process.exit(0));
}

await main(JSON.parse(readFileSync(process.argv[2], 'utf8')));
