// Options in the wrong place, on the wrong side, or in contradiction: refused by their path, before anything is opened.

import dgram from 'node:dgram';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { bind, connect, listen, tuneSockets } from '../../dist/index.js';
import { socketsOpen } from '../support/open-sockets';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

const calls: Record<string, (options: object) => unknown> = {
  connect: (options) => connect({ port: 1, ...options } as never),
  listen: (options) => listen(net.createServer(), { port: 0, ...options }),
  bind: (options) => {
    const socket = dgram.createSocket('udp4');
    opened.push(socket);
    return bind(socket, { port: 0, ...options });
  },
  tuneSockets: (options) => tuneSockets(options),
};

type Refusal = readonly [call: string, options: object, message: string];
const refusals: Refusal[] = [
  ['connect', { mark: 7 }, '"options.mark" argument belongs in socketOptions: { mark }'],
  ['listen', { mark: 7 }, '"options.mark" argument belongs in socketOptions: { mark }'],
  ['bind', { reusePort: true }, '"options.reusePort" argument belongs in socketOptions'],
  ['connect', { keepAliveCount: 3 }, '"options.keepAliveCount" argument belongs in socketOptions'],
  ['connect', { mptcp: true }, '"options.mptcp" argument belongs in socketOptions'],
  ['connect', { deadPeerTimout: 9_000 }, 'unknown option "deadPeerTimout" (did you mean "dead'],
  ['connect', { connectTimeOut: 9_000 }, '(did you mean "connectTimeout"?)'],
  ['listen', { socketOption: {} }, 'unknown option "socketOption" (did you mean "socketOptions"?)'],
  ['bind', { socket_options: {} }, '(did you mean "socketOptions"?)'],
  [
    'connect',
    { socketOptions: { deadPeerTimeout: 20_000 } },
    '"options.socketOptions.deadPeerTimeout" argument belongs beside socketOptions: options.deadPeerTimeout',
  ],
  [
    'listen',
    { socketOptions: { deadPeerTimeout: 20_000 } },
    '"options.socketOptions.deadPeerTimeout" argument belongs beside socketOptions',
  ],
  ['bind', { deadPeerTimeout: 20_000 }, '"options.deadPeerTimeout" argument is for TCP'],
  ['bind', { socketOptions: { deadPeerTimeout: 20_000 } }, 'deadPeerTimeout" argument is for TCP'],
  ['bind', { socketOptions: { noDelay: true } }, 'noDelay" argument is for TCP'],
  ['listen', { connectTimeout: 100 }, 'connectTimeout" argument is for a socket that connects'],
  [
    'tuneSockets',
    { client: { socketOptions: { mark: 7 } } },
    '"options.client.socketOptions" argument has no effect: its members belong in options.client',
  ],
  [
    'listen',
    { ipv6Only: true, socketOptions: { ipv6Only: false } },
    '"options.socketOptions.ipv6Only" argument differs from options.ipv6Only',
  ],
];

/** Of options that Windows does not have. */
const linuxRefusals: Refusal[] = [
  [
    'listen',
    { socketOptions: { reuseAddress: false } },
    '"options.socketOptions.reuseAddress" argument cannot be false',
  ],
  [
    'tuneSockets',
    { server: { reuseAddress: false } },
    '"options.server.reuseAddress" argument cannot be false',
  ],
  [
    'connect',
    { localPort: 40_000, socketOptions: { reuseAddress: false } },
    '"options.socketOptions.reuseAddress" argument cannot be false with a local address',
  ],
  [
    'connect',
    { socketOptions: { connectTimeout: 5_000 } },
    '"options.socketOptions.connectTimeout" argument belongs beside socketOptions',
  ],
  [
    'connect',
    { socketOptions: { fastOpen: 16 } },
    '"options.socketOptions.fastOpen" argument is for a server',
  ],
  [
    'tuneSockets',
    { client: { fastOpen: 16 } },
    '"options.client.fastOpen" argument is for a server',
  ],
  [
    'listen',
    { socketOptions: { fastOpenConnect: true } },
    '"options.socketOptions.fastOpenConnect" argument is for a socket that connects',
  ],
  [
    'tuneSockets',
    { server: { fastOpenConnect: true } },
    '"options.server.fastOpenConnect" argument is for a socket that connects',
  ],
];

describe.each(process.platform === 'linux' ? [...refusals, ...linuxRefusals] : refusals)(
  '%s(%j)',
  (call, options, message) => {
    test('throws, with the path of the option', () => {
      const before = socketsOpen();
      expect(() => calls[call]?.(options)).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_ARG_VALUE',
          message: expect.stringContaining(message),
        }),
      );
      expect(socketsOpen()).toBe(before);
    });
  },
);

test("reusePort of listen() is Node's, where Node has it", () => {
  const isOfNode = major > 22 || (major === 22 && minor >= 12);
  const server = net.createServer().on('error', () => {});
  opened.push(server);
  const call = (): unknown => listen(server, { port: 0, reusePort: true } as never);
  if (isOfNode) expect(call).not.toThrow();
  else expect(call).toThrow(/"options.reusePort" argument belongs in socketOptions/);
});

test("typeOfService of connect() is Node's, where Node has it", () => {
  const isOfNode = 'setTypeOfService' in net.Socket.prototype;
  const call = (): unknown =>
    connect({ port: 1, typeOfService: 16 } as never)
      .on('error', () => {})
      .destroy();
  if (isOfNode) expect(call).not.toThrow();
  else expect(call).toThrow(/"options.typeOfService" argument belongs in socketOptions/);
});

test('what http passes to createConnection() is not taken for an option of this package', () => {
  const options = { protocol: 'http:', method: 'GET', keepAlive: true, noDelay: true };
  const socket = connect({ port: 1, ...options } as never).on('error', () => {});
  socket.destroy();
  expect(socket.destroyed).toBe(true);
});
