// Which problems cannot be found in a list of connections, because the source of the list does not report what they follow from.

import type { Connection } from './connection';
import type { ProblemCode } from './problem';
import { problemCodes } from './problems';

type Need = 'timers' | 'accept limits' | 'TCP_INFO';

/** What each problem follows from, besides the state. */
const NEEDS: Readonly<Record<ProblemCode, Need | null>> = {
  'half-open': 'timers',
  'handshake-unanswered': 'timers',
  'accept-queue-full': 'accept limits',
  'close-wait': null,
  'window-closed': 'TCP_INFO',
  unread: 'TCP_INFO',
  'lossy-path': 'TCP_INFO',
  'no-keepalive': 'timers',
};

/** Whether the list comes from /proc/net/tcp: sock_diag(7) always reports the interface. */
export const isFromProc = (
  { interfaceIndex }: Pick<Connection, 'interfaceIndex'>,
  platform: string,
): boolean => platform === 'linux' && interfaceIndex === null;

/** The problems that cannot be found in the list that this connection is from. All connections of a list have one source. */
export function undetectableProblems(
  connection: Pick<Connection, 'interfaceIndex' | 'receiveQueue'>,
  platform: string,
): ProblemCode[] {
  const has = needsMetBy(connection, platform);
  return problemCodes.filter((code) => {
    const need = NEEDS[code];
    return need !== null && !has.includes(need);
  });
}

function needsMetBy(
  connection: Pick<Connection, 'interfaceIndex' | 'receiveQueue'>,
  platform: string,
): readonly Need[] {
  if (platform === 'darwin') return ['accept limits'];
  if (platform !== 'linux') return [];
  if (!isFromProc(connection, platform)) return ['timers', 'accept limits', 'TCP_INFO'];
  // gVisor writes no timers into the file, and no queues.
  return connection.receiveQueue === null ? [] : ['timers'];
}
