// A worker with a supervised connection of two subflows. It posts what getMptcpInfo() returns, and later the error.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { connect, getMptcpInfo } from '../../../dist/index.js';
import { untilSubflows } from './hosts.mjs';
import { PORTS } from './ports.mjs';

const { host, timeout } = workerData;
const socket = connect({
  ...{ host, port: PORTS.echo, socketOptions: { mptcp: true } },
  deadPeerTimeout: timeout,
});
socket.on('error', ({ code }) => parentPort.postMessage({ code }));
await once(socket, 'connect');
socket.write('hello');
await once(socket, 'data');
await untilSubflows(socket, 2);
// Until no acknowledgement is due.
await sleep(250);
parentPort.postMessage({ info: getMptcpInfo(socket) });
