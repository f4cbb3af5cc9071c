// Peers that have been silent for too long: what waits to be read is read first, then the kernel is asked,
// of all of them at once.

import type { Duplex } from 'node:stream';
import { kernelColumns } from './kernel';
import { throwLater } from './ticker';
import { EVIDENCE, type Evidence, evidenceAt } from './verdict';

export interface Suspect {
  readonly stream: Duplex;
  judge(evidence: Evidence): void;
}

let suspects: Suspect[] = [];

/** Has a suspect judged after a whole turn of the event loop, in which everything is read that waits. */
export function suspect(one: Suspect): void {
  // Twice: where in its turn an event loop reads is not the same in Node, Bun and Deno.
  if (suspects.push(one) === 1) setImmediate(() => setImmediate(judge));
}

function judge(): void {
  const judged = suspects;
  suspects = [];
  const columns = kernelColumns(
    judged.map(({ stream }) => stream),
    EVIDENCE,
  );
  judged.forEach((one, index) => {
    try {
      one.judge(evidenceAt(columns, index));
    } catch (error) {
      throwLater(error);
    }
  });
}
