import os from 'node:os';
import { measureDeadPeers } from './dead-peers.mjs';

console.log(os.release());
for (const result of await measureDeadPeers({ hasMptcp: true }))
  console.log(JSON.stringify(result));
console.log('uptime', performance.now());
process.exit();
