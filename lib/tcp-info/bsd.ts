// What macOS and FreeBSD have in common.

import type { TcpState } from './tcp-info';

/** States in the order in which they are counted (netinet/tcp_fsm.h). */
export const bsdStates: readonly TcpState[] = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'CLOSE-WAIT',
  'FIN-WAIT-1',
  'CLOSING',
  'LAST-ACK',
  'FIN-WAIT-2',
  'TIME-WAIT',
];

/** TCP_MAXWIN << TCP_MAX_WINSHIFT: the slow start threshold before the first loss. */
export const INFINITE_THRESHOLD = 65_535 * 2 ** 14;
