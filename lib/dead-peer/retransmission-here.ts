// How this system sends unacknowledged data again, by its settings or by what is built in.

import type { Platform } from '../catalogue/row';
import type { SocketLike } from '../core/socket';
import type { SystemDefault } from '../system-defaults/system-defaults';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import { getTcpInfo } from '../tcp-info/get-tcp-info';
import type { DeadPeerPlatform } from './kernel-rules';
import type { Retransmission } from './retransmission';

/** The initial retransmission timeout of TCP (RFC 6298). A shorter one may grow to it on a path that gets slower. */
export const INITIAL_TIMEOUT = 1_000;

/** The values that are built into each system. */
export const BUILTIN: Readonly<Record<DeadPeerPlatform, Omit<Retransmission, 'timeout'>>> = {
  linux: { timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  gvisor: { timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  mptcp: { timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
  darwin: { timeoutMin: 30, timeoutMax: 64_000, retries: 12 },
  freebsd: { timeoutMin: 30, timeoutMax: 64_000, retries: 12 },
  win32: { timeoutMin: 300, timeoutMax: 60_000, retries: 5 },
};

const builtinHere = BUILTIN[process.platform as Platform] ?? BUILTIN.linux;

/**
 * Reads how this system sends data again from its settings. Slow. `timeoutMax` is the socket's own value, if it has one.
 * A setting that cannot be read gets the built-in value, and a sentence in `assumptions`.
 */
export function retransmissionHere(
  timeout: number,
  timeoutMax?: number,
): { retransmission: Retransmission; assumptions: readonly string[] } {
  const defaults = getSystemDefaults();
  const assumptions: string[] = [];
  const read = ({ name, value, unit, reason }: SystemDefault, assumed: number): number => {
    if (value !== null && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
    // A system without the setting has the built-in value.
    if (name !== null) {
      const problem = reason ?? `it is ${value}`;
      const amount = unit === 'ms' ? `${assumed} ms` : assumed;
      assumptions.push(`${name} could not be read (${problem}): ${amount} is assumed`);
    }
    return assumed;
  };
  const retransmission = {
    timeout,
    // Linux counts with its constant TCP_RTO_MIN, whatever net.ipv4.tcp_rto_min_us is: tcp_model_timeout() in tcp_timer.c.
    timeoutMin:
      (process.platform as Platform) === 'linux'
        ? builtinHere.timeoutMin
        : read(defaults.retransmissionTimeoutMin, builtinHere.timeoutMin),
    timeoutMax: timeoutMax ?? read(defaults.retransmissionTimeoutMax, builtinHere.timeoutMax),
    retries: read(defaults.retransmissions, builtinHere.retries),
  };
  return { retransmission, assumptions };
}

/** In milliseconds: how long settings are kept, so that no file is read for each of many connections. */
const SETTINGS_KEPT = 1_000;

type Settings = ReturnType<typeof retransmissionHere>;
let kept: { readonly until: number; readonly settings: Settings } | undefined;

/** How this system sends data again, as it was within the last second. What could not be read is tried again. */
export function recentRetransmissionHere(): Settings {
  const now = performance.now();
  if (kept !== undefined && now < kept.until) return kept.settings;
  const settings = retransmissionHere(INITIAL_TIMEOUT);
  kept = settings.assumptions.length > 0 ? undefined : { until: now + SETTINGS_KEPT, settings };
  return settings;
}

/**
 * Returns the retransmission timeout of a connection; `null` for a listening socket and on Windows, whose TCP_INFO does
 * not have it.
 */
export function retransmissionTimeoutOf(socket: SocketLike): number | null {
  return process.platform === 'win32' ? null : getTcpInfo(socket).rto;
}
