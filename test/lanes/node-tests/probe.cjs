// Prints which options the kernel has on for sockets, as JSON: for both sockets of a connection, for the listener, and for a
// datagram socket; in this process, in a forked process, in a worker of a cluster, and in a thread. Started with the name of one
// place, it answers for that place alone.

const { fork } = require('node:child_process');
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const { once } = require('node:events');
const net = require('node:net');
const { isMainThread, parentPort, Worker } = require('node:worker_threads');

const SOL_IP = 0;
const IP_FREEBIND = 15;
const SOL_SOCKET = 1;
const SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6;
const TCP_SYNCNT = 7;
/** What the preloads set. The kernel's default is 6. */
const SYN_RETRIES = 5;

function optionOf({ fd }, level, option) {
  const referenceAddon = require('../../support/reference-addon/build/Release/reference_addon.node');
  const value = Buffer.alloc(4);
  referenceAddon.get(fd, level, option, value);
  return value.readInt32LE();
}

/** The descriptor of a datagram socket. Node has no name for it that does not print a warning. */
function datagramHandle(socket) {
  const symbols = Object.getOwnPropertySymbols(socket);
  const symbol = symbols.find(({ description }) => description === 'state symbol');
  return socket[symbol].handle;
}

async function look() {
  const server = net.createServer().listen({ host: '127.0.0.1', port: 0, exclusive: true });
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = net.connect(server.address().port, '127.0.0.1');
  await once(client, 'connect');
  const [socket] = await accepted;
  const datagram = dgram.createSocket('udp4').bind({ address: '127.0.0.1', exclusive: true });
  await once(datagram, 'listening');
  const answer = {
    'client keepalive': optionOf(client._handle, SOL_SOCKET, SO_KEEPALIVE) === 1,
    'accepted keepalive': optionOf(socket._handle, SOL_SOCKET, SO_KEEPALIVE) === 1,
    'client synRetries': optionOf(client._handle, IPPROTO_TCP, TCP_SYNCNT) === SYN_RETRIES,
    'listener freeBind': optionOf(server._handle, SOL_IP, IP_FREEBIND) === 1,
    'datagram freeBind': optionOf(datagramHandle(datagram), SOL_IP, IP_FREEBIND) === 1,
  };
  client.destroy();
  socket.destroy();
  server.close();
  datagram.close();
  return answer;
}

async function answerOf(child) {
  const [answer] = await once(child, 'message');
  return answer;
}

async function main() {
  if (!isMainThread) return parentPort.postMessage(await look());
  if (cluster.isWorker || process.send !== undefined) {
    process.send(await look());
    return process.disconnect();
  }
  cluster.setupPrimary({ exec: __filename });
  const answers = {
    process: await look(),
    fork: await answerOf(fork(__filename)),
    cluster: await answerOf(cluster.fork()),
    thread: await answerOf(new Worker(__filename)),
  };
  console.log(JSON.stringify(answers));
}

main();
