// Decodes a structure field by field, as readTcpInfos() does.

import { Batch, ENTRY_WORDS, INFO } from '../../lib/tcp-info/batch';
import { tcpInfoFields } from '../../lib/tcp-info/generated/field-names';
import { prepareColumns, type System } from '../../lib/tcp-info/system';

/** The second entry of a batch whose first socket could not be read. */
export function valuesByColumn(system: System, words: Uint32Array, length: number): Float64Array {
  const batch = new Batch(2);
  batch.write(0, 1, 7, 0, 0);
  batch.write(1, 0, 8, 0, 0);
  batch.words.set(words.subarray(0, ENTRY_WORDS - INFO), batch.structureAt(1));
  batch.setLength(0, -9);
  batch.setLength(1, Math.min(length, 4 * (ENTRY_WORDS - INFO)));
  prepareColumns(batch, 2, system);
  const column = new Float64Array(2);
  return Float64Array.from(tcpInfoFields, (_, field) => {
    system.fillColumn(field, batch, 2, column.fill(1));
    if (!Number.isNaN(column[1])) throw new Error(`a socket that could not be read has ${column}`);
    return column[0] as number;
  });
}
