// A thread with its own connections and addon. Reports how often a read value was not the one that was set.

import { parentPort } from 'node:worker_threads';
import { getOption, setOptions } from 'socket-options';
import { findByPorts, getInt, IPPROTO_TCP } from './kernel.mjs';
import { pair } from './kinds.mjs';

const ROUNDS = 500;
const { client, port, close } = await pair();
const fd = findByPorts('tcp', client.localPort, port);
let wrong = 0;
for (let round = 1; round <= ROUNDS; round++) {
  setOptions({ fd }, { userTimeout: round });
  if (getOption({ fd }, 'userTimeout') !== round || getInt(fd, IPPROTO_TCP, 18) !== round) wrong++;
}
parentPort.postMessage({ rounds: ROUNDS, wrong });
close();
