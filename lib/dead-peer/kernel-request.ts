// The request of a plan for one socket whose kernel values alone must do: reads the system's settings and the connection.

import type { Platform } from '../catalogue/row';
import { isSupported } from '../options/option';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import type { PlanRequest } from './plan';
import {
  INITIAL_TIMEOUT,
  retransmissionHere,
  retransmissionTimeoutOf,
} from './retransmission-here';

/** In milliseconds: how long settings of the system are kept, so that no file is read for each of many connections. */
const SETTINGS_KEPT = 1_000;

let kept: { readonly until: number; readonly settings: Settings } | undefined;
type Settings = ReturnType<typeof retransmissionHere>;

/** Completes a request with what the kernel reports about the socket, and with settings of the system. */
export function kernelRequestFor(fd: number, request: PlanRequest): PlanRequest {
  const now = performance.now();
  if (kept === undefined || now >= kept.until) {
    kept = { until: now + SETTINGS_KEPT, settings: retransmissionHere(INITIAL_TIMEOUT) };
  }
  const { retransmission, assumptions } = kept.settings;
  const timeout = Math.max(retransmissionTimeoutOf(fd) ?? 0, INITIAL_TIMEOUT);
  return {
    ...request,
    fixedCount: fixedCount(),
    retransmission: { ...retransmission, timeout },
    assumptions,
  };
}

/** Returns the number of probes of Windows before 10.1703, which has no TCP_KEEPCNT. */
function fixedCount(): number | undefined {
  if ((process.platform as Platform) !== 'win32' || isSupported('keepAliveCount')) return undefined;
  return getSystemDefaults().keepAliveCount.value ?? undefined;
}
