// Runs in node.exe: opens connections over loopback, and does what lines of JSON ask of it, which come
// over one more. The port for those is the first line of its output.

const { once } = require('node:events');
const net = require('node:net');
const { createInterface } = require('node:readline');
const face = require('../../../../dist/index.js');

const ends = [];

const commands = {
  /** Both ends of `count` new connections: each one's own port, then its peer's. */
  async open(count) {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    for (let i = 0; i < count; i++) {
      const client = net.connect(server.address().port, '127.0.0.1');
      const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
      ends.push(client, accepted);
    }
    return ends.map(({ localPort, remotePort }) => [localPort, remotePort]);
  },
  /** A function of the package, of the end with that number. */
  call: (name, end, ...args) => face[name](ends[end], ...args) ?? null,
  exit: () => process.exit(0),
};

const control = net.createServer(async (socket) => {
  for await (const line of createInterface({ input: socket })) {
    const [name, ...args] = JSON.parse(line);
    socket.write(`${JSON.stringify(await commands[name](...args))}\n`);
  }
});
control.listen(0, '127.0.0.1', () => console.log(control.address().port));
