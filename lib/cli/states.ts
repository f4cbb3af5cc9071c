// States of a connection as people write them, who come from ss(8), netstat(8) or an RFC, and as ss(8)
// shortens them.

import { type TcpState, tcpStates } from '../tcp-info/states';

/** Letters and digits alone, so that `fin_wait1`, `FIN-WAIT-1` and `FinWait1` are one. */
const bare = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '');

const names = new Map<string, TcpState>([
  ...tcpStates.map((state) => [bare(state), state] as const),
  ['ESTAB', 'ESTABLISHED'],
  ['SYNRECV', 'SYN-RECEIVED'],
  ['SYNRCVD', 'SYN-RECEIVED'],
  ['CLOSE', 'CLOSED'],
  ['UNCONN', 'CLOSED'],
  ['LISTENING', 'LISTEN'],
]);

/** The state that is meant, or `undefined`. */
export function stateOf(name: string): TcpState | undefined {
  return names.get(bare(name));
}

/** The state in fewer letters, as ss(8) writes it. */
export function shortState(state: TcpState): string {
  if (state === 'ESTABLISHED') return 'ESTAB';
  return state === 'SYN-RECEIVED' ? 'SYN-RECV' : state;
}
