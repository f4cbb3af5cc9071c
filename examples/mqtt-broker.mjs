// A server of many devices that speak MQTT 3.1.1. A device that comes back replaces its old connection. A device that is
// silent for longer than it promised in CONNECT is disconnected. Only CONNECT and PINGREQ are answered here.
//
//   node mqtt-broker.mjs 1883

import net from 'node:net';
import { explainDisconnect, setDeadPeerTimeout } from 'socket-options';
import { Heartbeat, PeerRegistry } from 'socket-options/heartbeat';

const [port = '1883'] = process.argv.slice(2);
const devices = new PeerRegistry();

const server = net.createServer((socket) => {
  let name = `${socket.remoteAddress} port ${socket.remotePort}`;
  // Until CONNECT, a connection may be silent for 10 s.
  let heartbeat = new Heartbeat(socket, { interval: 5_000, timeout: 10_000 });
  socket.on('error', (error) => {
    const isReplaced = error.code === 'ERR_PEER_SUPERSEDED';
    console.log(
      `${name}: ${isReplaced ? 'has a newer connection' : explainDisconnect(error).message}`,
    );
  });
  socket.on('close', () => console.log(`${name}: closed`));

  function connect(body) {
    const keepAlive = 1_000 * body.readUInt16BE(8);
    name = body.toString('utf8', 12, 12 + body.readUInt16BE(10));
    devices.claim(name, socket);
    heartbeat.close();
    // 0: the device promises nothing. Then only a device that vanished is disconnected.
    if (keepAlive > 0) {
      heartbeat = new Heartbeat(socket, { interval: keepAlive, timeout: 1.5 * keepAlive });
    }
    console.log(`${name}: connected, ${devices.size} devices`);
    socket.write(CONNACK);
  }

  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let packet = firstPacket(rest); packet !== undefined; packet = firstPacket(rest)) {
      rest = rest.subarray(packet.end);
      if (packet.type === CONNECT && packet.body.length >= 12) connect(packet.body);
      if (packet.type === PINGREQ) socket.write(PINGRESP);
    }
    if (rest.length > 65_536) socket.destroy();
  });
});

const CONNECT = 1;
const PINGREQ = 12;
const CONNACK = Buffer.from([0x20, 2, 0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);

/** Returns the first packet of these bytes; `undefined` if it is not complete. */
function firstPacket(bytes) {
  let length = 0;
  for (let at = 1; at < Math.min(bytes.length, 5); at++) {
    length += (bytes[at] & 0x7f) * 128 ** (at - 1);
    const end = at + 1 + length;
    const isLast = bytes[at] < 0x80;
    if (isLast && end <= bytes.length) {
      return { type: bytes[0] >> 4, body: bytes.subarray(at + 1, end), end };
    }
    if (isLast) return undefined;
  }
}

server.listen(Number(port), () => {
  setDeadPeerTimeout(server, 60_000);
  console.log(`listening on port ${server.address().port}`);
});
