// Every kind of socket, in workers too, where each has to be searched for, and is judged by the
// descriptor that Node tells.

import { vi } from 'vitest';
import './sockets.test';
import './worker.test';

// Before the package is loaded, which asks for it then.
vi.hoisted(() => {
  process.env.SOCKET_OPTIONS_SEARCH = '1';
});
