// TCP metrics of this program for Prometheus: round-trip times, retransmissions, half-open connections, dead peers.
//
//   node metrics.mjs 9464
//   curl http://localhost:9464/metrics

import http from 'node:http';
import { TcpMetrics } from 'socket-options/metrics';

const [port = '9464'] = process.argv.slice(2);

// Peers by what they are, never by address: each name adds 107 time series.
const PEERS = new Map([
  [5432, 'postgres'],
  [6379, 'redis'],
]);
const metrics = new TcpMetrics({ peer: ({ remotePort }) => PEERS.get(remotePort) ?? 'other' });

const server = http.createServer((request, response) => {
  if (request.url !== '/metrics') response.writeHead(404).end();
  else response.setHeader('content-type', metrics.contentType).end(metrics.text());
});

server.listen(Number(port), () => {
  console.log(`listening on http://localhost:${server.address().port}/metrics`);
});
