// The public functions on the system's settings, with their docs.

import { kit } from '../kit';
import type { SystemDefaults, SystemSetting } from './read';

// Loaded with the package, since the folder may be gone or out of reach when a call needs it.
const parts = require('./index.js') as typeof import('./index');
parts.useKit(kit());

/**
 * Reads one kernel-wide setting by the system's own name: `getSysctl('net.ipv4.tcp_retries2')`;
 * on Windows a value of the registry key `Services\\Tcpip\\Parameters`.
 *
 * The text is the kernel's, in the kernel's unit. On Linux it is what this process's network
 * namespace has. A setting that is missing or not to be read has the value `null`, with the reason.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for what is no such name.
 */
export function getSysctl(name: string): SystemSetting {
  return parts.getSysctl(name);
}

/**
 * Reads the system's defaults of keepalive and retransmission: what every socket has that nobody
 * tuned, and what decides how long an unacknowledged write hangs.
 *
 * Linux: sysctls of this process's network namespace. macOS: sysctls. Windows: the registry, whose
 * values are normally absent, and then those built in. Times in milliseconds.
 */
export function getSystemDefaults(): SystemDefaults {
  return parts.getSystemDefaults();
}
