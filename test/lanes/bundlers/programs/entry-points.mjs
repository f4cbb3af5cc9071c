// All entry points in one bundle: they must share one addon. The heartbeat asks the kernel why its peer is silent, and the metrics count
// the connection.

import net from 'node:net';
import { getOption } from 'socket-options';
import { Heartbeat } from 'socket-options/heartbeat';
import { TcpMetrics } from 'socket-options/metrics';

const metrics = new TcpMetrics();
const server = net.createServer((socket) => socket.on('error', () => {}).resume());
server.listen(0, '127.0.0.1', () => {
  const socket = net.connect(server.address().port, '127.0.0.1', () => {
    const noDelay = getOption(socket, 'noDelay');
    let reason;
    const heartbeat = new Heartbeat(socket, { interval: 50, timeout: 200, send: 'ping' });
    heartbeat.on('dead', (death) => {
      reason = death.reason;
    });
    socket.on('error', ({ code }) => {
      const addons = process.report
        .getReport()
        .sharedObjects.filter((file) => /\.node\b/.test(file));
      console.log(JSON.stringify({ noDelay, code, reason, metrics: metrics.text(), addons }));
    });
    socket.on('close', () => {
      metrics.close();
      server.close();
    });
    socket.resume();
  });
});
