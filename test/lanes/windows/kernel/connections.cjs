// Runs in node.exe: opens connections over loopback and executes commands, which are lines of JSON on a control
// connection. The first line of its output is the port for that.

const { once } = require('node:events');
const net = require('node:net');
const { createInterface } = require('node:readline');
const face = require('../../../../dist/index.js');

const ends = [];

const commands = {
  /** Opens `count` connections; returns the local and remote ports of both ends. */
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
  /** Calls a function of the package on the end with that number. */
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
