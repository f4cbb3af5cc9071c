// Living peers, for a day: connections that are supervised, and heartbeats. None of them may end.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, getTcpInfo, setDeadPeerTimeout } from 'socket-options';
import { Heartbeat } from 'socket-options/heartbeat';

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;
const TIMEOUTS = [60 * SECOND, 600 * SECOND];
const HEARTBEATS = 2;
const INTERVAL = 30 * SECOND;

async function open(host, port) {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  const ended = new Promise((_, reject) => {
    socket.once('close', () => reject(new Error('a living connection was ended')));
    socket.on('error', reject);
  });
  // It is awaited later.
  ended.catch(() => {});
  return { socket: socket.setNoDelay(true).resume(), ended };
}

/** Begins; `end()` waits until the day is over, and returns what was counted. */
export async function liveForADay({ host, port }) {
  const start = performance.now();
  const connections = [];
  for (const timeout of TIMEOUTS) {
    const connection = await open(host, port);
    setDeadPeerTimeout(connection.socket, timeout);
    connections.push(connection);
  }
  let answers = 0;
  for (let count = 0; count < HEARTBEATS; count++) {
    const connection = await open(host, port);
    const heartbeat = new Heartbeat(connection.socket, {
      ...{ interval: INTERVAL, timeout: 75 * SECOND, send: '?' },
    });
    heartbeat.on('activity', () => answers++);
    connections.push(connection);
  }
  return async function end() {
    const day = sleep(Math.max(0, start + DAY - performance.now()));
    await Promise.race([day, ...connections.map(({ ended }) => ended)]);
    const due = (HEARTBEATS * DAY) / INTERVAL;
    assert.ok(answers >= due - HEARTBEATS && answers < due * 1.2, `${answers} answers, ${due} due`);
    const sent = connections.map(({ socket }) => getTcpInfo(socket).segmentsSent);
    for (const { socket } of connections) socket.removeAllListeners('close').destroy();
    return { hours: (performance.now() - start) / 3_600_000, answers, segmentsSent: sent };
  };
}
