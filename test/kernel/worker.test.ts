// Each worker thread loads the addon again, with its own memory.

import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';

const fixture = join(__dirname, '../fixtures/worker.mjs');

async function run(rounds: number): Promise<unknown> {
  const worker = new Worker(fixture, { workerData: { rounds } });
  // Waits for both from the start: the last message and the exit may come in one turn.
  const [[report]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return report;
}

test('four workers at once read only their own sockets', async () => {
  const reports = await Promise.all([0, 1, 2, 3].map(() => run(2_000)));
  expect(reports).toEqual(Array(4).fill({ wrong: 0, rounds: 2_000 }));
});

test('a worker can be terminated during its calls', async () => {
  const worker = new Worker(fixture, { workerData: { rounds: Number.POSITIVE_INFINITY } });
  await once(worker, 'online');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await worker.terminate()).toBe(1);
  expect(await run(10)).toEqual({ wrong: 0, rounds: 10 });
});

describe('heartbeats', () => {
  const fixture = join(__dirname, '../fixtures/worker-heartbeats.mjs');
  const start = (how: string) => new Worker(fixture, { workerData: how });
  // The reason for a peer that acknowledges and does not answer.
  const reasons = process.platform === 'linux' ? ['silent'] : [expect.any(String)];

  test('in four workers at once find only their own silent peers', async () => {
    const workers = [1, 2, 3, 4].map(() => start('terminated'));
    const told = await Promise.all(workers.map((worker) => once(worker, 'message')));
    expect(told).toEqual(Array(4).fill([{ reasons, alive: 20 }]));
    expect(await Promise.all(workers.map((worker) => worker.terminate()))).toEqual([1, 1, 1, 1]);
  });

  test('in workers can be terminated during a verdict', async () => {
    for (let round = 0; round < 10; round++) {
      const worker = start('suspects');
      await once(worker, 'message');
      await new Promise((resolve) => setTimeout(resolve, 150 + 11 * round));
      expect(await worker.terminate()).toBe(1);
    }
    expect(await run(10)).toEqual({ wrong: 0, rounds: 10 });
  });

  test('in a worker do not keep it alive', async () => {
    const worker = start('ended');
    const [[told], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    expect([told, code]).toEqual([{ open: 20 }, 0]);
  });
});
