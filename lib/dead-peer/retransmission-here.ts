// How the systems send unacknowledged data again.

import type { Platform } from '../catalogue/row';
import type { SocketLike } from '../core/socket';
import type { SystemDefault } from '../system-defaults/system-defaults';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import { getTcpInfo } from '../tcp-info/get-tcp-info';
import type { DeadPeerPlatform, Retransmission } from './rules';

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

/**
 * How this system sends data again, by its settings; to read them takes a while. `timeoutMax` is the
 * socket's own, where it has one. What could not be read is assumed, which `assumptions` says in words.
 */
export function retransmissionHere(
  timeout: number,
  timeoutMax?: number,
): { retransmission: Retransmission; assumptions: readonly string[] } {
  const defaults = getSystemDefaults();
  const assumptions: string[] = [];
  const read = ({ name, value, unit, reason }: SystemDefault, assumed: number): number => {
    if (value !== null && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
    // A system without the setting has what is built in.
    if (name !== null) {
      const why = reason ?? `it is ${value}`;
      const what = unit === 'ms' ? `${assumed} ms` : assumed;
      assumptions.push(`${name} could not be read (${why}): ${what} is assumed`);
    }
    return assumed;
  };
  const retransmission = {
    timeout,
    timeoutMin: read(defaults.retransmissionTimeoutMin, builtinHere.timeoutMin),
    timeoutMax: timeoutMax ?? read(defaults.retransmissionTimeoutMax, builtinHere.timeoutMax),
    retries: read(defaults.retransmissions, builtinHere.retries),
  };
  return { retransmission, assumptions };
}

/**
 * The connection's own; `null` of a listening socket, whose connections begin with the first, and on
 * Windows, whose TCP_INFO has none.
 */
export function retransmissionTimeoutOf(socket: SocketLike): number | null {
  return process.platform === 'win32' ? null : getTcpInfo(socket).rto;
}
