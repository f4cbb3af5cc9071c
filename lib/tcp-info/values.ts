// The decoded fields of one entry of a batch.

import type { Batch } from './batch';
import { tcpInfoFields } from './generated/field-names';
import { stateAt } from './states';
import { system } from './system';
import type { TcpInfo } from './tcp-info';
import { orNull } from './words';

/** A column of one row. No caller keeps it. */
const column = new Float64Array(1);

/** Decodes a field of a batch of one entry: its index in `tcpInfoFields`. NaN stands for null. */
export function valueOf(batch: Batch, field: number): number {
  system.fillColumn(field, batch, 1, column);
  return column[0] as number;
}

/** Decodes a batch of one entry to an object. */
export function tcpInfoOf(batch: Batch): TcpInfo {
  const entries = tcpInfoFields.map((field, index) => {
    const value = valueOf(batch, index);
    return [field, field === 'state' ? stateAt(value) : orNull(value)];
  });
  return Object.fromEntries(entries) as TcpInfo;
}
