// A thread with a peer that keeps sending, whatever the main thread does.

import net from 'node:net';
import { workerData } from 'node:worker_threads';

const socket = net.connect(workerData.port, '127.0.0.1');
socket.on('error', () => {});
socket.on('connect', () => setInterval(() => socket.write('.'), 20));
