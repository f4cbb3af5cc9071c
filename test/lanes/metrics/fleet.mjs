// In a network namespace: thousands of connections to peers of several kinds, scraped by a real Prometheus. Prints what PromQL
// and ss(8) report, as JSON. The second argument is a folder for pictures of Prometheus.

import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setDeadPeerTimeout } from '../../../dist/index.js';
import { TcpMetrics } from '../../../dist/metrics.js';
import { startPrometheus, until } from './prometheus.mjs';

const total = Number(process.argv[2]);
const pictures = process.argv[3];
const PORTS = {
  ...{ good: 7001, dead: 7002, lossy: 7003, slow: 7004, closing: 7005, talking: 7006 },
  // As dead, but with a dead-peer timeout.
  supervised: 7007,
};
const COUNTS = { dead: 100, lossy: 20, slow: 20, closing: 50, talking: 30, supervised: 40 };
COUNTS.good = total - Object.values(COUNTS).reduce((sum, count) => sum + count);

const run = (command, ...args) => execFileSync(command, args, { maxBuffer: 1 << 28 }).toString();
run('ip', 'link', 'set', 'lo', 'up');
run(
  'nft',
  'add table inet faults; add chain inet faults in { type filter hook input priority 0; }',
);
const fault = (rule) => run('nft', `add rule inet faults in ${rule}`);

const peers = fork(new URL('peers.mjs', import.meta.url), [JSON.stringify(PORTS)]);
await once(peers, 'message');

const kinds = new Map(Object.entries(PORTS).map(([kind, port]) => [port, kind]));
const metrics = new TcpMetrics({
  interval: 1_000,
  peer: ({ remotePort }) => kinds.get(remotePort) ?? 'other',
});
let scrapes = 0;
let slowest = 0;
const server = createServer((_request, response) => {
  const start = performance.now();
  const text = metrics.text();
  slowest = Math.max(slowest, performance.now() - start);
  scrapes += 1;
  response.setHeader('content-type', metrics.contentType).end(text);
});
await once(server.listen(9464, '127.0.0.1'), 'listening');

const sockets = {};
for (const [kind, port] of Object.entries(PORTS)) {
  sockets[kind] = [];
  for (let i = 0; i < COUNTS[kind]; i++) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    if (kind === 'talking') socket.pause();
    else socket.resume();
    sockets[kind].push(socket);
    if (i % 200 === 199) await sleep(20);
  }
}
await until('all are connected', () =>
  Object.values(sockets)
    .flat()
    .every(({ connecting }) => !connecting),
);

const prometheus = await startPrometheus('127.0.0.1:9464');
// It begins to scrape seconds later. An increase needs a value from before.
await until(
  'Prometheus scrapes',
  async () => 'supervised' in (await prometheus.query('tcp_dead_peers_total')),
);
for (const socket of sockets.supervised) setDeadPeerTimeout(socket, 4_000);
fault('tcp sport { 7002, 7007 } drop');
fault('tcp dport 7003 numgen random mod 100 < 20 drop');
for (const socket of sockets.dead) socket.write('anybody there?');
for (const socket of sockets.slow) socket.write(Buffer.alloc(4 << 20));
const writing = setInterval(() => {
  for (const socket of sockets.lossy)
    if (socket.writableLength === 0) socket.write(Buffer.alloc(1_000));
}, 20);

const FIRING = [
  ...['TcpPeersHalfOpen dead', 'TcpCloseWaitGrows closing', 'TcpPeersDoNotRead slow'],
  ...['TcpProgramDoesNotRead talking', 'TcpRetransmissionsHigh lossy', 'TcpWritesUnbounded good'],
  ...['TcpKeepAliveOff good', 'TcpDeadPeers supervised'],
];
const isFiring = (alerts, name) => alerts.includes(name);
/** An alert on what has happened lately may be over before the last one fires. */
const fired = new Set();
// CLOSE-WAIT counts after a minute, unread data after ten seconds.
await until('alerts fire', async () => {
  const alerts = await prometheus.alerts();
  for (const name of alerts) fired.add(name);
  const missing = FIRING.filter((name) => !fired.has(name));
  return missing.length === 0 ? true : missing;
});
if (pictures) await prometheus.picture('/classic/alerts', `${pictures}/prometheus-alerts.png`, 900);
clearInterval(writing);
await until('the lossy path is quiet', () =>
  ssLines('dport = :7003').every((line) => line.queues[1] === 0),
);
// Each connection has been sampled, and scraped, since.
await sleep(3_500);

