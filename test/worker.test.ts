// Worker threads load the addon anew, with a scratch buffer of their own.

import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

const fixture = join(__dirname, 'fixtures/worker.mjs');

async function run(rounds: number): Promise<unknown> {
  const worker = new Worker(fixture, { workerData: { rounds } });
  // Both from the start: the last message and the end may come in one turn of the event loop.
  const [[report]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return report;
}

test('four workers at once, each with its own sockets and buffer', async () => {
  const reports = await Promise.all([0, 1, 2, 3].map(() => run(2_000)));
  expect(reports).toEqual(Array(4).fill({ wrong: 0, rounds: 2_000 }));
});

test('a worker that is terminated in the middle of its calls', async () => {
  const worker = new Worker(fixture, { workerData: { rounds: Number.POSITIVE_INFINITY } });
  await once(worker, 'online');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await worker.terminate()).toBe(1);
  expect(await run(10)).toEqual({ wrong: 0, rounds: 10 });
});
