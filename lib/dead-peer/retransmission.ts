// How the systems send unacknowledged data again.

import type { Platform } from '../catalogue/row';
import type { SocketLike } from '../socket';
import type { DeadPeerPlatform, Retransmission } from './rules';
import { getSystemDefaults, getTcpInfo } from './uses';

/** What TCP begins with (RFC 6298), and what a shorter one may grow to on a path that gets slower. */
export const INITIAL_TIMEOUT = 1_000;

export const BUILTIN: Readonly<Record<DeadPeerPlatform, Omit<Retransmission, 'timeout'>>> = {
  linux: { timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  gvisor: { timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  darwin: { timeoutMin: 30, timeoutMax: 64_000, retries: 12 },
  freebsd: { timeoutMin: 30, timeoutMax: 64_000, retries: 12 },
  win32: { timeoutMin: 300, timeoutMax: 60_000, retries: 5 },
};

export const builtinHere = BUILTIN[process.platform as Platform] ?? BUILTIN.linux;

/** How this system sends data again, by its settings where it shows them; to read them takes a while. */
export function retransmissionHere(timeout: number): Retransmission {
  const { retransmissions, retransmissionTimeoutMin, retransmissionTimeoutMax } =
    getSystemDefaults();
  return {
    timeout,
    timeoutMin: retransmissionTimeoutMin.value ?? builtinHere.timeoutMin,
    timeoutMax: retransmissionTimeoutMax.value ?? builtinHere.timeoutMax,
    retries: retransmissions.value ?? builtinHere.retries,
  };
}

/**
 * The connection's own; `null` of a listening socket, whose connections begin with the first, and on
 * Windows, whose TCP_INFO has none.
 */
export function retransmissionTimeoutOf(socket: SocketLike): number | null {
  return process.platform === 'win32' ? null : getTcpInfo(socket).rto;
}
