// The operations of loop.c on Node and Bun, with its protocol. The argument names one of the ways in ways.mjs.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { ways } from './ways.mjs';

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const socket = connect(server.address().port, '127.0.0.1');
await once(socket, 'connect');
const operations = await ways[process.argv[2]](socket);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [name, count] = line.split(' ');
    const start = process.cpuUsage();
    const sum = operations[name](Number(count)) ?? 0;
    const { user, system } = process.cpuUsage(start);
    console.log(Math.round((user + system) * 1_000), sum);
  })
  .on('close', () => process.exit());
