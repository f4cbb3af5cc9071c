// How many sockets this process has, to find one that was left open.

import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'vitest';
import { referenceAddon } from './reference-addon';

export function socketsOpen(): number {
  if (process.platform === 'win32') return referenceAddon.count();
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      // The descriptor that reads the folder.
      return false;
    }
  }).length;
}

/** Waits until no more than `count` sockets are open. */
export async function untilOpen(count: number): Promise<void> {
  while (socketsOpen() > count) await nextTurn();
}

/** The same without letting other code of this thread run. Other threads open sockets for a moment: getaddrinfo(3) does. */
export function untilOpenBlocking(count: number): void {
  const memory = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 5_000 && socketsOpen() > count; i++) Atomics.wait(memory, 0, 0, 2);
  expect(socketsOpen(), 'left open').toBeLessThanOrEqual(count);
}
