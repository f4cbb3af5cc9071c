// In a network namespace: as many short connections as fit into the time, both ends measured. Prints what the metrics, an OTLP
// collector and the kernel counted, as JSON. The client and the server are processes of their own.

import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { TcpMetrics } from '../../../dist/metrics.js';
import { instrumentsOf, startOtlp } from './otlp-collector.mjs';

const REQUEST = Buffer.alloc(100);
const RESPONSE = Buffer.alloc(400);
/** A connection keeps its port for a minute: these have enough. */
const ADDRESSES = 8;
/** Connections at the same time. */
const PARALLEL = 50;

// Longer than the test: only the last samples count.
const metrics = new TcpMetrics({ interval: 3_600_000 });
/** The names of a counter: in Prometheus, and in OpenTelemetry. */
const COUNTERS = {
  created: ['tcp_connections_created_total', 'grpc.tcp.connections_created'],
  sent: ['tcp_sent_bytes_total', 'grpc.tcp.bytes_sent'],
  received: ['tcp_received_bytes_total', 'socket_options.tcp.bytes_received'],
  retransmitted: ['tcp_retransmitted_bytes_total', 'grpc.tcp.bytes_retransmitted'],
  unsent: ['tcp_unsent_at_close_bytes_total', 'socket_options.tcp.bytes_unsent_at_close'],
  failed: ['tcp_samples_failed_total', 'socket_options.tcp.samples_failed'],
};
const counts = () =>
  countersBy(([name]) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(metrics.text())[1]));
const countersBy = (read) =>
  Object.fromEntries(Object.entries(COUNTERS).map(([key, names]) => [key, read(names)]));

if (process.argv[2] === 'server') serve();
else await measure(Number(process.argv[2]), Number(process.argv[3]));

function serve() {
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('data', () => socket.end(RESPONSE));
  });
  server.listen({ port: 0, host: '0.0.0.0', backlog: 4_096 }, () => {
    process.send(server.address().port);
  });
  process.on('message', () => process.send(counts()));
  process.on('disconnect', () => process.exit());
}

async function measure(most, milliseconds) {
  // Without options in the header, it has 40 bytes, and that of a SYN 44.
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  execFileSync('sysctl', [
    '-qw',
    ...['timestamps', 'sack', 'window_scaling'].map((name) => `net.ipv4.tcp_${name}=0`),
  ]);
  execFileSync('sysctl', [
    '-qw',
    'net.ipv4.ip_local_port_range=1024 65535',
    'net.ipv4.tcp_tw_reuse=1',
  ]);
  const server = fork(new URL(import.meta.url), ['server']);
  const [port] = await once(server, 'message');
  const { exports, provider } = await startOtlp();
  metrics.observe(provider.getMeter('tcp'));
  const before = kernelCounts();
  const end = performance.now() + milliseconds;
  let started = 0;
  const worker = async () => {
    while (started < most && performance.now() < end) {
      started += 1;
      const socket = connect(port, `127.0.0.${1 + (started % ADDRESSES)}`).on('error', () => {});
      socket.end(REQUEST);
      socket.resume();
      await once(socket, 'close');
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  const client = counts();
  server.send('counts');
  const [accepted] = await once(server, 'message');
  const after = kernelCounts();
  const kernel = Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - before[name]]),
  );
  server.disconnect();
  await provider.forceFlush();
  const exported = exportedCounts(instrumentsOf(exports[0]));
  const expected = { request: REQUEST.length * started, response: RESPONSE.length * started };
  process.stdout.write(
    JSON.stringify({ started, client, exported, accepted, kernel, expected }),
    () => process.exit(),
  );
}

/** The same, in an export of OpenTelemetry. */
function exportedCounts(instruments) {
  return countersBy(([, wanted]) => {
    const { sum } = instruments.find(({ name }) => name === wanted);
    return sum.dataPoints.reduce(
      (total, { asInt, asDouble }) => total + Number(asInt ?? asDouble),
      0,
    );
  });
}

/** What nstat(8) shows, of this namespace. */
function kernelCounts() {
  const counters = new Map();
  for (const file of ['/proc/net/snmp', '/proc/net/netstat']) {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    for (let i = 0; i < lines.length; i += 2) {
      const [names, values] = [lines[i], lines[i + 1]].map((line) => line.split(' '));
      for (const [index, name] of names.entries()) {
        counters.set(`${names[0]}${name}`, Number(values[index]));
      }
    }
  }
  return {
    octets: counters.get('IpExt:OutOctets'),
    packets: counters.get('Ip:OutRequests'),
    opened: counters.get('Tcp:ActiveOpens'),
    retransmitted: counters.get('Tcp:RetransSegs'),
  };
}
