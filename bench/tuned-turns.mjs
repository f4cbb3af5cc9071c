// In a network namespace of its own: processes with this package and without take turns. Prints JSON for tuning.mjs,
// which starts it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { shuffled } from './timing.mjs';

const [connections, requests, rounds] = process.argv.slice(2).map(Number);

/** Turns that only compile. */
const WARM_UPS = 3;

// In this process, so that only the client's time counts.
const web = createServer((_request, response) => response.end('done')).listen(0, '127.0.0.1');
await once(web, 'listening');

const plain = net.createServer((socket) => socket.on('error', () => {}).resume());
plain.listen(0, '127.0.0.1');
await once(plain, 'listening');

const times = {
  connection: await takeTurns('connection', connections),
  request: await takeTurns('request', requests),
  connect: await takeTurns('connect', connections, plain.address().port),
  listen: await takeTurns('listen', connections),
};
process.stdout.write(JSON.stringify(times), () => process.exit());

/** Milliseconds of CPU time for each of `count` pieces of work, in each round. */
async function takeTurns(work, count, port = web.address().port) {
  const workers = {};
  const times = { plain: [], tuned: [] };
  for (const mode of Object.keys(times)) {
    const path = fileURLToPath(new URL('tuned.mjs', import.meta.url));
    workers[mode] = fork(path, [work, mode, String(port)]);
    workers[mode].on('exit', (code, signal) => {
      if (code !== 0) throw new Error(`${work}, ${mode}: a worker ended with ${signal ?? code}`);
    });
    await once(workers[mode], 'message');
  }
  for (let round = -WARM_UPS; round < rounds; round++) {
    for (const mode of shuffled(Object.keys(workers))) {
      workers[mode].send(count);
      const [time] = await once(workers[mode], 'message');
      if (round >= 0) times[mode].push(time);
    }
  }
  for (const worker of Object.values(workers)) worker.disconnect();
  return times;
}
