// Real connections over loopback that are closed after a test, whether it passes or fails.

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { referenceAddon } from './reference-addon';

/**
 * A port that refuses connections: nothing listens on tcpmux. A port that a server just released would not do:
 * a client that gets this port as its local port connects to itself (in Wine, about once in 10 000 times).
 */
export const REFUSING_PORT = 1;

export interface Pair {
  readonly client: net.Socket;
  readonly accepted: net.Socket;
  readonly server: net.Server;
}

/**
 * The descriptor of a socket or server, from Node's internals. On Windows, which does not have it there, the one
 * SOCKET of this process with the same ports.
 */
export function fdOf(socket: object): number {
  if (process.platform !== 'win32') return (socket as { _handle: { fd: number } })._handle.fd;
  const { localPort, remotePort = 0 } = socket as net.Socket;
  return referenceAddon.find(
    localPort ?? ((socket as net.Server).address() as AddressInfo).port,
    remotePort,
  );
}

export async function listen(server: net.Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Starts a server that sends back what it gets. The test calls `closers`. Returns the port. */
export function listenEcho(closers: (() => void)[]): Promise<number> {
  const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
  closers.push(() => server.close());
  return listen(server);
}

/** Opens a connection and passes both ends to `use`. */
export async function withPair<T>(
  use: (pair: Pair) => T | Promise<T>,
  host = '127.0.0.1',
): Promise<T> {
  const server = net.createServer();
  const port = await listen(server, host);
  const [client, [accepted]] = await Promise.all([
    new Promise<net.Socket>((resolve, reject) => {
      const socket = net.connect(port, host, () => resolve(socket));
      socket.once('error', reject);
    }),
    once(server, 'connection') as Promise<[net.Socket]>,
  ]);
  // A test may kill the connection: its error is not a failure of the test.
  client.on('error', () => {});
  accepted.on('error', () => {});
  try {
    return await use({ client, accepted, server });
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
  }
}
