// Prints whether the kernel has keepalive on for both sockets of a connection, as JSON: in this process, in a forked
// process, in a worker of a cluster, and in a thread. Started with the name of one place, it answers for that place alone.

const { fork } = require('node:child_process');
const cluster = require('node:cluster');
const { once } = require('node:events');
const { connect, createServer } = require('node:net');
const { isMainThread, parentPort, Worker } = require('node:worker_threads');

const SOL_SOCKET = 1;
const SO_KEEPALIVE = 9;

function hasKeepAlive({ _handle: { fd } }) {
  const referenceAddon = require('../../support/reference-addon/build/Release/reference_addon.node');
  const value = Buffer.alloc(4);
  referenceAddon.get(fd, SOL_SOCKET, SO_KEEPALIVE, value);
  return value.readInt32LE() === 1;
}

async function look() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = connect(server.address().port, '127.0.0.1');
  await once(client, 'connect');
  const [socket] = await accepted;
  const answer = { client: hasKeepAlive(client), server: hasKeepAlive(socket) };
  client.destroy();
  socket.destroy();
  server.close();
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
