// Connects with a mark on every packet, also on the SYN. Routes (ip rule add fwmark 7 table 100) and firewalls choose by
// it. Linux, with CAP_NET_ADMIN or CAP_NET_RAW.
//
//   sudo node mark.mjs 7 example.com 80

import { connect, getOption } from 'socket-options';

const [mark = '7', host = 'localhost', port = '80'] = process.argv.slice(2);

const socketOptions = { mark: Number(mark) };
const socket = connect({ host, port: Number(port), connectTimeout: 5_000, socketOptions });
socket.on('connect', () => {
  console.log(`connected to ${socket.remoteAddress} with mark ${getOption(socket, 'mark')}`);
  socket.end();
});
socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
