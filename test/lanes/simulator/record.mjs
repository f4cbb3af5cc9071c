// Records supervised connections of this kernel for replay.ts, in a network namespace of its own:
// unshare --net --mount node test/lanes/simulator/record.mjs > test/fixtures/supervised-connections.jsonl
// Half of the peers fall silent: nftables drops what arrives at their port.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { readTcpInfos, setDeadPeerTimeout, tcpStates } from '../../../dist/index.js';

const TIMEOUT = 4_000;
const REPORTED = [
  'state',
  'timeSinceLastAckReceived',
  'timeSinceLastDataReceived',
  'segmentsSent',
  'segmentsReceived',
  'unackedSegments',
  'unsentBytes',
  'consecutiveTimeouts',
  'probes',
];
const FAULT_AFTER = 1_500;
const PACE = 125;

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const write = (line) => console.log(JSON.stringify(line));

/** What the client does with its connection. */
const programs = {
  idle: () => {},
  'one write': (client) => setTimeout(() => client.write('x'), FAULT_AFTER + 300),
  writer: (client) => {
    client.setNoDelay(true);
    const timer = setInterval(() => client.write('twenty bytes, again. '), 30);
    client.on('close', () => clearInterval(timer));
  },
  'closed window': (client) => client.write(Buffer.alloc(8_000_000)),
  paused: (client) => client.pause(),
  'half-closed': (client) => client.end(),
};

async function open(port) {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    // The peer of `closed window` reads nothing.
    socket.once('data', (data) => {
      if (data.length < 10_000) socket.resume();
      else socket.pause();
    });
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return Object.entries(programs).map(([name, program]) => {
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const c = `${name}, ${port === 4001 ? 'dead' : 'living'}`;
    client.on('connect', () => {
      setDeadPeerTimeout(client, TIMEOUT);
      write({ c, cell: { timeout: TIMEOUT } });
      if (name !== 'paused') client.resume();
      program(client);
    });
    client.on('error', ({ code }) => write({ c, told: performance.now(), code }));
    return { c, client };
  });
}

const connections = [...(await open(4_001)), ...(await open(4_002))];
await new Promise((resolve) => setTimeout(resolve, 200));
const looking = setInterval(() => {
  const opened = connections.filter(({ client }) => !client.destroyed);
  const columns = readTcpInfos(
    opened.map(({ client }) => client),
    REPORTED,
  );
  const t = performance.now();
  for (const [row, { c }] of opened.entries()) {
    const report = Object.fromEntries(REPORTED.map((name) => [name, columns[name][row]]));
    write({ c, t, ...report, state: tcpStates[report.state] });
  }
}, PACE);

setTimeout(() => {
  const rules = `table inet blackhole {
    chain input { type filter hook input priority 0; tcp dport 4001 drop; tcp sport 4001 drop; }
  }`;
  execFileSync('nft', ['-f', '-'], { input: rules });
}, FAULT_AFTER);
setTimeout(
  () => {
    clearInterval(looking);
    for (const { c, client } of connections) if (!client.destroyed) write({ c, told: null });
    process.exit();
  },
  FAULT_AFTER + 2 * TIMEOUT,
);
