// A program that imports the package while Node builds a snapshot, and uses it when the snapshot runs.

import { startupSnapshot } from 'node:v8';
import { getKeepAlive, getTcpInfo, setKeepAlive } from 'socket-options';

startupSnapshot.setDeserializeMainFunction(() => {
  const net = require('node:net');
  const server = net.createServer((socket) => socket.resume());
  server.listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1', () => {
      setKeepAlive(socket, { enable: true, initialDelay: 30_000, interval: 5_000, count: 3 });
      const keepAlive = getKeepAlive(socket);
      const { state } = getTcpInfo(socket);
      const addons = process.report
        .getReport()
        .sharedObjects.filter((file) => /\.node\b/.test(file));
      console.log(JSON.stringify({ keepAlive, state, addons }));
      socket.destroy();
      server.close();
    });
  });
});
