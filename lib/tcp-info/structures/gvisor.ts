// gVisor writes the `struct tcp_info` of Linux. Its network stack fills these members, and leaves the others 0.
// Read by scripts/tcp-info.mjs, not at run time.

import type { linuxStructure } from './linux';

/**
 * The members that gVisor fills: getSockOptTCP() in pkg/sentry/socket/netstack/netstack.go, read in releases of July 2024
 * and August 2026.
 */
export const gvisorMembers: readonly (keyof typeof linuxStructure)[] = [
  'tcpi_state',
  'tcpi_ca_state',
  'tcpi_rto',
  'tcpi_rtt',
  'tcpi_rttvar',
  'tcpi_snd_ssthresh',
  'tcpi_snd_cwnd',
  'tcpi_reord_seen',
];
