// Collects suspects: monitors whose peer may be dead. Lets the event loop read received data first, then reads TCP_INFO of all
// suspects at once, and has each one judge.

import type { Duplex } from 'node:stream';
import { throwUncaught } from '../core/throw-uncaught';
import { EVIDENCE_FIELDS, type Evidence, evidenceAt } from './classify';
import { kernelColumns } from './kernel';

export interface Suspect {
  readonly stream: Duplex;
  judge(evidence: Evidence): void;
}

let suspects: Suspect[] = [];

/** Calls `judge` after a full turn of the event loop, which reads the received data. */
export function suspect(one: Suspect): void {
  // Two turns: Node, Bun and Deno read sockets at different points of a turn.
  if (suspects.push(one) === 1) setImmediate(() => setImmediate(judgeAll));
}

function judgeAll(): void {
  const judged = suspects;
  suspects = [];
  const columns = kernelColumns(
    judged.map(({ stream }) => stream),
    EVIDENCE_FIELDS,
  );
  judged.forEach((one, index) => {
    try {
      one.judge(evidenceAt(columns, index));
    } catch (error) {
      throwUncaught(error);
    }
  });
}
