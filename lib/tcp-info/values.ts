// The fields of one connection as an array of numbers. TcpInfoReader and readTcpInfos() reuse the array, so that a read
// allocates nothing.

import { tcpInfoFields } from './generated/field-names';
import { stateAt } from './states';
import type { TcpInfo } from './tcp-info';
import { orNull } from './words';

/** Values in the order of `tcpInfoFields`. NaN stands for null, and the index in `tcpStates` for the state. */
export type Values = Float64Array;

export function newValues(): Values {
  return new Float64Array(tcpInfoFields.length).fill(NaN);
}

/** Converts values to an object. */
export function tcpInfoOf(values: Values): TcpInfo {
  const entries = tcpInfoFields.map((field, index) => {
    const value = values[index] as number;
    return [field, field === 'state' ? stateAt(value) : orNull(value)];
  });
  return Object.fromEntries(entries) as TcpInfo;
}
