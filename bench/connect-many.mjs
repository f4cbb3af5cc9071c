// Opens thousands of connections over loopback.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The sockets, and the process that has their other ends, with the port where it sends back what it gets. */
export async function connectMany(count) {
  const peer = fork(fileURLToPath(new URL('peer.mjs', import.meta.url)));
  const [{ port, echoPort }] = await once(peer, 'message');
  let accepted = 0;
  peer.on('message', (message) => {
    accepted = message.accepted ?? accepted;
  });
  const sockets = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(200, count - sockets.length) }, (_, i) =>
      // Several loopback addresses, so that there are enough local ports.
      connect({ port, host: `127.0.0.${1 + (i % 4)}` }),
    );
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    sockets.push(...batch);
    while (accepted < sockets.length) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { sockets, peer, echoPort };
}
