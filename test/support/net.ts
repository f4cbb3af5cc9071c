// Real connections over loopback, closed again whatever a test does.

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { referenceAddon } from './reference-addon';

/**
 * A port that refuses: nobody listens on tcpmux. Not one that a server just gave back: a client that is
 * given this very number for its own end connects to itself (in Wine, once in some 10 000 times).
 */
export const REFUSING_PORT = 1;

export interface Pair {
  readonly client: net.Socket;
  readonly accepted: net.Socket;
  readonly server: net.Server;
}

/**
 * The descriptor of a socket or server, as Node's own internals tell it; on Windows, where they do not,
 * of all the SOCKETs of this process the one with its ports.
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

/** An established connection with both of its ends. */
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
  // A test may kill a connection; its end is no failure of the test.
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
