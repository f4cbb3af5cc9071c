// Names of TCP states as people write them: those of the RFCs, of ss(8), of netstat(8) and of Windows.

import { type TcpState, tcpStates } from '../tcp-info/states';

/** Letters and digits only, so that `fin_wait1`, `FIN-WAIT-1` and `FinWait1` are the same name. */
const normalize = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '');

const OTHER_NAMES: readonly (readonly [string, TcpState])[] = [
  ['ESTAB', 'ESTABLISHED'],
  ['SYNRECV', 'SYN-RECEIVED'],
  ['SYNRCVD', 'SYN-RECEIVED'],
  ['CLOSE', 'CLOSED'],
  ['UNCONN', 'CLOSED'],
  ['LISTENING', 'LISTEN'],
];

/** Made at the first call. */
let states: Map<string, TcpState> | undefined;

/** The state with this name, in any case and with any separators; `undefined`: there is none. */
export function findState(name: string): TcpState | undefined {
  states ??= new Map([
    ...tcpStates.map((state) => [normalize(state), state] as const),
    ...OTHER_NAMES,
  ]);
  return states.get(normalize(name));
}
