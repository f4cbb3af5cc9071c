// Names of TCP states as people write them: those of the RFCs, of ss(8), of netstat(8) and of Windows.

import { type TcpState, tcpStates } from '../tcp-info/states';

/** Letters and digits only, so that `fin_wait1`, `FIN-WAIT-1` and `FinWait1` are the same name. */
const normalize = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '');

const states = new Map<string, TcpState>([
  ...tcpStates.map((state) => [normalize(state), state] as const),
  ['ESTAB', 'ESTABLISHED'],
  ['SYNRECV', 'SYN-RECEIVED'],
  ['SYNRCVD', 'SYN-RECEIVED'],
  ['CLOSE', 'CLOSED'],
  ['UNCONN', 'CLOSED'],
  ['LISTENING', 'LISTEN'],
]);

/** The state with this name, in any case and with any separators; `undefined`: there is none. */
export function findState(name: string): TcpState | undefined {
  return states.get(normalize(name));
}
