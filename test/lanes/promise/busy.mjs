// Living peers while the event loop of this program is blocked: node busy.mjs <file with the request>. Prints which
// connections ended. It needs a network namespace of its own.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeWindow, keepUploading, keepWriting } from './activities.mjs';
import { Cell } from './cell.mjs';
import { connect } from './connections.mjs';
import { makeHosts } from './hosts.mjs';

const EACH = 10;
const RATE = 50_000;

const STATES = {
  idle: { open: (cell) => connect(cell) },
  writing: { open: (cell) => connect(cell), act: (cell) => keepWriting(cell, 500) },
  uploading: { open: (cell) => connect(cell), act: keepUploading },
  paused: { open: async (cell) => (await connect(cell, { manner: 'floods' })).pause() },
  'closed window': { open: (cell) => connect(cell, { manner: 'never reads' }), act: closeWindow },
};

/** Blocks the event loop without using the processor. */
const block = (milliseconds) =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/** In thousandths of the longest timeout: how long the loop is blocked, again and again, and free in between. */
const PATTERNS = {
  'once, for 3 T': [[3, 0]],
  'four times, for 0.9 T': Array.from({ length: 4 }, () => [0.9, 10]),
  'thirty times, for 0.1 T': Array.from({ length: 30 }, () => [0.1, 1]),
};

async function main({ relay, seed, certificate, timeout, pattern }) {
  const hosts = await makeHosts({ relay, seed });
  await hosts.peer.ask('listen', certificate);
  let flow = 0;
  const cells = Object.entries(STATES).flatMap(([state, { open, act }]) =>
    Array.from({ length: EACH }, () => {
      const values = { timeout, state, way: 'setDeadPeerTimeout' };
      return { cell: new Cell(values, [++flow]), open, act };
    }),
  );
  await Promise.all(
    cells.map(async ({ cell, open, act }) => {
      await hosts.path.set(cell.flow, { delay: 0.01, rate: RATE, queue: RATE / 5 });
      await open(cell);
      act?.(cell);
      await sleep(3_000);
    }),
  );
  for (const [blocked, free] of PATTERNS[pattern]) {
    block(blocked * timeout);
    await sleep(free);
  }
  await sleep(1.5 * timeout);
  const results = cells.map(({ cell: { state, code, told } }) => {
    return { state, code: told === null ? null : (code ?? 'closed') };
  });
  process.stdout.write(JSON.stringify({ results, patterns: Object.keys(PATTERNS) }), () =>
    process.exit(0),
  );
}

await main(JSON.parse(readFileSync(process.argv[2], 'utf8')));
