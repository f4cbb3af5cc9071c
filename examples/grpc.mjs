// gRPC with @grpc/grpc-js: a call to a server that vanished fails within 20 s. It calls the standard health service, whose
// messages are short enough to be written by hand.
//
//   npm install socket-options @grpc/grpc-js
//   node grpc.mjs api.example:50051

import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, credentials } from '@grpc/grpc-js';
import { tuneSockets } from 'socket-options';

const [address = 'localhost:50051'] = process.argv.slice(2);

// Every connection that this program opens from now on. @grpc/grpc-js takes no socket and no options of one.
tuneSockets({ client: { deadPeerTimeout: 20_000, connectTimeout: 5_000 } });

const client = new Client(address, credentials.createInsecure());
const call = promisify(client.makeUnaryRequest.bind(client));
const bytes = (message) => message;

for (;;) {
  try {
    // The request is empty: the health of the whole server. The status is the second byte of the answer.
    const answer = await call('/grpc.health.v1.Health/Check', bytes, bytes, Buffer.alloc(0));
    console.log(`answered: ${answer[1] === 1 ? 'serving' : 'not serving'}`);
  } catch (error) {
    console.error(`failed: ${error.details}`);
  }
  await sleep(1_000);
}
