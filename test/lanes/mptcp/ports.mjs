// The servers on the peer's host.

import { PORT } from '../../fixtures/dead-peers/two-hosts.mjs';

export const PORTS = {
  /** Multipath TCP of this Node; answers what it receives. */
  echo: PORT,
  /** The same, and reads nothing. */
  silent: PORT + 1,
  /** Plain TCP; answers what it receives. */
  plain: PORT + 2,
  /** redis-server, run by mptcpize(8). */
  redis: PORT + 3,
};
