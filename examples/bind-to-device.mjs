// Connects by one network interface, whatever the routes say: an uplink, a VPN, a network of its own for management.
// Linux and macOS 15.
//
//   node bind-to-device.mjs eth0 example.com 80

import { connect, getOption } from 'socket-options';

const [bindToDevice = 'lo', host = '127.0.0.1', port = '80'] = process.argv.slice(2);

const socketOptions = { bindToDevice };
const socket = connect({ host, port: Number(port), connectTimeout: 5_000, socketOptions });
socket.on('connect', () => {
  const device = getOption(socket, 'bindToDevice');
  console.log(`connected to ${socket.remoteAddress} from ${socket.localAddress} by ${device}`);
  socket.end();
});
socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
