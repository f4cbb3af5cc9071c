// Opens very many connections over loopback in several processes, because the descriptors of one process are limited.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connectMany } from './connect-many.mjs';

/** How many connections a process opens. */
export const PER_PROCESS = 10_000;

const here = fileURLToPath(import.meta.url);

/** Opens `count` sockets, both ends of each connection counted. Returns a function that closes them. */
export async function holdMany(count) {
  const holders = [];
  for (let left = count / 2; left > 0; left -= PER_PROCESS) {
    const holder = fork(here, [String(Math.min(left, PER_PROCESS))]);
    await once(holder, 'message');
    holders.push(holder);
  }
  return () => {
    for (const holder of holders) holder.disconnect();
  };
}

if (process.argv[1] === here) {
  await connectMany(Number(process.argv[2]));
  process.send('open');
  process.on('disconnect', () => process.exit());
}
