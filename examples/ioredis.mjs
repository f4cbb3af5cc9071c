// Redis with ioredis: the client notices within 20 s that its server vanished, and connects again by itself.
//
//   npm install socket-options ioredis
//   node ioredis.mjs redis://cache.example

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { explainDisconnect, tuneSockets } from 'socket-options';

const [url = process.env.REDIS_URL ?? 'redis://localhost'] = process.argv.slice(2);

// Every connection that this program opens from now on.
tuneSockets({ client: { deadPeerTimeout: 20_000, connectTimeout: 5_000 } });

// A command waits for the next connection, and fails if that one fails, too. By default it waits for twenty of them.
const redis = new Redis(url, { maxRetriesPerRequest: 1 });
redis.on('error', (error) => console.error(`disconnected: ${explainDisconnect(error).message}`));

for (;;) {
  try {
    console.log(`answered: ${await redis.ping()}`);
  } catch (error) {
    console.error(`failed: ${error.message}`);
  }
  await sleep(1_000);
}