const { query } = prometheus;
const byPromql = {
  established: await query('tcp_connections_by_state{state="established"}'),
  closeWait: await query('tcp_connections_by_state{state="close_wait"}'),
  connections: await query('tcp_connections'),
  halfOpen: await query('tcp_connection_problems{problem="half-open"}'),
  unsent: await query('tcp_unsent_bytes'),
  unread: await query('tcp_unread_bytes'),
  retransmitted: await query('tcp_packets_retransmitted_total'),
  sent: await query('tcp_sent_bytes_total'),
  rtt: await query('tcp_connection_rtt_seconds{percentile="50", peer="good"}'),
};
const bySs = Object.fromEntries(
  Object.entries(PORTS).map(([kind, port]) => [kind, summary(ssLines(`dport = :${port}`))]),
);

// Everything is repaired, and the alerts resolve.
for (const socket of [...sockets.dead, ...sockets.closing]) socket.destroy();
for (const socket of sockets.talking) socket.resume();
peers.send('read');
const REPAIRED = FIRING.filter((name) => !name.endsWith(' good'));
await until('alerts resolve', async () => {
  const alerts = await prometheus.alerts();
  const left = REPAIRED.filter((name) => isFiring(alerts, name));
  return left.length === 0 ? true : left;
});
if (pictures) {
  const expression = encodeURIComponent('tcp_connection_problems{problem="half-open"}');
  const graph = `/graph?g0.expr=${expression}&g0.tab=0&g0.range_input=90s`;
  await prometheus.picture(graph, `${pictures}/prometheus-half-open.png`, 900);
}
const deadPeers = (await query('tcp_dead_peers_total')).supervised;
const silence = (await query('tcp_dead_peer_silence_seconds_sum')).supervised / deadPeers;
const lint = lintOf(metrics.text());
await prometheus.stop();
process.stdout.write(
  JSON.stringify({ counts: COUNTS, byPromql, bySs, deadPeers, silence, scrapes, slowest, lint }),
  () => process.exit(),
);

/** Returns the connections that ss(8) reports. */
function ssLines(filter) {
  const text = run('ss', '-H', '-t', '-n', '-o', '-i', '-O', ...filter.split(' '));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [state, received, sent] = line.trim().split(/\s+/);
      const number = (pattern) => Number(pattern.exec(line)?.[1] ?? 0);
      return {
        state,
        queues: [Number(received), Number(sent)],
        timeouts: number(/timer:\(on,[^,]*,(\d+)\)/),
        retransmitted: number(/\bretrans:\d+\/(\d+)/),
        bytesSent: number(/bytes_sent:(\d+)/),
        rtt: number(/\brtt:([\d.]+)\//) / 1_000,
      };
    });
}

function summary(lines) {
  const sum = (pick) => lines.reduce((total, line) => total + pick(line), 0);
  const rtts = lines.map(({ rtt }) => rtt).sort((a, b) => a - b);
  return {
    established: sum(({ state }) => Number(state === 'ESTAB')),
    closeWait: sum(({ state }) => Number(state === 'CLOSE-WAIT')),
    halfOpen: sum(({ timeouts }) => Number(timeouts >= 2)),
    received: sum(({ queues }) => queues[0]),
    queued: sum(({ queues }) => queues[1]),
    retransmitted: sum((line) => line.retransmitted),
    sent: sum(({ bytesSent }) => bytesSent),
    rtt: rtts[Math.ceil(rtts.length / 2) - 1] ?? null,
  };
}

/** Returns what `promtool check metrics` prints: nothing, if all is well. */
function lintOf(text) {
  return execFileSync('promtool', ['check', 'metrics'], { input: text }).toString();
}
