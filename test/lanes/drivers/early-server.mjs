// Listens with one library, in its own process, and tells its parent the outcome: 'listening', or the code of the error.
// early-servers.mjs controls it.

import { once } from 'node:events';
import http from 'node:http';
import { listen, tuneSockets } from '../../../dist/index.js';
import { load } from './page-examples.mjs';

const [name, way, host, option] = process.argv.slice(2);
const port = 8080;
const socketOptions = { [option]: true };
if (way === 'tuned') tuneSockets({ server: socketOptions });

const answer = (_request, response) => response.end(`${process.pid}`);

const SERVERS = {
  async http() {
    const server = http.createServer(answer);
    if (way === 'listen') listen(server, { host, port, socketOptions });
    else server.listen(port, host);
    await once(server, 'listening');
  },
  /** The page's own program. */
  async 'http.Server'() {
    const { server } = await load(name, { connect: 'package' });
    await once(server, 'listening');
  },
  async ws() {
    const { WebSocketServer } = await import('ws');
    const server =
      way === 'listen' ? http.createServer(answer) : new WebSocketServer({ host, port });
    if (way === 'listen') {
      new WebSocketServer({ server });
      listen(server, { host, port, socketOptions });
    }
    await once(server, 'listening');
  },
  async '@grpc/grpc-js'() {
    const { Server, ServerCredentials } = await import('@grpc/grpc-js');
    const credentials = ServerCredentials.createInsecure();
    await new Promise((resolve, reject) => {
      new Server().bindAsync(`${host}:${port}`, credentials, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  },
};

process.send(
  await SERVERS[name]().then(
    () => ({ result: 'listening' }),
    ({ code, message }) => ({ result: code ?? message }),
  ),
);
