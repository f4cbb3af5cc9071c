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

/** Completes a request with what the kernel reports about the socket. Slow: it reads settings of the system. */
export function kernelRequestFor(fd: number, request: PlanRequest): PlanRequest {
  const rto = retransmissionTimeoutOf(fd);
  return {
    ...request,
    fixedCount: fixedCount(),
    ...retransmissionHere(Math.max(rto ?? 0, INITIAL_TIMEOUT)),
  };
}

/** Returns the number of probes of Windows before 10.1703, which has no TCP_KEEPCNT. */
function fixedCount(): number | undefined {
  if ((process.platform as Platform) !== 'win32' || isSupported('keepAliveCount')) return undefined;
  return getSystemDefaults().keepAliveCount.value ?? undefined;
}
