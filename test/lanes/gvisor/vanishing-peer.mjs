// The peer of bounds.mjs, outside of gVisor. It answers what it reads, reads nothing after an 'x', and loses every packet
// after an 'l', as if its machine had no power.

import { execFileSync } from 'node:child_process';
import net from 'node:net';

const RULES = `table inet lost {
  chain input { type filter hook input priority 0; policy drop; }
  chain output { type filter hook output priority 0; policy drop; }
}
`;

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    if (data.includes('l')) {
      execFileSync('nft', ['-f', '-'], { input: RULES });
      return;
    }
    socket.write('.');
    if (data.includes('x')) socket.pause();
  });
});
server.listen(7_000, () => console.log('ready'));
